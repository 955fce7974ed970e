"""Loggers that compare runs with each other: Weights & Biases, and MLflow.

Both write into the working directory, as their users expect, and nothing but the
ids of a run into its folder. Neither opens a connection unless an option says so.
"""

import importlib.util
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from lightning.pytorch.loggers import Logger, MLFlowLogger, WandbLogger

from speechgru.bounded import read_json
from speechgru.files import replace_file, to_json
from speechgru.interfaces import InputError
from speechgru.options.component import flatten
from speechgru.options.training import LoggerOptions, TrainOptions

TRACKERS_FILE = "trackers.json"
"""Of a run folder: its ids, by the names of trackers."""

LEFT_OUT = ("data_dir", "runs_dir", "trust")
"""Options that say where things lie on this machine, not what is learnt."""

_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")


class Tracker(Protocol):
    """One of them."""

    @property
    def name(self) -> str:
        """As in the options."""

    @property
    def logger(self) -> Logger:
        """What takes the metrics."""

    def open(self, options: Mapping[str, Any]) -> str:
        """Begin, or go on; returns the id of the run."""

    def close(self, status: int) -> None:
        """End, with the exit status of the run."""


class WandbTracker:
    """Weights & Biases, in wandb/ of the working directory.

    Args:
        options: of the loggers.
        run_name: as it is listed.
        id: of the run, if it goes on.
    """

    name = "wandb"

    def __init__(self, options: LoggerOptions, run_name: str, id: str | None) -> None:
        _need("wandb", "logger.wandb", "wandb")
        # Else errors of wandb itself are sent to its makers, also offline.
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        from wandb import Settings

        self._id = id or secrets.token_hex(4)
        self.logger = WandbLogger(
            name=run_name,
            project=options.project,
            save_dir=".",
            id=self._id,
            mode=options.wandb,
            settings=Settings(
                console="off",  # the run has a log of its own
                disable_code=True,
                disable_git=True,
                silent=True,
                x_disable_machine_info=True,
                x_disable_meta=True,  # command line, paths, user and host
                x_save_requirements=False,
            ),
        )

    def open(self, options: Mapping[str, Any]) -> str:
        """See `Tracker`."""
        self.logger.log_hyperparams(dict(options))
        return self._id

    def close(self, status: int) -> None:
        """See `Tracker`: only now all of it is written."""
        self.logger.experiment.finish(exit_code=status)


_NOTHING_TOLD = {
    "mlflow.user": "unknown",
    "mlflow.source.name": "speechgru",
    "mlflow.source.git.commit": "",
}
"""In place of the login name, the path of the program, and what git says there."""


class MlflowTracker:
    """MLflow, in a folder or at the address of a server.

    Args:
        options: of the loggers.
        run_name: as it is listed.
        id: of the run, if it goes on.
    """

    name = "mlflow"

    def __init__(self, options: LoggerOptions, run_name: str, id: str | None) -> None:
        _need("mlflow", "logger.mlflow", "mlflow")
        # Its makers are not told of it, and a folder is a place to write to.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        place = str(options.mlflow)
        self._place = place if ":" in place else f"file:{place}"
        self._project = options.project
        self._known = id
        self.logger = MLFlowLogger(
            experiment_name=options.project,
            run_name=run_name,
            tracking_uri=self._place,
            run_id=id,
            tags=dict(_NOTHING_TOLD),
        )

    def open(self, options: Mapping[str, Any]) -> str:
        """See `Tracker`; a run that goes on keeps the options it began with."""
        from mlflow.tracking import MlflowClient

        client = MlflowClient(self._place)
        if self._known is not None:
            client.update_run(self._known, status="RUNNING")
            return self._known
        if client.get_experiment_by_name(self._project) is None:
            client.create_experiment(self._project)
        self.logger.log_hyperparams(dict(options))
        return str(self.logger.run_id)

    def close(self, status: int) -> None:
        """See `Tracker`: Lightning does it."""


class Trackers:
    """The trackers of a run, which go on where it was stopped.

    Args:
        folder: of the run; keeps the ids of its runs, by which they go on.
        options: of the run.

    Raises:
        InputError: a package is not installed, or the ids are damaged.
    """

    def __init__(self, folder: Path, options: TrainOptions) -> None:
        self._path = folder / TRACKERS_FILE
        told = flatten(options.to_plain())
        self._options = {
            name: value for name, value in told.items() if name not in LEFT_OUT
        }
        ids = read_ids(self._path)
        wanted: dict[type[WandbTracker] | type[MlflowTracker], str | None] = {
            WandbTracker: options.logger.wandb,
            MlflowTracker: options.logger.mlflow,
        }
        self._trackers: list[Tracker] = [
            make(options.logger, folder.name, ids.get(make.name))
            for make, place in wanted.items()
            if place is not None
        ]
        self._ids = ids

    @property
    def loggers(self) -> list[Logger]:
        """Those that take the metrics."""
        return [tracker.logger for tracker in self._trackers]

    @contextmanager
    def opened(self, is_first: bool) -> Iterator[None]:
        """Keep them open while the run trains.

        Args:
            is_first: whether this is the first of its processes, which alone logs.

        Raises:
            InputError: one of them cannot be written to, or reached.
        """
        if not is_first or not self._trackers:
            yield
            return
        for tracker in self._trackers:
            try:
                self._ids[tracker.name] = tracker.open(self._options)
            except Exception as error:  # each has exceptions of its own
                raise InputError(
                    f"logger.{tracker.name}: {error}; see to it, or leave it out by "
                    f"logger.{tracker.name}=null"
                ) from error
        replace_file(self._path, to_json(self._ids) + b"\n")
        status = 1
        try:
            yield
            status = 0
        finally:
            for tracker in self._trackers:
                tracker.close(status)


def read_ids(path: Path) -> dict[str, str]:
    """The ids of a run, by the names of trackers; a run may be a stranger's.

    Raises:
        InputError: they are none.
    """
    if not path.exists():
        return {}
    try:
        ids = read_json(path)
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error
    if not isinstance(ids, dict) or not all(
        isinstance(id, str) and _ID.fullmatch(id) for id in ids.values()
    ):
        raise _damaged(path, "holds something else")
    return ids


def _damaged(path: Path, why: object) -> InputError:
    return InputError(
        f"{path}: {why}, expected ids of runs; remove it, and trackers list what "
        "follows as another run"
    )


def _need(module: str, option: str, extra: str) -> None:
    found = importlib.util.find_spec(module)
    # What they write is a folder of their name, which is no package.
    if found is None or found.origin is None:
        raise InputError(
            f"{option} needs {module}; install it with: "
            f'pip install "speechgru[{extra}]", or set {option}=null'
        )
