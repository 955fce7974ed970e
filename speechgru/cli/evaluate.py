"""`speechgru evaluate`: the error rate of a checkpoint on a corpus."""

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import speechgru
from speechgru.checkpoint.load import load_checkpoint
from speechgru.cli.config import read_command_line
from speechgru.decode.beam import BeamDecoder
from speechgru.decode.greedy import GreedyDecoder
from speechgru.decode.spans import average_confidence
from speechgru.evaluation.foreign_weights import warn_of_foreign_weights
from speechgru.evaluation.posteriors import read_split, score_utterances, warn_if_heard
from speechgru.factory import build_decoder
from speechgru.files import beside, printable, relative_path, replace_file, to_json
from speechgru.interfaces import Decoder, InputError, Utterance
from speechgru.options import EvaluateOptions
from speechgru.progress import Progress
from speechgru.provenance import find_commit
from speechgru.score.nist import write_nist_files
from speechgru.score.results import Result, check_scoring, make_result, write_results
from speechgru.score.summary import Summary, choose_unit, percent, summarise
from speechgru.threads import set_up_cpu

USAGE = """
usage: speechgru evaluate CHECKPOINT corpus=NAME [split=NAME] [KEY=VALUE ...]

Score a checkpoint on a split. Prints word, character and sentence error rates
with their 95 % bootstrap intervals, by speaker and by length; writes one line
of JSON per utterance to output, and a summary beside it.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(EvaluateOptions, arguments, USAGE, (1, 1))
    config = line.config
    checkpoint = Path(line.positional[0])
    check_scoring(config["score"])
    loaded = load_checkpoint(checkpoint, config["trust"])
    metadata = loaded.metadata
    corpus, split, utterances = read_split(config)
    warn_if_heard(metadata, config)
    name = name_results(checkpoint, corpus, split, config)
    output = Path(config["output"] or checkpoint.with_name(name))
    choose_unit({u.id: u.speaker for u in utterances}, config["resample"])
    check_output(output)
    decoder = build_decoder(config, loaded.model)
    warn_of_foreign_weights(decoder, config, loaded.model)
    weights = decoder.weights if isinstance(decoder, BeamDecoder) else {}
    found = recognise(checkpoint, utterances, config, decoder)
    by_id = {result.id: result for result in found}
    results = [by_id[utterance.id] for utterance in utterances]
    summary = summarise(results, config["resample"])
    described = {
        "corpus": corpus,
        "split": split,
        "checkpoint": relative_path(checkpoint, output.parent),
        "model": metadata,
        "decoder": {**config["decoder"], **weights},
        "rescore": config["rescore"],
        "speechgru": speechgru.__version__,
        "commit": find_commit("speechgru", "conf"),
        **summary.to_record(),
    }
    try:
        # Before anything is printed, which a closed pipe might prevent.
        written = write_all(output, results, described, config["nist_files"])
    finally:
        # And also where a full disk prevents the writing.
        print(describe(summary, f"{corpus} {split}"))
        if weights:
            said = (f"{name}={value:g}" for name, value in weights.items())
            print(f"decoded with {' '.join(said)}")
    print("\n".join(written))
    return 0


def write_all(
    output: Path,
    results: Sequence[Result],
    described: Mapping[str, Any],
    nist_files: bool,
) -> list[str]:
    """Write results, their summary and what NIST's tools read; say where."""
    write_results(output, results)
    replace_file(beside(output, ".summary.json"), to_json(described, indent=2))
    said = [f"results: {printable(str(output))}"]
    if nist_files:
        names = " ".join(map(str, write_nist_files(output, results)))
        said.append(f"for NIST's tools: {printable(names)}")
    return said


def recognise(
    checkpoint: Path,
    utterances: Sequence[Utterance],
    config: Mapping[str, Any],
    decoder: Decoder,
) -> Iterator[Result]:
    """Decode and score utterances, in any order, on the processes asked for.

    Further processes build decoders of their own.
    """
    num_processes = config["processes"]
    minutes = math.fsum(utterance.duration for utterance in utterances) / 60
    with Progress("evaluate", minutes, "min of audio") as progress:
        if num_processes == 1:
            for batch in _recognise_share(checkpoint, utterances, config, 0, decoder):
                yield from batch
                progress.advance(_minutes(batch))
            return
        context = get_context("spawn")
        done = context.Value("d", 0.0)
        with ProcessPoolExecutor(
            num_processes, context, initializer=_count_in, initargs=(done,)
        ) as pool:
            shares = [
                pool.submit(_recognise_all, checkpoint, utterances, config, share)
                for share in range(num_processes)
            ]
            while wait(shares, timeout=1.0).not_done:
                progress.advance(done.value - progress.done)
            for future in shares:
                yield from future.result()


