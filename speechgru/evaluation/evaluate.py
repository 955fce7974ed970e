"""The error rate of a checkpoint on a split of a corpus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from speechgru import __version__
from speechgru.checkpoint.load import load_checkpoint
from speechgru.evaluation.asked import Asked, ask
from speechgru.evaluation.posteriors import warn_if_heard
from speechgru.evaluation.recognise import recognise
from speechgru.evaluation.summary_text import describe
from speechgru.factory import build_decoder, build_word_map
from speechgru.files import beside, printable, relative_path, replace_file, to_json
from speechgru.options.evaluation import EvaluateOptions
from speechgru.progress import say_line
from speechgru.provenance import find_commit
from speechgru.runs.known import UNCHANGED, Changes
from speechgru.score.nist import write_nist_files
from speechgru.score.results import Result, write_results
from speechgru.score.summary import Summary, choose_unit, summarise
from speechgru.score.word_map import map_results


@dataclass(frozen=True)
class Evaluation:
    """What a checkpoint made of a split.

    Attributes:
        corpus, split: what was scored.
        checkpoint: that was scored.
        metadata: what the checkpoint says of itself.
        decoder: its name.
        weights: of the decoder, by their names.
        options: how it was scored.
        results: of each utterance.
        summary: error rates with their intervals.
    """

    corpus: str
    split: str
    checkpoint: Path
    metadata: Mapping[str, Any]
    decoder: str
    weights: Mapping[str, float]
    options: EvaluateOptions
    results: Sequence[Result]
    summary: Summary

    @property
    def wer(self) -> float:
        """Word error rate; 0.05 is 5 %."""
        return self.summary.words.counts.rate

    def table(self) -> str:
        """Error rates, what they are made of, and tables by speaker and length."""
        text = describe(self.summary, f"{self.corpus} {self.split}")
        if self.weights:
            said = (f"{name}={value:g}" for name, value in self.weights.items())
            text += f"\ndecoded with {' '.join(said)}"
        return text

    def save(self, output: Path) -> list[Path]:
        """Write results, their summary and what NIST's tools read.

        Args:
            output: of the results, as JSON Lines; the others lie beside it.

        Returns:
            Paths of the results, and of NIST's files if they were asked for.
        """
        write_results(output, self.results)
        described = self.to_record(output.parent)
        replace_file(beside(output, ".summary.json"), to_json(described, indent=2))
        if not self.options.nist_files:
            return [output]
        return [output, *write_nist_files(output, self.results)]

    def to_record(self, folder: Path) -> dict[str, Any]:
        """The summary in plain values, with what was scored and how.

        Args:
            folder: from which the checkpoint's path counts.
        """
        options = self.options
        return {
            "corpus": self.corpus,
            "split": self.split,
            "checkpoint": relative_path(self.checkpoint, folder),
            "model": dict(self.metadata),
            "decoder": {**options.decoder.to_plain(), **self.weights},
            "word_map": options.word_map.to_plain(),
            "segment": options.segment,
            "rescore": None if options.rescore is None else str(options.rescore),
            "speechgru": __version__,
            "commit": find_commit("speechgru", "conf"),
            **self.summary.to_record(),
        }


def evaluate(
    checkpoint: str | Path, options: EvaluateOptions | None = None
) -> Evaluation:
    """Score a checkpoint on a split; nothing is written to standard output or files.

    Args:
        checkpoint: of an acoustic model, or the folder of a run.
        options: corpus, split, decoder, and how to score; without a corpus, that of
            the run.

    Raises:
        InputError: the checkpoint, the corpus or an option cannot be used.
    """
    return score(ask_to_score(checkpoint, options or EvaluateOptions()))


def ask_to_score(
    path: str | Path, options: EvaluateOptions, changes: Changes = UNCHANGED
) -> Asked[EvaluateOptions]:
    """Find out what is to be scored, and what words count as there; see `ask`."""
    asked = ask(path, options, changes)
    if asked.run is None or options.word_map.target is not None:
        return asked
    word_map = asked.run.options.word_map  # as in its validation
    if word_map.target is not None:
        say_line(printable(f"word_map of the run: {word_map.options.get('name')}"))
    return replace(asked, options=replace(asked.options, word_map=word_map))


def score(asked: Asked[EvaluateOptions]) -> Evaluation:
    """Score what is asked for; see `evaluate`."""
    checkpoint, options = asked.checkpoint, asked.options
    loaded = load_checkpoint(checkpoint, options.trust)
    split = asked.read_split()
    warn_if_heard(loaded.metadata, options)
    speakers = {each.id: each.speaker for each in split.utterances}
    choose_unit(speakers, options.resample)
    decoder = build_decoder(options, loaded)
    word_map = build_word_map(options.word_map, options.trust)
    found = recognise(checkpoint, loaded, decoder, split.utterances, options)
    results = map_results(found, word_map)
    return Evaluation(
        split.corpus,
        split.name,
        checkpoint,
        loaded.metadata,
        decoder.name,
        decoder.weights,
        options,
        results,
        summarise(results, options.resample),
    )
