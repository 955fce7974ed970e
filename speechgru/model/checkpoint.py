"""Checkpoints that describe themselves and can be loaded from a stranger.

A file holds, under the keys of `Description`, all that is needed to build the
model and its tokenizer, and under "state_dict" the weights. A training
checkpoint (`last.ckpt`) holds Lightning's state besides; a slim one
(`best.ckpt`) does not. Both are read with `weights_only=True`.
"""

import contextlib
import io
import os
import pickle
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from speechgru.interfaces import InputError, Tokenizer
from speechgru.model.acoustic import AcousticModel
from speechgru.model.build import build

SCHEMA_VERSION = 1
"""Raised when a file of this version could not be read by older code."""

DESCRIPTION_KEY = "speechgru"
MODEL_PREFIX = "model."
"""Of the weights' names: the model is the attribute `model` of its task."""


@dataclass(frozen=True)
class LoadedCheckpoint:
    """A model ready to hear.

    Attributes:
        model: in eval mode, on the CPU.
        tokenizer: of the model's tokens.
        model_config: what `build_model` was given.
        metadata: corpus, recipe, seed, epoch, step, score, version.
    """

    model: AcousticModel
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
    features = build(config["features"], "features", trust)
    size = features.output_size
    masks = config["spec_augment"]
    subsampling = build(config["subsampling"], "subsampling", trust, input_size=size)
    return AcousticModel(
        features=features,
        normalize=build(config["normalize"], "normalize", trust, input_size=size),
        spec_augment=masks and build(masks, "spec_augment", trust),
        subsampling=subsampling,
        encoder=build(
            config["encoder"], "encoder", trust, input_size=subsampling.output_size
        ),
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


def slim(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of a training checkpoint what transcription needs."""
    return {key: checkpoint[key] for key in (DESCRIPTION_KEY, "state_dict")}


def write_checkpoint(checkpoint: Mapping[str, Any], path: str | Path) -> None:
    """Write a file so that, whatever happens, `path` is whole: old or new.

    Raises:
        InputError: the file cannot be written; the older one stays.
    """
    path = Path(path)
    # Serialised beforehand, so that a full disk is an OSError that says so.
    content = io.BytesIO()
    torch.save(dict(checkpoint), content)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = file.name
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        kept = "; the checkpoint written before it is kept" if path.exists() else ""
        raise InputError(
            f"{path}: cannot be written ({error.strerror}){kept}; free some space, "
            "or check the folder's permissions"
        ) from error


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a file of tensors and plain values; nothing in it can run.

    Raises:
        InputError: missing, truncated, not a checkpoint of this framework, of
            a newer schema, or holding a pickle that could run code.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint file; check the path")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if zipfile.is_zipfile(path):
            raise InputError(
                f"{path}: holds more than tensors and plain values, expected "
                "nothing else; refused, since loading it could run code "
                f"({_first_line(error)})"
            ) from error
        raise InputError(_unreadable(path, error)) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise InputError(_unreadable(path, error)) from error
    described = checkpoint.get(DESCRIPTION_KEY) if isinstance(checkpoint, dict) else None
    if not isinstance(described, dict) or "state_dict" not in checkpoint:
        raise InputError(
            f"{path}: is not a speechgru checkpoint; expected one that "
            "`speechgru train` wrote"
        )
    schema = described.get("schema")
    if schema != SCHEMA_VERSION:
        raise InputError(
            f"{path}: checkpoint schema is {schema!r}, expected {SCHEMA_VERSION}; "
            "install the version of speechgru that wrote it"
        )
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
    checkpoint = read_checkpoint(path)
    description = checkpoint[DESCRIPTION_KEY]
    try:
        tokenizer = build(description["tokenizer"], "tokenizer", trust)
        model = build_model(description["model"], len(tokenizer.tokens), trust)
        model.load_state_dict(model_weights(checkpoint))
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise InputError(
            f"{path}: does not describe its model ({_first_line(error)}); it was "
            "altered, or written by an incompatible version"
        ) from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return LoadedCheckpoint(
        model.eval(), tokenizer, description["model"], description["metadata"]
    )


def model_weights(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The acoustic model's weights, by their names in the model."""
    return {
        name.removeprefix(MODEL_PREFIX): value
        for name, value in checkpoint["state_dict"].items()
        if name.startswith(MODEL_PREFIX)
    }


def _unreadable(path: Path, error: Exception) -> str:
    return (
        f"{path}: cannot be read as a checkpoint ({_first_line(error)}); it is "
        "truncated or another kind of file: copy it again"
    )


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
