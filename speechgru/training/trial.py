"""Steps of a training of which nothing is kept: they are timed."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import lightning as L
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from speechgru.interfaces import InputError
from speechgru.options.training import TrainerOptions


def make_trial_trainer(
    asked: TrainerOptions, num_steps: int, callbacks: list[Callback]
) -> L.Trainer:
    """A trainer of one device that takes so many steps, and writes nothing.

    Raises:
        InputError: this machine cannot fulfil what is asked.
    """
    try:
        return L.Trainer(
            accelerator=asked.accelerator,
            devices=1,
            precision=asked.precision,
            deterministic="warn" if asked.deterministic else None,
            max_epochs=-1,
            max_steps=num_steps,
            callbacks=callbacks,
            limit_val_batches=0,
            num_sanity_val_steps=0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,  # the plan deals out whole steps
        )
    except (MisconfigurationException, ValueError, TypeError) as error:
        raise InputError(
            f"trainer: {error} (trainer.accelerator is {asked.accelerator!r})"
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Let Lightning say nothing of its own."""
    loggers = [logging.getLogger(f"lightning.{room}") for room in ("pytorch", "fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
