"""One training run, from its plain configuration to its last checkpoint."""

import logging
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.callbacks import Callback, EarlyStopping
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException

import speechgru
from speechgru.cli.commit import find_commit
from speechgru.cli.config import (
    DECODER_ROOMS,
    TASK_ROOMS,
    build_augment,
    set_num_threads,
)
from speechgru.cli.examination import build_tokenizer, check_data, read_splits
from speechgru.cli.logs import logging_to
from speechgru.data.datamodule import SpeechDataModule
from speechgru.interfaces import InputError, Tokenizer, Utterance
from speechgru.model.acoustic import AcousticModel
from speechgru.model.build import build
from speechgru.model.checkpoint import (
    DESCRIPTION_KEY,
    MODEL_GROUPS,
    build_model,
    load_checkpoint,
    read_checkpoint,
)
from speechgru.model.fine_tune import extend_tokenizer, initialise_from
from speechgru.task.callbacks import (
    BEST,
    LAST,
    Checkpoints,
    Curves,
    Interrupted,
    Progress,
    SafeCheckpointIO,
)

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
    set_num_threads(num_threads)
    os.environ["OMP_NUM_THREADS"] = str(num_threads)  # Lightning would guess
    L.seed_everything(config["seed"], verbose=False)

    if not config["data"]["augment"]:
        config["augment"], config["spec_augment"] = {}, {"_target_": None}
    splits = read_splits(config)
    last = read_checkpoint(folder / LAST)[DESCRIPTION_KEY] if resume else None
    model, tokenizer, model_config = make_model(config, splits["train"], last)
    log.info(
        "%d parameters, %d tokens, %s, speechgru %s",
        model.num_parameters,
        len(tokenizer.tokens),
        recipe or "no recipe",
        speechgru.__version__,
    )
    splits = check_data(config, splits, model, tokenizer, folder, resume, first)
    accumulate = config["trainer"].pop("accumulate")
    data = config["data"]
    task = build(
        config["task"],
        "task",
        config["trust"],
        TASK_ROOMS,
        model=model,
        tokenizer=tokenizer,
        decoder=build(config["decoder"], "decoder", config["trust"], DECODER_ROOMS),
        model_config=model_config,
        metadata=describe_run(config, recipe),
        seed=config["seed"],
    )
    datamodule = SpeechDataModule(
        splits["train"],
        splits["dev"],
        tokenizer,
        model.sample_rate,
        batch_seconds=data["batch_seconds"],
        num_buckets=data["num_buckets"],
        num_workers=data["num_workers"],
        resample=data["resample"],
        augment=build_augment(config, model.sample_rate),
        num_views=task.num_views,
        seed=config["seed"],
        accumulate=accumulate,
    )
    if not splits["dev"]:
        if config["callbacks"]["early_stopping_patience"] is not None:
            raise InputError(
                "callbacks.early_stopping_patience is set, but nothing is held out to "
                "validate on; set it to null, or hold out speakers by data.fold"
            )
        config["trainer"]["limit_val_batches"] = 0
    try:
        trainer = make_trainer(config, folder, accumulate)
    except (MisconfigurationException, ValueError, TypeError) as error:
        raise InputError(f"trainer: {error}") from error
    try:
        trainer.fit(task, datamodule, ckpt_path=folder / LAST if resume else None)
    except Interrupted as interruption:
        log.info("saved; go on with: speechgru train resume=%s", folder)
        # Lightning kills the first process when another one ends with an error.
        return 128 + interruption.number if first else 0
    if first:
        report(task, trainer, folder)
    return 0


def make_model(
    config: Mapping[str, Any], train: Sequence[Utterance], last: dict[str, Any] | None
) -> tuple[AcousticModel, Tokenizer, dict[str, Any]]:
    """Build the model anew, from the run's last checkpoint, or from another.

    Args:
        config: of the run.
        train: utterances whose transcripts give the tokens.
        last: description in the checkpoint to resume from.
    """
    trust = config["trust"]
    model_config = {
        name: config[name] if config[name]["_target_"] else None
        for name in MODEL_GROUPS
    }
    texts = [utterance.text for utterance in train]
    start = None
    if last is not None:
        model_config = last["model"]
        tokenizer = build(last["tokenizer"], "tokenizer", trust)
    elif config["init_from"] is not None:
        start = load_checkpoint(config["init_from"], trust)
        tokenizer = extend_tokenizer(start.tokenizer, texts, trust)
    else:
        tokenizer = build_tokenizer(config["text"], texts, trust)
    model = build_model(model_config, len(tokenizer.tokens), trust)
    if start is not None:
        for line in initialise_from(model, tokenizer, start):
            log.info("init_from: %s", line)
    return model, tokenizer, model_config


def describe_run(config: Mapping[str, Any], recipe: str | None) -> dict[str, Any]:
    """What a checkpoint says of the run that made it."""
    return {
        "recipe": recipe,
        "corpus": config["corpus"].get("name", config["corpus"]["_target_"]),
        "seed": config["seed"],
        "init_from": config["init_from"],
        "precision": str(config["trainer"]["precision"]),
        "speechgru": speechgru.__version__,
        "commit": find_commit("speechgru", "conf"),
        "torch": str(torch.__version__),
        "python": platform.python_version(),
    }


def make_trainer(config: Mapping[str, Any], folder: Path, accumulate: int) -> L.Trainer:
    """Set Lightning up to do what the contracts say."""
    callbacks: list[Callback] = [
        Progress(),
        Checkpoints(
            folder,
            config["callbacks"]["save_every"],
            config["callbacks"]["keep_every"],
        ),
    ]
    patience = config["callbacks"]["early_stopping_patience"]
    if patience is not None:
        callbacks.append(EarlyStopping("val/wer", patience=patience, mode="min"))
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


def report(task: L.LightningModule, trainer: L.Trainer, folder: Path) -> None:
    """Say where the results are."""
    checkpoints = next(c for c in trainer.callbacks if isinstance(c, Checkpoints))
    if checkpoints.best is None:
        outcome = f"not validated; {trainer.current_epoch} epochs"
    else:
        wer, cer, _ = checkpoints.best
        if wer >= 1:
            log.warning("no word was recognised; train longer, or try debug=overfit")
        outcome = (
            f"best dev WER {100 * wer:.2f} %, CER {100 * cer:.2f} %, in epoch "
            f"{checkpoints.best_epoch} of {trainer.current_epoch}"
        )
    print(
        f"{outcome}; {task.cpu_seconds / 60:.1f} CPU-minutes\n"
        f"checkpoint: {folder / BEST}\nrun folder: {folder}"
    )
