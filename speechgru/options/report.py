"""The options of the commands that show and compare results."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from speechgru.options.choices import chosen
from speechgru.options.component import Component
from speechgru.options.evaluation import Resampling
from speechgru.options.fields import Options, option
from speechgru.options.rules import modules
from speechgru.ranges import ANY_COUNT, SECONDS, THREADS


@dataclass(frozen=True, kw_only=True)
class ReportOptions(Options):
    """How a page of results is made.

    Attributes:
        output: the page; None: report.html in the run folder, or beside the results.
        worst: utterances of each system whose sound, spectrogram and posteriors lie
            inside the page.
        worst_seconds: s of their sound at most; a second takes some 40 KB.
        train: a manifest whose words count as those of training; None: what the run
            folder lists.
        levels: read all audio, so that error rates are told by how loud it is.
        link_audio: play the others from their files, by relative path.
        checkpoint: for the posteriors; None: the one that made the results; False:
            no posteriors.
        score: align anew; None: as in the results.
        word_map: what words count as; none: as in the results.
        resample: what intervals are drawn from; None: speakers, if 10 are known.
        device: "cpu", "cuda", "cuda:1", ...
        num_threads: on a CPU.
        trust: modules of the user's own whose classes may be built.
    """

    name: ClassVar[str] = "report"
    is_command: ClassVar[bool] = True

    output: Path | None = None
    worst: int = option(100, within=ANY_COUNT)
    worst_seconds: float = option(600.0, within=SECONDS)
    train: Path | None = None
    levels: bool = True
    link_audio: bool = False
    checkpoint: Path | Literal[False] | None = None
    score: Literal["levenshtein", "nist"] | None = None
    word_map: Component = option(make=chosen("word_map", "none"))
    resample: Resampling | None = None
    device: str = "cpu"
    num_threads: int = option(1, within=THREADS)
    trust: tuple[str, ...] = option((), rule=modules)


@dataclass(frozen=True, kw_only=True)
class CompareOptions(Options):
    """How systems are compared.

    Attributes:
        output: everything as JSON; None: no file.
        score: align anew; None: as in the results.
        word_map: what words count as; none: as in the results.
        resample: what intervals are drawn from; None: speakers, if 10 are known.
        show: utterances on which two systems differ most, and words, in the text.
        trust: modules of the user's own whose classes may be built.
    """

    name: ClassVar[str] = "compare"
    is_command: ClassVar[bool] = True

    output: Path | None = None
    score: Literal["levenshtein", "nist"] | None = None
    word_map: Component = option(make=chosen("word_map", "none"))
    resample: Resampling | None = None
    show: int = option(10, within=ANY_COUNT)
    trust: tuple[str, ...] = option((), rule=modules)


@dataclass(frozen=True, kw_only=True)
class ErrorsOptions(Options):
    """How the errors of a system are sorted.

    Attributes:
        train: a manifest whose words count as those of training; None: what the run
            folder lists.
        checkpoint: which normalises them; None: the one that made the results.
        show: words, and characters, that are confused most.
        format: "markdown" or "json".
        score: align anew; None: as in the results.
        word_map: what words count as; none: as in the results.
        resample: what intervals are drawn from; None: speakers, if 10 are known.
        trust: modules of the user's own whose classes may be built.
    """

    name: ClassVar[str] = "errors"
    is_command: ClassVar[bool] = True

    train: Path | None = None
    checkpoint: Path | None = None
    show: int = option(20, within=ANY_COUNT)
    format: Literal["markdown", "json"] = "markdown"
    score: Literal["levenshtein", "nist"] | None = None
    word_map: Component = option(make=chosen("word_map", "none"))
    resample: Resampling | None = None
    trust: tuple[str, ...] = option((), rule=modules)


@dataclass(frozen=True, kw_only=True)
class RunsOptions(Options):
    """How runs are listed.

    Attributes:
        runs_dir: searched with all folders below it.
        format: "text" or "json".
        ignore: options whose differences are not listed.
    """

    name: ClassVar[str] = "runs"
    is_command: ClassVar[bool] = True

    runs_dir: Path = Path("runs")
    format: Literal["text", "json"] = "text"
    ignore: tuple[str, ...] = ("seed", "data_dir", "runs_dir")


@dataclass(frozen=True, kw_only=True)
class RowOptions(Options):
    """How rows of a recipe's table are made.

    Attributes:
        trust: modules of the user's own whose classes the checkpoints name.
    """

    name: ClassVar[str] = "row"
    is_command: ClassVar[bool] = True

    trust: tuple[str, ...] = option((), rule=modules)


@dataclass(frozen=True, kw_only=True)
class InfoOptions(Options):
    """How a checkpoint is described.

    Attributes:
        format: "text" or "json".
        trust: modules of the user's own whose classes the checkpoint names.
    """

    name: ClassVar[str] = "info"
    is_command: ClassVar[bool] = True

    format: Literal["text", "json"] = "text"
    trust: tuple[str, ...] = option((), rule=modules)


@dataclass(frozen=True, kw_only=True)
class AverageOptions(Options):
    """Where an average of checkpoints goes.

    Attributes:
        output: the new checkpoint; None: average.ckpt beside the first one.
    """

    name: ClassVar[str] = "average"
    is_command: ClassVar[bool] = True

    output: Path | None = None
