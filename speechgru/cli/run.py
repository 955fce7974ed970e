"""One training run, from its plain configuration to its last checkpoint."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning as L
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.callbacks import Callback, EarlyStopping
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from speechgru.cli.config import set_up_cpu
from speechgru.cli.examination import read_splits
from speechgru.cli.logs import logging_to
from speechgru.cli.set_up import Run, set_up_speech, set_up_texts, trains_on_texts
from speechgru.cli.stored import read_last
from speechgru.interfaces import InputError
from speechgru.task.callbacks import (
    BEST,
    LAST,
    Checkpoints,
    Curves,
    Interrupted,
    SafeCheckpointIO,
)
from speechgru.task.progress import TrainingProgress
from speechgru.task.training import TrainingTask

log = logging.getLogger(__name__)


def run_training(
    config: dict[str, Any], folder: Path, recipe: str | None, resume: bool = False
) -> int:
    """Train, or go on training.

    Args:
        config: as `conf/train.yaml` composes it; plain values.
        folder: of the run.
        recipe: name, for the checkpoint's metadata.
        resume: go on from the folder's last checkpoint.

    Returns:
        Exit status: 0, or 128 + the signal that ended the run.
    """
    first = rank_zero_only.rank == 0
    with logging_to(folder, first):
        return _run(config, folder, recipe, resume, first)


def _run(
    config: dict[str, Any], folder: Path, recipe: str | None, resume: bool, first: bool
) -> int:
    num_threads = config["trainer"].pop("num_threads")
    set_up_cpu(num_threads)
    os.environ["OMP_NUM_THREADS"] = str(num_threads)  # Lightning would guess
    L.seed_everything(config["seed"], verbose=False)

    splits = read_splits(config)
    last = read_last(folder / LAST, config["trust"]) if resume else None
    accumulate = config["trainer"].pop("accumulate")
    set_up = set_up_texts if trains_on_texts(config) else set_up_speech
    task, datamodule = set_up(
        config, splits, Run(folder, recipe, last, accumulate, first)
    )
    if not splits["dev"]:
        if config["callbacks"]["early_stopping_patience"] is not None:
            raise InputError(
                "callbacks.early_stopping_patience is set, but nothing is held out to "
                "validate on; set it to null, or hold out speakers by data.fold"
            )
        config["trainer"]["limit_val_batches"] = 0
    try:
        trainer = make_trainer(config, task, folder, accumulate)
    except (MisconfigurationException, ValueError, TypeError) as error:
        raise InputError(f"trainer: {error}") from error
    try:
        trainer.fit(task, datamodule, ckpt_path=folder / LAST if resume else None)
    except Interrupted as interruption:
        trust = f" 'trust=[{','.join(config['trust'])}]'" if config["trust"] else ""
        log.info("saved; go on with: speechgru train resume=%s%s", folder, trust)
        # Lightning kills the first process when another one ends with an error.
        return 128 + interruption.number if first else 0
    if first:
        report(task, trainer, folder)
    return 0


def make_trainer(
    config: Mapping[str, Any], task: TrainingTask, folder: Path, accumulate: int
) -> L.Trainer:
    """Set Lightning up to do what the contracts say."""
    callbacks: list[Callback] = [
        TrainingProgress(),
        Checkpoints(
            folder,
            config["callbacks"]["save_every"],
            config["callbacks"]["keep_every"],
        ),
    ]
    patience = config["callbacks"]["early_stopping_patience"]
    if patience is not None:
        callbacks.append(
            EarlyStopping(next(iter(task.scores)), patience=patience, mode="min")
        )
    loggers: list[Logger] = []
    if config["logger"]["csv"]:
        # A resumed run gets the next version; nothing is written over.
        loggers.append(CSVLogger(folder, name="metrics"))
        callbacks.append(Curves(folder, config["callbacks"]["draw_every"]))
    if config["logger"]["tensorboard"]:
        loggers.append(TensorBoardLogger(folder, name="tensorboard", version=""))
    return L.Trainer(
        **config["trainer"],
        accumulate_grad_batches=accumulate,
        callbacks=callbacks,
        logger=loggers,
        plugins=[SafeCheckpointIO()],
        default_root_dir=folder,
        enable_progress_bar=False,  # Progress writes to standard error
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,  # the plan deals out whole steps
    )


def report(task: TrainingTask, trainer: L.Trainer, folder: Path) -> None:
    """Say where the results are."""
    checkpoints = next(c for c in trainer.callbacks if isinstance(c, Checkpoints))
    if checkpoints.best is None:
        outcome = f"not validated; {trainer.current_epoch} epochs"
    else:
        outcome = (
            f"best dev {task.describe_best(checkpoints.best)}, in epoch "
            f"{checkpoints.best_epoch} of {trainer.current_epoch}"
        )
    print(
        f"{outcome}; {task.cpu_seconds / 60:.1f} CPU-minutes\n"
        f"checkpoint: {folder / BEST}\nrun folder: {folder}"
    )
