"""The options of the commands that score checkpoints on corpora."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from speechgru.options.choices import chosen, default_data_dir
from speechgru.options.component import Component
from speechgru.options.fields import Options, option
from speechgru.options.rules import modules
from speechgru.ranges import BEAM_SIZE, COUNT, LOG_SCORE, SECONDS, THREADS, WEIGHT

Resampling = Literal["utterance", "speaker"]
"""What is drawn for intervals: single utterances, or all of a speaker's."""


Segmenting = Literal["auto", "none", "vad"]
"""Which recordings are cut at silences: those of more than 30 s, none, all."""


@dataclass(frozen=True, kw_only=True)
class ReadingOptions(Options):
    """How audio is read.

    Attributes:
        resample: convert audio of other rates, instead of an error.
    """

    name: ClassVar[str] = "data"

    resample: bool = False


@dataclass(frozen=True, kw_only=True)
class SplitOptions(Options):
    """Which utterances of a corpus are heard, and how.

    Attributes:
        corpus: the corpus; None: that of the run whose checkpoint is scored.
        split: of the corpus; "dev" of a run is what it was validated on.
        fold: e.g. "1/4": of the splits train and dev, the speakers that data.fold
            held out in training.
        data_dir: where corpora lie.
        data: see `ReadingOptions`.
        device: "cpu", "cuda", "cuda:1", ...
        batch_seconds: s of padded audio per batch.
        num_threads: of each process, on a CPU.
        trust: modules of the user's own whose classes the checkpoint names.
    """

    corpus: Component | None = None
    split: str = "test"
    fold: str | None = None
    data_dir: Path = option(make=default_data_dir)
    data: ReadingOptions = option(make=ReadingOptions)
    device: str = "cpu"
    batch_seconds: float = option(60.0, within=SECONDS)
    num_threads: int = option(1, within=THREADS)
    trust: tuple[str, ...] = option((), rule=modules)


@dataclass(frozen=True, kw_only=True)
class DecodeOptions(Options):
    """How log-probabilities become texts.

    Attributes:
        decoder: the search.
        rescore: checkpoint of a language model that sorts the best texts of a beam
            search anew.
        rescore_weight: of its natural log-probabilities; None: as `speechgru tune`
            found, else 0.5.
        rescore_texts: of the best, to rescore.
        trust: modules of the user's own whose classes may be built.
    """

    decoder: Component = option(make=chosen("decoder", "greedy"))
    rescore: Path | None = None
    rescore_weight: float | None = option(None, within=WEIGHT)
    rescore_texts: int = option(50, within=BEAM_SIZE)
    trust: tuple[str, ...] = option((), rule=modules)


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(DecodeOptions, SplitOptions):
    """How a checkpoint is scored on a split; see `SplitOptions`, `DecodeOptions`.

    Attributes:
        output: results as JSON Lines; None: beside the checkpoint.
        score: "levenshtein": the fewest edits; "nist": as NIST's sclite aligns.
        word_map: what words count as; none: as themselves.
        resample: what intervals are drawn from; None: speakers, if 10 are known.
        nist_files: write trn, ctm and stm beside output.
        segment: which utterances are cut at silences, and heard in pieces; see
            `TranscribeOptions`.
        processes: each loads the checkpoint and decodes a share.
    """

    name: ClassVar[str] = "evaluate"
    is_command: ClassVar[bool] = True

    output: Path | None = None
    score: Literal["levenshtein", "nist"] = "levenshtein"
    word_map: Component = option(make=chosen("word_map", "none"))
    resample: Resampling | None = None
    nist_files: bool = False
    segment: Segmenting = "none"
    processes: int = option(1, within=THREADS)


@dataclass(frozen=True, kw_only=True)
class TuneOptions(SplitOptions):
    """How the weights of a language model are sought; see `SplitOptions`.

    Attributes:
        decoder: the search, with its language model.
        lm_weights, word_scores: searched from coarse to fine.
        sample_words: about so many words of the split are searched on, and the best
            weights then tried on all; None: everything is done on all.
        beam_sizes: tried with the best weights, on the sample.
        rescore: checkpoint of a language model: tune this one instead, behind the
            search.
        rescore_weights: of its natural log-probabilities, tried one by one.
        rescore_texts: of the best, to rescore.
        output: picture; None: beside the language model.
    """

    name: ClassVar[str] = "tune"
    is_command: ClassVar[bool] = True

    split: str = "dev"
    decoder: Component = option(make=chosen("decoder", "prefix_beam"))
    lm_weights: tuple[float, ...] = option(
        (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4), within=WEIGHT
    )
    word_scores: tuple[float, ...] = option(
        (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0), within=LOG_SCORE
    )
    sample_words: int | None = option(3000, within=COUNT)
    beam_sizes: tuple[int, ...] = option((10, 25, 50, 100, 200), within=BEAM_SIZE)
    rescore: Path | None = None
    rescore_weights: tuple[float, ...] = option(
        (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0), within=WEIGHT
    )
    rescore_texts: int = option(50, within=BEAM_SIZE)
    output: Path | None = None
