"""What a run trains, and on what: from plain configuration to a task and its data."""

import logging
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from speechgru import __version__
from speechgru.checkpoint.build import build, find_class
from speechgru.checkpoint.description import MODEL_GROUPS
from speechgru.checkpoint.fine_tune import extend_tokenizer, initialise_from
from speechgru.checkpoint.load import load_checkpoint
from speechgru.checkpoint.models import (
    LANGUAGE_MODEL,
    build_language_model,
    build_model,
)
from speechgru.data.augment.chain import Chain
from speechgru.data.inventory import record_files, record_texts, record_utterances
from speechgru.data.texts import read_sentences
from speechgru.factory import (
    DECODER_ROOMS,
    TASK_ROOMS,
    build_augment,
    build_tokenizer,
    name_corpus,
)
from speechgru.interfaces import InputError, Tokenizer, Utterance
from speechgru.model.acoustic import AcousticModel
from speechgru.provenance import find_commit
from speechgru.training.datamodule import (
    PlannedDataModule,
    SpeechDataModule,
    TextDataModule,
)
from speechgru.training.language_model import LanguageModelTask
from speechgru.training.resuming import hold_to_inventory, known_records, to_builtin
from speechgru.training.task import TrainingTask
from speechgru.training.validation import check_data

log = logging.getLogger(__name__)

FOR_SPEECH = (
    *("augment", "decoder", "features", "normalize", "spec_augment", "subsampling"),
    *("data.augment", "data.batch_seconds", "data.check", "data.num_buckets"),
    *("data.num_workers", "data.on_error", "data.resample", "data.wordless"),
)
"""Groups and options that a language model does not obey."""

FOR_TEXTS = ("data.batch_tokens", "data.texts")
"""Options that an acoustic model does not obey."""


def refuse_idle(config: Mapping[str, Any], overrides: Sequence[str]) -> None:
    """Raise InputError for options on the command line that would do nothing."""
    texts = trains_on_texts(config)
    idle = FOR_SPEECH if texts else FOR_TEXTS
    for override in overrides:
        key = override.lstrip("+~").partition("=")[0]
        if any(key == name or key.startswith(f"{name}.") for name in idle):
            kind = "a language model" if texts else "an acoustic model"
            raise InputError(
                f"{override}: {kind} does not obey {key}; leave it out, or choose "
                f"task={'ctc' if texts else 'lm'}"
            )


@dataclass(frozen=True)
class Run:
    """What a run is, beside its configuration.

    Attributes:
        folder: of the run.
        recipe: name, for the checkpoint's metadata.
        last: description in the checkpoint to resume from, if it is resumed.
        accumulate: batches of one process per optimiser step.
        is_first: whether this is the first of its processes.
    """

    folder: Path
    recipe: str | None
    last: dict[str, Any] | None
    accumulate: int
    is_first: bool


def trains_on_texts(config: Mapping[str, Any]) -> bool:
    """Whether a run trains on texts alone."""
    cls = find_class(config["task"]["_target_"], "task", config["trust"], TASK_ROOMS)
    return issubclass(cls, LanguageModelTask)


def set_up_speech(
    config: dict[str, Any], splits: dict[str, list[Utterance]], run: Run
) -> tuple[TrainingTask, PlannedDataModule]:
    """Get ready to train an acoustic model.

    Args:
        config: of the run.
        splits: train and dev; what may be skipped is left out of them.
        run: the run.
    """
    if not config["data"]["augment"]:
        config["augment"], config["spec_augment"] = {}, {"_target_": None}
    model, tokenizer, model_config = make_model(config, splits["train"], run.last)
    log_model(model, tokenizer, run.recipe)
    # Before the data are read: options out of their range shall not wait for it.
    decoder = build(config["decoder"], "decoder", config["trust"], DECODER_ROOMS)
    task = make_task(
        config, run.recipe, model, tokenizer, model_config, decoder=decoder
    )
    splits |= check_data(
        config,
        splits,
        model,
        tokenizer,
        run.folder,
        run.last is not None,
        run.is_first,
    )
    augment = build_augment(config, model.sample_rate)
    if run.is_first:
        keep_inventory(run, splits, augment)
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
        augment=augment,
        num_views=task.num_views,
        wordless=data.get("wordless", 0.0),  # older run folders have none
        seed=config["seed"],
        accumulate=run.accumulate,
    )
    return task, datamodule


