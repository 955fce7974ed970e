"""One training run, from its plain configuration to its last checkpoint."""

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import lightning as L
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from speechgru.advice.remark import remark
from speechgru.checkpoint.storage import read_checkpoint
from speechgru.data.utterances import durations_of
from speechgru.interfaces import InputError
from speechgru.options.training import TrainOptions
from speechgru.run_files import LAST, LENGTH_FILE
from speechgru.threads import set_up_cpu
from speechgru.training.build import (
    build_speech,
    build_texts,
    find_task,
    trains_on_texts,
)
from speechgru.training.callbacks import (
    Checkpoints,
    rank_scores,
)
from speechgru.training.checkpoint_writer import CheckpointWriter
from speechgru.training.companions import LostProcessError, choose_strategy
from speechgru.training.curves import Curves
from speechgru.training.datamodule import PlannedDataModule
from speechgru.training.determinism import restoring_determinism
from speechgru.training.early_stopping import EarlyStopping
from speechgru.training.interruption import Interrupted, Interruption
from speechgru.training.launching import count_devices, find_launcher
from speechgru.training.length import Length, read_course
from speechgru.training.logs import logging_to
from speechgru.training.memory import BatchInHand, explaining_memory
from speechgru.training.outcome import Outcome, describe_outcome
from speechgru.training.progress import TrainingProgress
from speechgru.training.resuming import (
    check_changes,
    check_length,
    describe_going_on,
    read_before,
)
from speechgru.training.run_described import Run
from speechgru.training.run_folder import options_before, write_options
from speechgru.training.step_profile import StepProfile
from speechgru.training.stored import read_last
from speechgru.training.task import TrainingTask
from speechgru.training.time_budget import TimeBudget
from speechgru.training.totals import spent_seconds
from speechgru.training.trackers import Trackers
from speechgru.training.validation import read_splits

log = logging.getLogger(__name__)


def run_training(
    options: TrainOptions,
    folder: Path,
    recipe: str | None = None,
    resume: bool = False,
    ready: Callable[[], None] = lambda: None,
    began_at: float | None = None,
) -> Outcome:
    """Train, or go on training, in a folder that is this process's.

    Args:
        options: of the run.
        folder: of the run.
        recipe: name, for the checkpoint's metadata.
        resume: go on from the folder's last checkpoint.
        ready: is called once the data was examined and nothing is left but to join
            the other processes and to train.
        began_at: from when on the time of the run counts, by `time.monotonic`; None:
            from now on.

    Raises:
        InputError: data, options or the machine do not allow it.
    """
    first = rank_zero_only.rank == 0
    began_at = time.monotonic() if began_at is None else began_at
    with (
        logging_to(folder, first),
        restoring_determinism(),
        Interruption() as interruption,
    ):
        try:
            return _run(
                options, folder, recipe, resume, ready, first, interruption, began_at
            )
        except LostProcessError as lost:
            return Outcome(folder, lost.status)
        except Interrupted as error:
            if not interruption.waits and not resume:
                log.info("%s: nothing was trained yet", error)
                raise
            log.info("saved; %s", describe_going_on(options, folder))
            # Lightning kills the first process when another one ends with an error.
            return Outcome(folder, error.status if first else 0)


def _run(
    options: TrainOptions,
    folder: Path,
    recipe: str | None,
    resume: bool,
    ready: Callable[[], None],
    first: bool,
    interruption: Interruption,
    began_at: float,
) -> Outcome:
    num_threads = options.trainer.num_threads
    set_up_cpu(num_threads)
    os.environ["OMP_NUM_THREADS"] = str(num_threads)  # Lightning would guess
    L.seed_everything(options.seed, verbose=False)

    last, checkpoint, before = None, {}, None
    if resume:
        last = read_last(folder / LAST, options.trust)
        checkpoint = read_checkpoint(folder / LAST)
        before = read_before(checkpoint, folder)
    length = Length(
        options.trainer,
        read_course(folder, checkpoint),
        None if before is None else before.trainer,
        folder / LENGTH_FILE if first else None,
        began_at,
        spent_seconds(last),
    )
    step = int(checkpoint.get("global_step", 0))
    if resume and first:
        check_changes(before, options, folder)
        check_length(options.trainer, checkpoint, folder, length)
    del checkpoint
    # Before the data is examined: the machine may not be what it takes.
    writer = CheckpointWriter()
    trackers = Trackers(folder, options)
    trainer = make_trainer(
        options, folder, interruption, writer, length, trackers.loggers
    )
    splits = read_splits(options)
    build_parts = build_texts if trains_on_texts(options) else build_speech
    run = Run(folder, recipe, last, first, length)
    task, datamodule = build_parts(options, splits, run)
    if not splits["dev"]:
        if options.callbacks.early_stopping_patience is not None:
            raise InputError(
                "callbacks.early_stopping_patience is set, but nothing is held out to "
                "validate on; set it to null, or hold out speakers by data.fold"
            )
        trainer.limit_val_batches = 0
    interruption.check()
    if first and not resume and not trains_on_texts(options):
        hours = float(durations_of(splits["train"]).sum()) / 3600
        said = remark(options, hours, datamodule.train_sizes)
        if said is not None:
            log.info("%s", said)
    if first and resume:
        was = options_before(folder, before, options, step)
        write_options(folder, options, recipe, was)
    with writer, trackers.opened(first):
        ready()
        fit(trainer, task, datamodule, folder, resume, interruption)
    return describe_outcome(task, trainer, folder) if first else Outcome(folder)


