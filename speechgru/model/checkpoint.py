"""Checkpoints that describe themselves and can be loaded from a stranger.

A file holds, under the keys of `Description`, all that is needed to build the
model and its tokenizer, and under "state_dict" the weights. A training
checkpoint (`last.ckpt`) holds Lightning's state besides; a slim one
(`best.ckpt`) does not. Both are read with `weights_only=True`, after a look at
what the file consists of (`checkpoint_file.py`); what it says of itself is held
against its weights before anything is built.
"""

import contextlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from speechgru.files import replace_file
from speechgru.interfaces import InputError, Tokenizer
from speechgru.model.acoustic import AcousticModel
from speechgru.model.budget import within_budget
from speechgru.model.build import build
from speechgru.model.checkpoint_file import check_file, summarise, why_unreadable
from speechgru.model.description import (
    MODEL_GROUPS,
    check_description,
    check_values,
    undescribed,
)
from speechgru.model.digest import DIGEST, check_digest, digest_checkpoint
from speechgru.model.language_model import RecurrentLanguageModel
from speechgru.model.weights import are_weights, check_fit, check_weights

SCHEMA_VERSION = 1
"""Raised when a file of this version could not be read by older code."""

DESCRIPTION_KEY = "speechgru"
MODEL_PREFIX = "model."
"""Of the weights' names: the model is the attribute `model` of its task."""


@dataclass(frozen=True)
class LoadedCheckpoint:
    """A model ready to hear, or to score texts.

    Attributes:
        model: in eval mode, on the CPU.
        tokenizer: of the model's tokens.
        model_config: what `build_model` was given.
        metadata: corpus, recipe, seed, epoch, step, score, version.
    """

    model: AcousticModel | RecurrentLanguageModel
    tokenizer: Tokenizer
    model_config: dict[str, Any]
    metadata: dict[str, Any]


def build_model(
    config: Mapping[str, Any], num_tokens: int, trust: Sequence[str] = ()
) -> AcousticModel:
    """Build the acoustic model from plain configuration.

    Args:
        config: features, normalize, spec_augment (may be None), subsampling
            and encoder, each as `build` takes it.
        num_tokens: size of the head, the blank included.
        trust: as in `build`.
    """
    for group in config:
        if group not in MODEL_GROUPS:
            raise InputError(
                f"the model has an unknown part {group!r}, expected: "
                f"{', '.join(MODEL_GROUPS)}; install the version of speechgru that "
                "wrote it"
            )
    features = build(config["features"], "features", trust)
    size = features.output_size
    masks = config["spec_augment"]
    subsampling = build(config["subsampling"], "subsampling", trust, input_size=size)
    return AcousticModel(
        features=features,
        normalize=build(config["normalize"], "normalize", trust, input_size=size),
        spec_augment=None if masks is None else build(masks, "spec_augment", trust),
        subsampling=subsampling,
        encoder=build(
            config["encoder"], "encoder", trust, input_size=subsampling.output_size
        ),
        num_tokens=num_tokens,
    )


LANGUAGE_MODEL = {
    "_target_": "speechgru.model.language_model.RecurrentLanguageModel",
    "_partial_": True,
}
"""Stands in the configuration of a language model, beside its encoder."""


def build_language_model(
    config: Mapping[str, Any], num_tokens: int, trust: Sequence[str] = ()
) -> RecurrentLanguageModel:
    """Build a language model from plain configuration.

    Args:
        config: language_model and encoder, each as `build` takes it.
        num_tokens: size of the head, the blank included.
        trust: as in `build`.
    """
    encoder = build(
        config["encoder"],
        "encoder",
        trust,
        input_size=config["encoder"]["hidden_size"],
    )
    return build(
        config["language_model"],
        "language_model",
        trust,
        encoder=encoder,
        num_tokens=num_tokens,
    )


def describe(
    model_config: Mapping[str, Any],
    tokenizer_config: Mapping[str, Any],
    metadata: Mapping[str, Any],
) -> dict[str, Any]:
    """What a checkpoint says of itself, beside the weights."""
    return {
        DESCRIPTION_KEY: {
            "schema": SCHEMA_VERSION,
            "model": dict(model_config),
            "tokenizer": dict(tokenizer_config),
            "metadata": dict(metadata),
        }
    }


