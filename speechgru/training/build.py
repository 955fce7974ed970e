"""What a run trains, and on what: from plain configuration to a task and its data."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

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
from speechgru.data.utterances import texts_of
from speechgru.factory import (
    DECODER_ROOMS,
    TASK_ROOMS,
    build_augment,
    build_device_augment,
    build_tokenizer,
    build_word_map,
)
from speechgru.interfaces import InputError, Tokenizer, Utterance
from speechgru.model.acoustic import AcousticModel
from speechgru.options.component import Component
from speechgru.options.training import TrainOptions
from speechgru.training.datamodule import PlannedDataModule
from speechgru.training.language_model import LanguageModelTask
from speechgru.training.metadata import describe_run
from speechgru.training.resuming import hold_to_inventory, known_records
from speechgru.training.run_described import Run
from speechgru.training.speech_data import SpeechDataModule
from speechgru.training.task import TrainingTask
from speechgru.training.text_data import TextDataModule
from speechgru.training.totals import totals_before
from speechgru.training.validation import check_data, find_cache

log = logging.getLogger(__name__)

FOR_SPEECH = (
    *("augment", "decoder", "features", "normalize", "spec_augment", "subsampling"),
    *("data.augment", "data.batch_seconds", "data.cache_size", "data.check"),
    *("data.num_buckets", "data.num_workers", "data.on_error", "data.resample"),
    *("data.window", "data.wordless", "word_map"),
)
"""Groups and options that a language model does not obey."""

FOR_TEXTS = ("data.batch_tokens", "data.texts")
"""Options that an acoustic model does not obey."""


def refuse_idle(options: TrainOptions, named: Iterable[str]) -> None:
    """Refuse options that would do nothing.

    Args:
        options: of the run.
        named: full names of those that the user has set, e.g. "data.fold".

    Raises:
        InputError: the task does not obey one of them.
    """
    texts = trains_on_texts(options)
    idle = FOR_SPEECH if texts else FOR_TEXTS
    for key in named:
        if any(key == name or key.startswith(f"{name}.") for name in idle):
            kind = "a language model" if texts else "an acoustic model"
            raise InputError(
                f"{kind} does not obey {key}; leave it out, or choose "
                f"task={'ctc' if texts else 'lm'}"
            )


def find_task(options: TrainOptions) -> type[TrainingTask]:
    """The class of the task. Raises InputError: there is no such class."""
    return find_class(options.task.target, "task", options.trust, TASK_ROOMS)


def trains_on_texts(options: TrainOptions) -> bool:
    """Whether a run trains on texts alone."""
    return issubclass(find_task(options), LanguageModelTask)


def build_speech(
    options: TrainOptions, splits: dict[str, Sequence[Utterance]], run: Run
) -> tuple[TrainingTask, PlannedDataModule]:
    """Get ready to train an acoustic model.

    Args:
        options: of the run.
        splits: train and dev; what may be skipped is left out of them.
        run: the run.
    """
    data, trust = options.data, options.trust
    if not data.augment:
        options = without_augmentation(options)
    model, tokenizer, model_config = make_model(options, splits["train"], run.last)
    log_model(model, tokenizer, run.recipe)
    # Before the data are read: options out of their range shall not wait for it.
    decoder = build(options.decoder.to_plain(), "decoder", trust, DECODER_ROOMS)
    augment = build_augment(options.augment, trust, model.sample_rate, options.seed)
    on_device = build_device_augment(options.augment, trust, model.sample_rate)
    parts: dict[str, Any] = {"decoder": decoder, "augment": on_device}
    if (word_map := build_word_map(options.word_map, trust)) is not None:
        parts["word_map"] = word_map  # a task of the user's own need not know of it
    parts["before"] = None if run.last else totals_before(options.init_from)
    task = make_task(options, run.recipe, model, tokenizer, model_config, **parts)
    cache = find_cache(options.corpus)
    splits |= check_data(data, splits, model, tokenizer, augment, run, cache)
    if run.is_first:
        keep_inventory(run, splits, augment)
    datamodule = SpeechDataModule(
        splits["train"],
        splits["dev"],
        tokenizer,
        model.sample_rate,
        batch_seconds=data.batch_seconds,
        num_buckets=data.num_buckets,
        num_workers=data.num_workers,
        resample=data.resample,
        augment=augment,
        num_views=task.num_views,
        wordless=data.wordless,
        window=data.window,
        cache_size=data.cache_size,
        output_lengths=model.output_lengths,
        **plan_options(options, run),
    )
    return task, datamodule


def without_augmentation(options: TrainOptions) -> TrainOptions:
    """The same run, on what its utterances really sound like."""
    features = options.features
    if "vocal_tract" in features.options:
        features = features.replace(vocal_tract=0.0)
    return replace(options, augment={}, spec_augment=Component(None), features=features)


def build_texts(
    options: TrainOptions, splits: dict[str, Sequence[Utterance]], run: Run
) -> tuple[TrainingTask, PlannedDataModule]:
    """Get ready to train a language model; see `build_speech`."""
    if options.init_from is not None:
        raise InputError(
            "init_from is set, but a language model starts anew; leave it out"
        )
    trust = options.trust
    train, dev = (
        [(utterance.id, utterance.text) for utterance in splits[role]]
        for role in ("train", "dev")
    )
    train += read_sentences(options.data.texts)
    if run.is_first:
        inventory = {"train": record_texts(train), "dev": record_texts(dev)}
        hold_to_inventory(run.folder, inventory, run.last is not None)
    if run.last is None:
        encoder = options.encoder.to_plain()
        model_config = {"language_model": LANGUAGE_MODEL, "encoder": encoder}
        tokenizer = build_tokenizer(options.text, [text for _, text in train], trust)
    else:
        model_config = run.last["model"]
        tokenizer = build(run.last["tokenizer"], "tokenizer", trust)
    model = build_language_model(model_config, len(tokenizer.tokens), trust)
    log_model(model, tokenizer, run.recipe)
    datamodule = TextDataModule(
        train,
        dev,
        tokenizer,
        options.data.batch_tokens,
        **plan_options(options, run),
    )
    return make_task(options, run.recipe, model, tokenizer, model_config), datamodule


def plan_options(options: TrainOptions, run: Run) -> dict[str, Any]:
    """How the steps of a run are planned."""
    return {
        "seed": options.seed,
        "accumulate": options.trainer.accumulate,
        "steps_per_epoch": options.data.steps_per_epoch,
        "max_steps": options.trainer.max_steps,
        "length": run.length,
        "per_process": options.data.per_process,
    }


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
    options: TrainOptions,
    recipe: str | None,
    model: nn.Module,
    tokenizer: Tokenizer,
    model_config: Mapping[str, Any],
    before: Mapping[str, float] | None = None,
    **parts: Any,
) -> TrainingTask:
    """Build what trains the model.

    Args:
        options: of the run.
        recipe: name, for the checkpoint's metadata.
        model: what is trained.
        tokenizer: of its targets.
        model_config: describes the model in checkpoints.
        before: totals of the checkpoint that it begins with, if that has any.
        parts: further arguments of the task.
    """
    return build(
        options.task.to_plain(),
        "task",
        options.trust,
        TASK_ROOMS,
        model=model,
        tokenizer=tokenizer,
        model_config=model_config,
        metadata=describe_run(options, recipe, before),
        seed=options.seed,
        **parts,
    )


def make_model(
    options: TrainOptions, train: Sequence[Utterance], last: dict[str, Any] | None
) -> tuple[AcousticModel, Tokenizer, dict[str, Any]]:
    """Build the model anew, from the run's last checkpoint, or from another.

    Args:
        options: of the run.
        train: utterances whose transcripts give the tokens.
        last: description in the checkpoint to resume from.
    """
    trust = options.trust
    parts = {name: getattr(options, name) for name in MODEL_GROUPS}
    model_config = {
        name: None if part.target is None else part.to_plain()
        for name, part in parts.items()
    }
    texts = texts_of(train)
    start = None
    if last is not None:
        model_config = last["model"]
        tokenizer = build(last["tokenizer"], "tokenizer", trust)
    elif options.init_from is not None:
        start = load_checkpoint(options.init_from, trust)
        tokenizer = extend_tokenizer(start.tokenizer, texts)
    else:
        tokenizer = build_tokenizer(options.text, texts, trust)
    model = build_model(model_config, len(tokenizer.tokens), trust)
    if start is not None:
        for line in initialise_from(model, tokenizer, start):
            log.info("init_from: %s", line)
    return model, tokenizer, model_config
