"""From a checkpoint, which may be a stranger's, to a model that hears."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import nn

from speechgru.checkpoint.budget import within_budget
from speechgru.checkpoint.build import build
from speechgru.checkpoint.description import (
    undescribed,
)
from speechgru.checkpoint.file_check import summarise
from speechgru.checkpoint.models import build_language_model, build_model
from speechgru.checkpoint.storage import (
    DESCRIPTION_KEY,
    is_language_model,
    model_weights,
    read_checkpoint,
)
from speechgru.checkpoint.weights import check_fit
from speechgru.interfaces import InputError, Tokenizer
from speechgru.model.acoustic import AcousticModel
from speechgru.model.language_model import RecurrentLanguageModel

Model = TypeVar("Model", AcousticModel, RecurrentLanguageModel)
Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True)
class LoadedCheckpoint(Generic[Model]):
    """A model ready to hear, or to score texts.

    Attributes:
        model: in eval mode, on the CPU.
        tokenizer: of the model's tokens.
        model_config: what `build_model` was given.
        metadata: corpus, recipe, seed, epoch, step, score, version.
    """

    model: Model
    tokenizer: Tokenizer
    model_config: dict[str, Any]
    metadata: dict[str, Any]


def load_checkpoint(
    path: str | Path, trust: Sequence[str] = ()
) -> LoadedCheckpoint[AcousticModel]:
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
) -> LoadedCheckpoint[RecurrentLanguageModel]:
    """Build the language model and tokenizer that a checkpoint describes.

    Args, Raises: see `load_checkpoint`.
    """
    return _load(path, build_language_model, trust)


BUILDING_ERRORS = (
    *(LookupError, TypeError, ValueError, AttributeError, RuntimeError),
    *(ArithmeticError, MemoryError),
)
"""What a constructor may raise that is given nonsense."""


def _load(
    path: str | Path, build_it: Callable[..., Model], trust: Sequence[str]
) -> LoadedCheckpoint[Model]:
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


def to_device(model: Module, device: str | torch.device) -> Module:
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