def set_up_texts(
    config: dict[str, Any], splits: dict[str, list[Utterance]], run: Run
) -> tuple[TrainingTask, PlannedDataModule]:
    """Get ready to train a language model; see `set_up_speech`."""
    if config["init_from"] is not None:
        raise InputError(
            "init_from is set, but a language model starts anew; leave it out"
        )
    trust = config["trust"]
    train, dev = (
        [(utterance.id, utterance.text) for utterance in splits[role]]
        for role in ("train", "dev")
    )
    train += read_sentences(config["data"]["texts"])
    if run.is_first:
        inventory = {"train": record_texts(train), "dev": record_texts(dev)}
        hold_to_inventory(run.folder, inventory, run.last is not None)
    if run.last is None:
        encoder = to_builtin(config["encoder"])
        model_config = {"language_model": LANGUAGE_MODEL, "encoder": encoder}
        texts = [text for _, text in train]
        tokenizer = build_tokenizer(config["text"], texts, trust)
    else:
        model_config = run.last["model"]
        tokenizer = build(run.last["tokenizer"], "tokenizer", trust)
    model = build_language_model(model_config, len(tokenizer.tokens), trust)
    log_model(model, tokenizer, run.recipe)
    datamodule = TextDataModule(
        train,
        dev,
        tokenizer,
        config["data"]["batch_tokens"],
        config["seed"],
        run.accumulate,
    )
    return make_task(config, run.recipe, model, tokenizer, model_config), datamodule


def keep_inventory(
    run: Run, splits: Mapping[str, Sequence[Utterance]], augment: Chain
) -> None:
    """Write down what the run hears, or hold it to what was written down.

    Raises:
        InputError: a run goes on, and its data is not what it was.
    """
    before = known_records(run.folder) if run.last is not None else {}
    inventory = {
        role: record_utterances(utterances, before.get(role))
        for role, utterances in splits.items()
    }
    for name, paths in augment.recordings().items():
        inventory[f"augment.{name}"] = record_files(paths)
    hold_to_inventory(run.folder, inventory, run.last is not None)


def log_model(model: nn.Module, tokenizer: Tokenizer, recipe: str | None) -> None:
    """Say what is trained."""
    log.info(
        "%d parameters, %d tokens, %s, speechgru %s",
        model.num_parameters,
        len(tokenizer.tokens),
        recipe or "no recipe",
        __version__,
    )


def make_task(
    config: Mapping[str, Any],
    recipe: str | None,
    model: nn.Module,
    tokenizer: Tokenizer,
    model_config: Mapping[str, Any],
    **parts: Any,
) -> TrainingTask:
    """Build what trains the model."""
    return build(
        config["task"],
        "task",
        config["trust"],
        TASK_ROOMS,
        model=model,
        tokenizer=tokenizer,
        model_config=model_config,
        metadata=describe_run(config, recipe),
        seed=config["seed"],
        **parts,
    )


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
        name: to_builtin(config[name]) if config[name]["_target_"] else None
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
        "corpus": name_corpus(config["corpus"]),
        "fold": config["data"]["fold"],
        "seed": config["seed"],
        "init_from": config["init_from"],
        "precision": str(config["trainer"]["precision"]),
        "speechgru": __version__,
        "commit": find_commit("speechgru", "conf"),
        "torch": str(torch.__version__),
        "python": platform.python_version(),
    }
