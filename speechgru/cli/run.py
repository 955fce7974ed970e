"""One training run, from its plain configuration to its last checkpoint."""

import contextlib
import json
import logging
import os
import platform
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.callbacks import Callback, EarlyStopping
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException

import speechgru
from speechgru.cli.config import (
    AUGMENT_ROOMS,
    DECODER_ROOMS,
    TASK_ROOMS,
    build_corpus,
    build_optional,
)
from speechgru.cli.doctor import build_tokenizer, on_integers
from speechgru.data.datamodule import SpeechDataModule
from speechgru.data.doctor import examine
from speechgru.interfaces import InputError, Tokenizer, Utterance
from speechgru.model.acoustic import AcousticModel
from speechgru.model.build import build
from speechgru.model.checkpoint import (
    DESCRIPTION_KEY,
    build_model,
    load_checkpoint,
    read_checkpoint,
)
from speechgru.model.fine_tune import extend_tokenizer, initialise_from
from speechgru.task.callbacks import (
    BEST,
    LAST,
    Checkpoints,
    Interrupted,
    Progress,
    SafeCheckpointIO,
)

log = logging.getLogger(__name__)

MODEL_GROUPS = ("features", "normalize", "spec_augment", "subsampling", "encoder")
SKIPPED_FILE = "skipped.jsonl"

EXPECTED_WARNINGS = (
    # The plan skips what is done; see SpeechDataModule.train_dataloader.
    ".*your dataloader is not resumable.*",
    # Loading a few utterances costs less than handing them over.
    ".*does not have many workers.*",
    # Of no use to our users, and not ours to mend.
    ".*LeafSpec.*",
    ".*smaller than the logging interval.*",
)


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
    torch.set_num_threads(num_threads)
    os.environ["OMP_NUM_THREADS"] = str(num_threads)  # Lightning would guess
    L.seed_everything(config["seed"], verbose=False)

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
    datamodule = SpeechDataModule(
        splits["train"],
        splits["dev"],
        tokenizer,
        model.sample_rate,
        batch_seconds=data["batch_seconds"],
        num_buckets=data["num_buckets"],
        num_workers=data["num_workers"],
        resample=data["resample"],
        augment=build_optional(config, "augment", AUGMENT_ROOMS, config["trust"]),
        seed=config["seed"],
        accumulate=accumulate,
    )
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
    try:
        trainer = make_trainer(config, folder, accumulate)
    except (MisconfigurationException, ValueError, TypeError) as error:
        raise InputError(f"trainer: {error}") from error
    try:
        trainer.fit(task, datamodule, ckpt_path=folder / LAST if resume else None)
    except Interrupted as interruption:
        log.info("saved; go on with: speechgru train resume=%s", folder)
        return 128 + interruption.number
    if first:
        report(task, trainer, folder)
    return 0


def read_splits(config: Mapping[str, Any]) -> dict[str, list[Utterance]]:
    """Read the training and development utterances, as many as are wanted."""
    corpus, data = build_corpus(config), config["data"]
    splits = {}
    for role in ("train", "dev"):
        utterances = corpus.read(data[f"{role}_split"])
        most = data[f"max_{role}"]
        if most is not None and most < len(utterances):
            log.info("data.max_%s: %d of %d utterances", role, most, len(utterances))
            utterances = utterances[:most]
        splits[role] = utterances
    return splits


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
        name: group if group["_target_"] else None
        for name, group in ((name, config[name]) for name in MODEL_GROUPS)
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


