"""What was tried, and how well it went."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from speechgru.interfaces import InputError
from speechgru.options.component import TARGET, flatten
from speechgru.options.config_file import read_config
from speechgru.report.run_differences import find_differences
from speechgru.report.watching.lock import read_owner
from speechgru.run_files import CONFIG_FILE, WAS
from speechgru.score.learning import find_best, find_last, read_learning_curves
from speechgru.score.summary import read_summary


@dataclass(frozen=True)
class Score:
    """A word error rate that `evaluate` found.

    Attributes:
        corpus, split, checkpoint: what was scored, and on what.
        decoder: that made the texts, with its language model, e.g. "prefix_beam" or
            "prefix_beam with an4-3-words"; None: older results do not say.
        rate: edits over words; None: infinite, as are its bounds.
        low, high: the 95 % interval.
    """

    corpus: str
    split: str
    checkpoint: str
    decoder: str | None
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Run:
    """What the files of a run folder say.

    Attributes:
        folder: of the run.
        seed: of everything; None: the configuration has none.
        epochs: that are done.
        max_epochs: that were wanted; None: the configuration does not say, or counts
            in steps or time.
        cpu_seconds: of the training process; None: no epoch is done.
        wall_seconds: that training took; None: an older version did not say.
        best_dev_wer: the lowest; None: dev was never scored.
        scores: by the names of their files.
        is_training: whether somebody trains in the folder.
        config: values by the full names of options.
    """

    folder: Path
    seed: int | None
    epochs: int
    max_epochs: int | None
    cpu_seconds: float | None
    wall_seconds: float | None
    best_dev_wer: float | None
    scores: tuple[Score, ...]
    is_training: bool
    config: Mapping[str, Any]

    def to_record(self) -> dict[str, Any]:
        """Plain values, for JSON, without the configuration."""
        return {
            "run": str(self.folder),
            "seed": self.seed,
            "epochs": self.epochs,
            "max_epochs": self.max_epochs,
            "cpu_seconds": self.cpu_seconds,
            "wall_seconds": self.wall_seconds,
            "best_dev_wer": self.best_dev_wer,
            "scores": [asdict(score) for score in self.scores],
            "is_training": self.is_training,
        }


@dataclass(frozen=True)
class RunList:
    """Runs, and by what each differs from the others.

    Attributes:
        runs: by folder.
        differences: of each run: options that are not as in most, by full name.
        damaged: why folders were left out.
    """

    runs: tuple[Run, ...]
    differences: tuple[Mapping[str, str], ...]
    damaged: tuple[str, ...]

    def to_records(self) -> list[dict[str, Any]]:
        """Plain values, for JSON."""
        return [
            {**run.to_record(), "differs": dict(differs)}
            for run, differs in zip(self.runs, self.differences, strict=True)
        ]


def list_runs(roots: Sequence[Path], ignored: Sequence[str] = ()) -> RunList:
    """Describe every run in some folders and in all folders below them.

    Args:
        roots: searched; a run that several hold is listed once.
        ignored: options whose differences are not told.

    Raises:
        InputError: a folder is not there, or there is no run in any.
    """
    folders = sorted({folder for root in roots for folder in find_runs(root)})
    if not folders:
        raise InputError(
            f"{', '.join(map(str, roots))}: no runs, expected folders that `train` "
            "made; name another folder, or set runs_dir=FOLDER"
        )
    runs, damaged = [], []
    for folder in folders:
        try:
            runs.append(describe_run(folder))
        except InputError as error:
            damaged.append(str(error))
    differences = find_differences([run.config for run in runs], ignored)
    return RunList(tuple(runs), tuple(differences), tuple(damaged))


def find_runs(root: Path) -> Iterator[Path]:
    """Folders with a configuration and what was logged.

    Raises:
        InputError: there is no such folder.
    """
    if not root.is_dir():
        raise InputError(
            f"{root}: no such folder; name another, or set runs_dir=FOLDER"
        )
    for path in root.rglob(CONFIG_FILE):
        if (path.parent / "metrics").is_dir():
            yield path.parent


def describe_run(folder: Path) -> Run:
    """Read what a run folder says.

    Raises:
        InputError: one of its files is damaged.
    """
    config = flatten(read_config(folder / CONFIG_FILE))
    config.pop(WAS, None)
    curves = read_learning_curves(folder)
    best = find_best(curves)
    limits = (config.get("trainer.max_steps"), config.get("trainer.max_time"))
    return Run(
        folder=folder,
        seed=config.get("seed"),
        epochs=sum("train/cpu_seconds" in row for row in curves),
        max_epochs=None if any(limits) else config.get("trainer.max_epochs"),
        cpu_seconds=find_last(curves, "train/cpu_seconds"),
        wall_seconds=find_last(curves, "train/wall_seconds"),
        best_dev_wer=None if best is None else best[0],
        scores=tuple(map(read_score, sorted(folder.glob("*.summary.json")))),
        is_training=read_owner(folder) is not None,
        config=config,
    )


def read_score(path: Path) -> Score:
    """The WER in what `evaluate` wrote beside its results."""
    summary = read_summary(path)
    words = summary["words"]
    corpus, split, checkpoint = (
        summary[name] for name in ("corpus", "split", "checkpoint")
    )
    rate, low, high = (words[name] for name in ("rate", "low", "high"))
    decoder = name_decoder(summary)
    return Score(corpus, split, checkpoint, decoder, rate, low, high)


def name_decoder(summary: Mapping[str, Any]) -> str | None:
    """Name the decoder of results, and the language models that it took.

    Args:
        summary: what `evaluate` wrote beside results, which may be anything.
    """
    decoder = summary.get("decoder")
    target = decoder.get(TARGET) if isinstance(decoder, dict) else None
    if not isinstance(decoder, dict) or not isinstance(target, str):
        return None
    name = target.rpartition(".")[0].rpartition(".")[2] or target
    models = [decoder.get("lm"), summary.get("rescore")]
    said = [Path(each).stem for each in models[:1] if isinstance(each, str)]
    if isinstance(models[1], str):
        path = Path(models[1])
        # All checkpoints are called the same; their runs are not.
        said.append(f"rescored by {path.parent.name or path.stem}")
    name += f" with {', '.join(said)}" * bool(said)
    segment = summary.get("segment", "none")
    return name if segment == "none" else f"{name}, segment={segment}"
