"""Beginning a run, and going on with one."""

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from speechgru.interfaces import InputError
from speechgru.options.component import flatten
from speechgru.options.training import TrainOptions
from speechgru.progress import say_line
from speechgru.ranges import OptionError
from speechgru.run_files import CONFIG_FILE, LAST
from speechgru.training.build import refuse_idle
from speechgru.training.companions import LOST
from speechgru.training.fine_tuning import adopt_model
from speechgru.training.launching import find_launcher
from speechgru.training.meeting import Meeting
from speechgru.training.outcome import Outcome
from speechgru.training.resuming import LENGTH, apply_changes
from speechgru.training.run import run_training
from speechgru.training.run_folder import (
    begin_anew,
    claim,
    starting,
    working_where_it_began,
    write_options,
    write_start,
)
from speechgru.training.stored import read_stored


def train(
    options: TrainOptions,
    folder: str | Path,
    recipe: str | None = None,
    named: Iterable[str] | None = None,
    began_at: float | None = None,
) -> Outcome:
    """Train a model in a new run folder.

    Processes that torchrun or SLURM has started go on with a run that the folder holds:
    they start again after one of them was lost.

    Args:
        options: what is trained, on what and how.
        folder: keeps the options, log, metrics, best.ckpt and last.ckpt of the run.
        recipe: name, for the checkpoint's metadata.
        named: full names of options that the user has set, e.g. "encoder.dropout":
            with init_from they win over the checkpoint's. None: those that are not
            as they would be by default.
        began_at: from when on the time of the run counts, by `time.monotonic`; None:
            from now on.

    Raises:
        InputError: data, options or the machine do not allow it; or the folder
            holds a run.
    """
    folder = Path(folder)
    if named is not None:
        _refuse_two_lengths(options, named)
    named = named_options(options) if named is None else list(named)
    launcher = find_launcher()
    if launcher is not None:
        with Meeting(launcher) as meeting:
            return _train_together(options, folder, recipe, named, meeting, began_at)
    if is_joining():
        # The process that has begun the run keeps the folder.
        return run_training(_settle(options, named), folder, recipe)
    folder.mkdir(parents=True, exist_ok=True)
    with starting(folder), claim(folder):
        begin_anew(folder)
        options = _settle(options, named)
        write_options(folder, options, recipe)
        write_start(folder)
        return run_training(options, folder, recipe, began_at=began_at)


def resume(
    folder: str | Path,
    trust: Sequence[str] = (),
    changes: Mapping[str, Any] | None = None,
    began_at: float | None = None,
) -> Outcome:
    """Go on in a run folder, from its last checkpoint and stored options.

    A run that was ended before its first checkpoint begins anew.

    Args:
        folder: of the run.
        trust: modules of the user's own that the run may use; what its folder says
            of them does not count.
        changes: of the options that may change, by their full names, e.g.
            {"trainer.max_epochs": 20}.
        began_at: see `train`.

    Raises:
        InputError: there is no such run, or it cannot go on like this.
    """
    folder = Path(folder).absolute()
    if not (folder / CONFIG_FILE).is_file():
        raise InputError(
            f"{folder}: nothing to resume, there is no {CONFIG_FILE}; expected the "
            "folder of a run"
        )
    launcher = find_launcher()
    if launcher is not None:
        with Meeting(launcher) as meeting:
            if meeting.is_first:
                return _go_on(folder, trust, changes or {}, meeting.open, began_at)
            saved = meeting.wait()
            if saved is None:
                return Outcome(folder, LOST)
            return _join(folder, trust, changes or {}, saved)
    if is_joining():
        return _join(folder, trust, changes or {}, (folder / LAST).exists())
    return _go_on(folder, trust, changes or {}, lambda resume: None, began_at)


def _train_together(
    options: TrainOptions,
    folder: Path,
    recipe: str | None,
    named: Sequence[str],
    meeting: Meeting,
    began_at: float | None,
) -> Outcome:
    """Begin a run, or go on with it: the first process decides for all."""
    if not meeting.is_first:
        resume = meeting.wait()
        if resume is None:
            return Outcome(folder, LOST)
        return run_training(_settle(options, named), folder, recipe, resume)
    folder.mkdir(parents=True, exist_ok=True)
    with starting(folder), claim(folder):
        resume = (folder / LAST).exists()
        if not resume:
            begin_anew(folder)
        options = _settle(options, named)
        if not resume:
            write_options(folder, options, recipe)
            write_start(folder)
        open_meeting = functools.partial(meeting.open, resume)
        return run_training(options, folder, recipe, resume, open_meeting, began_at)


def _go_on(
    folder: Path,
    trust: Sequence[str],
    changes: Mapping[str, Any],
    open_meeting: Callable[[bool], None],
    began_at: float | None,
) -> Outcome:
    """Go on with a run, as the first of its processes."""
    with claim(folder):
        options, recipe = read_stored(folder, trust)
        options = apply_changes(options, changes)
        saved = (folder / LAST).exists()
        if not saved:
            begin_anew(folder, keeps_length=not set(changes) & set(LENGTH))
            write_options(folder, options, recipe)
            say_line(f"{folder}: no checkpoint was saved; it begins anew")
        ready = functools.partial(open_meeting, saved)
        with working_where_it_began(folder):
            return run_training(options, folder, recipe, saved, ready, began_at)


def _join(
    folder: Path, trust: Sequence[str], changes: Mapping[str, Any], saved: bool
) -> Outcome:
    """Go on with a run, as a further process."""
    options, recipe = read_stored(folder, trust)
    options = apply_changes(options, changes)
    with working_where_it_began(folder):
        return run_training(options, folder, recipe, saved)


def _settle(options: TrainOptions, named: Sequence[str]) -> TrainOptions:
    """Refuse what would do nothing, and take over what init_from brings."""
    refuse_idle(options, named)
    return options if options.init_from is None else adopt_model(options, named)


def _refuse_two_lengths(options: TrainOptions, named: Iterable[str]) -> None:
    """What a recipe says of epochs does not matter to a run with a time; this does."""
    if options.trainer.max_time is not None and "trainer.max_epochs" in named:
        raise OptionError(
            f"trainer.max_time is {options.trainer.max_time!r} and trainer.max_epochs "
            f"{options.trainer.max_epochs}: both say how long the run is; leave one out"
        )


def is_joining() -> bool:
    """Whether this process joins a run that another one has begun."""
    return any(
        os.environ.get(name, "0") != "0"
        for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK", "NODE_RANK")
    )


def named_options(options: TrainOptions) -> list[str]:
    """Full names of the options that are not as they would be by default."""
    usual = flatten(TrainOptions(corpus=options.corpus).to_plain())
    return list(_different(flatten(options.to_plain()), usual))


def _different(found: Mapping[str, Any], usual: Mapping[str, Any]) -> Iterator[str]:
    for key, value in found.items():
        if key not in usual or usual[key] != value:
            # Another class is another choice of the group.
            yield key.removesuffix("._target_")