def check_data(
    config: Mapping[str, Any],
    splits: dict[str, list[Utterance]],
    model: AcousticModel,
    tokenizer: Tokenizer,
    folder: Path,
    resume: bool,
    first: bool,
) -> dict[str, list[Utterance]]:
    """Let the doctor see the data, and leave out what may be skipped.

    What was skipped is kept in the run folder, and a resumed run skips the
    same.
    """
    data = config["data"]
    if data["on_error"] not in ("raise", "skip"):
        raise InputError(
            f"data.on_error is {data['on_error']!r}, expected raise or skip"
        )
    skipped_file = folder / SKIPPED_FILE
    if resume:
        return _leave_out(splits, skipped_file)
    skip = data["on_error"] == "skip"
    if not data["check"]:
        if skip:
            raise InputError(
                "data.on_error=skip needs data.check=true: what is not examined "
                "cannot be listed"
            )
        return splits
    if not first and not skip:
        return splits  # the first process has seen them before it started this one
    if data["dev_split"] == data["train_split"]:
        examined = {"train": splits["train"]}  # debug=overfit means to share
    else:
        examined = splits
    augment = build_optional(config, "augment", AUGMENT_ROOMS, config["trust"])
    diagnosis = examine(
        examined,
        tokenizer,
        model.sample_rate,
        data["resample"],
        on_integers(model.output_lengths),
        augment and augment.shortest,
    )
    if diagnosis.problems and not skip:
        raise InputError(
            f"{diagnosis.report()}\nmend the data, or leave such utterances out by "
            "data.on_error=skip"
        )
    if first:
        log.info("%s", diagnosis.report())
        if diagnosis.problems:
            log.warning("%d problems; see %s", len(diagnosis.problems), skipped_file)
            lines = [
                json.dumps(asdict(problem), ensure_ascii=False)
                for problem in diagnosis.problems
            ]
            skipped_file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {
        split: diagnosis.healthy(split if split in examined else "train")
        for split in splits
    }


def _leave_out(
    splits: dict[str, list[Utterance]], skipped_file: Path
) -> dict[str, list[Utterance]]:
    if not skipped_file.exists():
        return splits
    lines = skipped_file.read_text(encoding="utf-8").splitlines()
    problems = [json.loads(line) for line in lines]
    skipped = {(problem["split"], problem["id"]) for problem in problems}
    return {
        split: [u for u in utterances if (split, u.id) not in skipped]
        for split, utterances in splits.items()
    }


def describe_run(config: Mapping[str, Any], recipe: str | None) -> dict[str, Any]:
    """What a checkpoint says of the run that made it."""
    return {
        "recipe": recipe,
        "corpus": config["corpus"].get("name", config["corpus"]["_target_"]),
        "seed": config["seed"],
        "init_from": config["init_from"],
        "precision": str(config["trainer"]["precision"]),
        "speechgru": speechgru.__version__,
        "commit": _commit(),
        "torch": str(torch.__version__),
        "python": platform.python_version(),
    }


def _commit() -> str | None:
    """The checkout's commit, marked if files differ from it; None in a wheel."""
    root = Path(speechgru.__file__).parents[1]
    if not (root / ".git").exists():
        return None
    try:
        return subprocess.run(
            ["git", "-C", root, "describe", "--always", "--dirty", "--abbrev=10"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def make_trainer(config: Mapping[str, Any], folder: Path, accumulate: int) -> L.Trainer:
    """Set Lightning up to do what the contracts say."""
    callbacks: list[Callback] = [
        Progress(),
        Checkpoints(folder, config["callbacks"]["save_every"]),
    ]
    patience = config["callbacks"]["early_stopping_patience"]
    if patience is not None:
        callbacks.append(EarlyStopping("val/wer", patience=patience, mode="min"))
    loggers: list[Logger] = []
    if config["logger"]["csv"]:
        # A resumed run gets the next version; nothing is written over.
        loggers.append(CSVLogger(folder, name="metrics"))
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
    wer, cer = checkpoints.best
    print(
        f"best dev WER {100 * wer:.2f} %, CER {100 * cer:.2f} % after "
        f"{trainer.current_epoch} epochs and {task.cpu_seconds / 60:.1f} CPU-minutes\n"
        f"checkpoint: {folder / BEST}\nrun folder: {folder}"
    )


@contextlib.contextmanager
def logging_to(folder: Path, first: bool) -> Iterator[None]:
    """Log to standard error and to the run folder; other processes warn only."""
    root = logging.getLogger()
    screen = logging.StreamHandler(sys.stderr)
    screen.setFormatter(logging.Formatter("%(message)s"))
    handlers: list[logging.Handler] = [screen]
    if first:
        file = logging.FileHandler(folder / "train.log", encoding="utf-8")
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        handlers.append(file)
    before = root.level
    root.setLevel(logging.INFO if first else logging.WARNING)
    for handler in handlers:
        root.addHandler(handler)
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    try:
        with warnings.catch_warnings():
            for message in EXPECTED_WARNINGS:
                warnings.filterwarnings("ignore", message)
            yield
    finally:
        logging.captureWarnings(False)
        root.setLevel(before)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