def write_checkpoint(checkpoint: Mapping[str, Any], path: str | Path) -> None:
    """Write a file so that, whatever happens, `path` is whole: old or new.

    A digest of weights and description is put into the description.

    Raises:
        InputError: the file cannot be written; the older one stays.
    """
    checkpoint = dict(checkpoint)
    described, weights = checkpoint.get(DESCRIPTION_KEY), checkpoint.get("state_dict")
    if isinstance(described, dict) and are_weights(weights):
        digest = digest_checkpoint(weights, described)
        checkpoint[DESCRIPTION_KEY] = {**described, DIGEST: digest}
    # Serialised beforehand, so that a full disk is an OSError that says so.
    content = io.BytesIO()
    torch.save(checkpoint, content)
    replace_file(path, content.getbuffer())


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a file of tensors and plain values; nothing in it can run.

    Raises:
        InputError: missing, truncated, damaged, not a checkpoint of this framework,
            of a newer schema, holding a pickle that could run code or fill the
            memory, or describing no model.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint file; check the path")
    try:
        check_file(path)
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        check_values(checkpoint)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:  # of a damaged file, nearly any
        raise InputError(f"{path}: {why_unreadable(error)}") from error
    described = (
        checkpoint.get(DESCRIPTION_KEY) if isinstance(checkpoint, dict) else None
    )
    if not isinstance(described, dict) or "state_dict" not in checkpoint:
        raise InputError(
            f"{path}: is not a speechgru checkpoint; expected one that "
            "`speechgru train` wrote"
        )
    schema = described.get("schema")
    if type(schema) is not int or schema != SCHEMA_VERSION:
        raise InputError(
            f"{path}: checkpoint schema is {schema!r}, expected {SCHEMA_VERSION}; "
            "install the version of speechgru that wrote it"
        )
    try:
        check_description(described)
        check_weights(checkpoint["state_dict"], path.stat().st_size)
        check_digest(checkpoint["state_dict"], described)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return checkpoint


def load_checkpoint(path: str | Path, trust: Sequence[str] = ()) -> LoadedCheckpoint:
    """Build the model and tokenizer that a checkpoint describes.

    Args:
        path: a file that `speechgru train` wrote.
        trust: modules of the user's own that the checkpoint may name.

    Raises:
        InputError: see `read_checkpoint` and `build`; or the weights do not
            fit the model.
    """
    return _load(path, build_model, trust)


def load_language_model(
    path: str | Path, trust: Sequence[str] = ()
) -> LoadedCheckpoint:
    """Build the language model and tokenizer that a checkpoint describes.

    Args, Raises: see `load_checkpoint`.
    """
    return _load(path, build_language_model, trust)


def is_language_model(description: Mapping[str, Any]) -> bool:
    """Whether a checkpoint describes a language model, or else an acoustic one."""
    model = description.get("model")
    return isinstance(model, dict) and "language_model" in model


BUILDING_ERRORS = (
    *(LookupError, TypeError, ValueError, AttributeError, RuntimeError),
    *(ArithmeticError, MemoryError),
)
"""What a constructor may raise that is given nonsense."""


def _load(
    path: str | Path, build_it: Callable[..., Any], trust: Sequence[str]
) -> LoadedCheckpoint:
    checkpoint = read_checkpoint(path)
    description, weights = checkpoint[DESCRIPTION_KEY], model_weights(checkpoint)
    # Modules of the user's own may build what they like.
    guard = contextlib.nullcontext() if trust else within_budget(weights)
    try:
        wanted = build_it is build_language_model
        if wanted != is_language_model(description):
            kinds = ("an acoustic model", "a language model")
            raise InputError(
                f"is {kinds[not wanted]}, expected {kinds[wanted]}; name another "
                "checkpoint"
            )
        with guard:
            tokenizer = build(description["tokenizer"], "tokenizer", trust)
            model = build_it(description["model"], len(tokenizer.tokens), trust)
        check_fit(model.state_dict(), weights)
        model.load_state_dict(weights)
        metadata = dict(description["metadata"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except BUILDING_ERRORS as error:
        raise InputError(f"{path}: {undescribed(summarise(error))}") from error
    return LoadedCheckpoint(model.eval(), tokenizer, description["model"], metadata)


def to_device(model: nn.Module, device: str | torch.device) -> nn.Module:
    """Move a model. Raises InputError: there is no such device."""
    try:
        return model.to(device)
    # Torch without CUDA raises AssertionError, with it RuntimeError.
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"device {str(device)!r} cannot be used ({reason}); "
            "choose another, e.g. cpu"
        ) from error


def model_weights(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The acoustic model's weights, by their names in the model."""
    return {
        name.removeprefix(MODEL_PREFIX): value
        for name, value in checkpoint["state_dict"].items()
        if name.startswith(MODEL_PREFIX)
    }