def _count_in(done: Any) -> None:
    """Let this process, one of several, count minutes in a shared number."""
    global _done
    _done = done


def _recognise_all(*arguments: Any) -> list[Result]:
    results = []
    for batch in _recognise_share(*arguments):
        results += batch
        with _done.get_lock():
            _done.value += _minutes(batch)
    return results


def _minutes(results: Sequence[Result]) -> float:
    return math.fsum(result.duration for result in results) / 60


def _recognise_share(
    checkpoint: Path,
    utterances: Sequence[Utterance],
    config: Mapping[str, Any],
    share: int,
    decoder: Decoder | None = None,
) -> Iterator[list[Result]]:
    """Decode and score a share of the utterances, batch by batch."""
    set_up_cpu(config["num_threads"])
    loaded = load_checkpoint(checkpoint, config["trust"])
    decoder = decoder or build_decoder(config, loaded.model)
    for batch in score_utterances(
        loaded, utterances, config, share, config["processes"]
    ):
        hypotheses = decoder(
            batch.log_probs,
            batch.lengths,
            loaded.tokenizer,
            loaded.model.seconds_per_frame,
        )
        yield [
            make_result(
                utterances[index].id,
                reference,
                hypothesis.text,
                config["score"],
                speaker=utterances[index].speaker,
                duration=utterances[index].duration,
                audio_path=utterances[index].audio_path,
                offset=utterances[index].offset if utterances[index].partial else None,
                confidence=average_confidence(hypothesis.tokens),
                words=hypothesis.words,
            )
            for index, reference, hypothesis in zip(
                batch.indices, batch.references, hypotheses, strict=True
            )
        ]


def name_results(
    checkpoint: Path, corpus: str, split: str, config: Mapping[str, Any]
) -> str:
    """The file for the results of a model and a decoder, unless another is named."""
    parts = [checkpoint.stem, corpus, split]
    room, _, cls = config["decoder"]["_target_"].rpartition(".")
    if cls != GreedyDecoder.__name__:
        lm = config["decoder"].get("lm")
        parts += [room.rpartition(".")[2], *([Path(lm).stem] if lm else [])]
    if config["rescore"]:
        parts.append("rescored")
    return f"{'-'.join(parts)}.jsonl".replace(" ", "-").replace("/", "-of-")


def describe(summary: Summary, title: str) -> str:
    """Name the rates, their intervals and what they are made of."""
    minutes = (
        "" if summary.duration is None else f", {summary.duration / 60:.1f} minutes"
    )
    wrong = summary.sentences.counts
    lines = [f"{title}: {summary.num_utterances} utterances{minutes}"]
    for name, unit, rate in (
        ("WER", "words", summary.words),
        ("CER", "characters", summary.characters),
    ):
        total = rate.counts
        lines.append(
            f"{name} {rate}: {total.edits} edits in {total.reference_length} {unit} "
            f"({total.substitutions} S, {total.deletions} D, {total.insertions} I)"
        )
    lines.append(
        f"SER {summary.sentences}: {wrong.edits} of {summary.num_utterances} "
        "utterances have an error"
    )
    lines.append(
        f"words aligned by {summary.scoring}; 95 % intervals by bootstrap over "
        f"{summary.resampled}s"
        + ("; those of the tables over utterances" * (summary.resampled == "speaker"))
    )
    if (known := summary.calibration) is not None:
        lines.append(
            f"confidence of words: {percent(known.confidence)} % on average, where "
            f"{percent(known.accuracy)} % are right; expected calibration error "
            f"{percent(known.error)} %"
        )
    tables = (("speaker", summary.by_speaker), ("words said", summary.by_length))
    for title, rates in tables:
        if len(rates) > 1:
            lines += ["", *_table(title, rates)]
    return "\n".join(lines)


def _table(title: str, rates) -> list[str]:
    rates = {printable(name): rate for name, rate in rates.items()}
    width = max(len(title), *map(len, rates))
    lines = [f"{title:{width}}   words     WER  [95 %]"]
    for name, rate in rates.items():
        lines.append(
            f"{name:{width}} {rate.counts.reference_length:7} "
            f"{percent(rate.counts.rate):>7}  [{percent(rate.low)}, "
            f"{percent(rate.high)}]"
        )
    return lines


def check_output(output: Path) -> None:
    """Find out before the work, not after it."""
    is_new = not output.exists()
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("a"):
            pass
        if is_new:
            output.unlink()
    except OSError as error:
        raise InputError(
            f"{output}: cannot be written ({error.strerror}); set output=PATH"
        ) from error
