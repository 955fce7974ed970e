"""`speechgru evaluate`: the error rate of a checkpoint on a corpus."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from speechgru.cli.config import DECODER_ROOMS, build_corpus, read_command_line
from speechgru.data.dataset import SpeechDataset
from speechgru.data.plan import BatchPlan
from speechgru.interfaces import Decoder, Hypothesis, InputError, Utterance
from speechgru.model.build import build
from speechgru.model.checkpoint import LoadedCheckpoint, load_checkpoint, to_device
from speechgru.score.bootstrap import bootstrap_interval
from speechgru.score.error_rate import (
    ErrorCounts,
    count_character_errors,
    count_word_errors,
)

USAGE = """
usage: speechgru evaluate CHECKPOINT corpus=NAME [split=NAME] [KEY=VALUE ...]

Score a checkpoint on a split. Prints WER and CER with their 95 % bootstrap
intervals; writes one line of JSON per utterance to output.
"""


@dataclass(frozen=True)
class Scored:
    """One utterance, decoded and scored."""

    utterance: Utterance
    reference: str
    hypothesis: Hypothesis
    words: ErrorCounts
    characters: ErrorCounts


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line("evaluate", arguments, USAGE, (1, 1))
    config = line.config
    checkpoint = Path(line.positional[0])
    torch.set_num_threads(config["num_threads"])
    loaded = load_checkpoint(checkpoint, config["trust"])
    corpus = build_corpus(config)
    utterances = corpus.read(config["split"])
    output = Path(
        config["output"]
        or checkpoint.with_name(
            f"{checkpoint.stem}-{corpus.name}-{config['split']}.jsonl"
        )
    )
    _check_writable(output)
    decoder = build(config["decoder"], "decoder", config["trust"], DECODER_ROOMS)
    by_id = {
        scored.utterance.id: scored
        for scored in score(loaded, utterances, decoder, config)
    }
    results = [by_id[utterance.id] for utterance in utterances]
    _write(results, output)
    print(summarise(results, f"{corpus.name} {config['split']}"))
    print(f"results: {output}")
    return 0


def score(
    loaded: LoadedCheckpoint,
    utterances: Sequence[Utterance],
    decoder: Decoder,
    config: Mapping[str, Any],
) -> Iterator[Scored]:
    """Decode utterances in batches of similar length, and count the errors."""
    model = to_device(loaded.model, config["device"])
    data = SpeechDataset(
        utterances,
        loaded.tokenizer,
        model.sample_rate,
        config["data"]["resample"],
        with_targets=False,
    )
    plan = BatchPlan(
        [utterance.duration for utterance in utterances],
        config["batch_seconds"],
        num_buckets=max(1, len(utterances) // 16),
    )
    for planned in plan:
        batch = data[planned].to(config["device"])
        with torch.inference_mode():
            log_probs, lengths = model(batch.waveforms, batch.waveform_lengths)
        hypotheses = decoder(
            log_probs, lengths, loaded.tokenizer, model.seconds_per_frame
        )
        for index, reference, hypothesis in zip(
            planned.indices, batch.references, hypotheses, strict=True
        ):
            yield Scored(
                utterances[index],
                reference,
                hypothesis,
                count_word_errors(reference, hypothesis.text),
                count_character_errors(reference, hypothesis.text),
            )


def summarise(results: Sequence[Scored], title: str) -> str:
    """Name the rates, their intervals and what they are made of."""
    lines = [
        f"{title}: {len(results)} utterances, "
        f"{sum(result.utterance.duration for result in results) / 60:.1f} minutes"
    ]
    for name, unit, counts in (
        ("WER", "words", [result.words for result in results]),
        ("CER", "characters", [result.characters for result in results]),
    ):
        total = sum(counts, start=ErrorCounts())
        low, high = bootstrap_interval(counts)
        lines.append(
            f"{name} {100 * total.rate:.2f} % [{100 * low:.2f}, {100 * high:.2f}]: "
            f"{total.edits} edits in {total.reference_length} {unit} "
            f"({total.substitutions} S, {total.deletions} D, {total.insertions} I)"
        )
    return "\n".join(lines)


def _check_writable(output: Path) -> None:
    """Find out before the work, not after it."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("a"):
            pass
    except OSError as error:
        raise InputError(
            f"{output}: cannot be written ({error.strerror}); set output=PATH"
        ) from error


def _write(results: Sequence[Scored], output: Path) -> None:
    lines = [
        json.dumps(
            {
                "id": result.utterance.id,
                "speaker": result.utterance.speaker,
                "duration": result.utterance.duration,
                "reference": result.reference,
                "hypothesis": result.hypothesis.text,
                "word_errors": asdict(result.words),
                "character_errors": asdict(result.characters),
                "words": [asdict(word) for word in result.hypothesis.words],
            },
            ensure_ascii=False,
        )
        for result in results
    ]
    output.write_text("\n".join(lines) + "\n", encoding="utf-8")