def fit(
    trainer: L.Trainer,
    task: TrainingTask,
    datamodule: PlannedDataModule,
    folder: Path,
    resume: bool,
    interruption: Interruption,
) -> None:
    """Train, and leave no process behind.

    Raises:
        Interrupted: by a signal.
        InputError: a loading process was killed, or memory ran out.
    """
    before = set(multiprocessing.active_children())
    last = folder / LAST
    try:
        with explaining_memory(trainer, last):
            trainer.fit(task, datamodule, ckpt_path=last if resume else None)
    finally:
        # They ignore SIGTERM, by which Python would end them, and wait for them.
        for process in set(multiprocessing.active_children()) - before:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            process.kill()
        launcher = trainer.strategy.launcher
        if interruption.number is not None and not interruption.waits and launcher:
            # The other processes wait for this one, which will not come.
            launcher.kill(signal.SIGKILL)


def make_trainer(
    options: TrainOptions,
    folder: Path,
    interruption: Interruption,
    writer: CheckpointWriter,
    length: Length,
    trackers: Sequence[Logger] = (),
) -> L.Trainer:
    """Set Lightning up to do what the contracts say.

    Raises:
        InputError: options of the trainer that contradict each other, or that this
            machine cannot fulfil.
    """
    around, asked = options.callbacks, options.trainer
    ranking = rank_scores(find_task(options).scores, around.best)
    launcher = find_launcher()
    devices, num_nodes = count_devices(asked, launcher)
    callbacks: list[Callback] = [
        BatchInHand(options),
        *([] if length.max_time is None else [TimeBudget(length)]),
        TrainingProgress(ranking[0]),
        Checkpoints(
            folder,
            interruption,
            writer,
            options.to_plain(),
            ranking,
            around.save_every,
            around.save_every_steps,
            around.keep_every,
        ),
    ]
    patience = around.early_stopping_patience
    if patience is not None:
        callbacks.append(EarlyStopping(ranking[0], patience=patience, mode="min"))
    profiler = None
    if around.profile_steps is not None:
        profile = StepProfile(folder, around.profile_steps)
        callbacks.append(profile)
        profiler = profile.profiler
    loggers: list[Logger] = []
    if options.logger.csv:
        # A resumed run gets the next version; nothing is written over.
        loggers.append(CSVLogger(folder, name="metrics"))
        callbacks.append(Curves(folder, around.draw_every))
    if options.logger.tensorboard:
        loggers.append(TensorBoardLogger(folder, name="tensorboard", version=""))
    loggers += trackers
    strategy = choose_strategy(asked, devices, describe_going_on(options, folder))
    try:
        return L.Trainer(
            accelerator=asked.accelerator,
            devices=devices,
            num_nodes=num_nodes,
            strategy=strategy,
            precision=asked.precision,
            max_epochs=asked.max_epochs,
            # True would refuse what torch has in one kind only; see ctc_losses.
            deterministic="warn" if asked.deterministic else None,
            log_every_n_steps=asked.log_every_n_steps,
            accumulate_grad_batches=asked.accumulate,
            callbacks=callbacks,
            logger=loggers,
            profiler=profiler,
            plugins=[writer, *([] if launcher is None else [launcher])],
            default_root_dir=folder,
            enable_progress_bar=False,  # Progress writes to standard error
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,  # the plan deals out whole steps
        )
    except (MisconfigurationException, ValueError, TypeError) as error:
        message = f"trainer: {error}"
        if asked.accelerator not in ("cpu", "auto"):
            message += (
                f" (trainer.accelerator is {asked.accelerator!r}, "
                f"trainer.devices {asked.devices!r}); to train on the "
                f"CPU: trainer=cpu, also beside resume=RUN_FOLDER"
            )
        raise InputError(message) from error
