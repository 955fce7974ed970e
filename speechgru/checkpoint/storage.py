"""Reading and writing checkpoints that describe themselves.

A file holds, under DESCRIPTION_KEY, all that is needed to build the model and its
tokenizer, and under "state_dict" the weights. A training checkpoint (`last.ckpt`)
holds Lightning's state besides; a slim one (`best.ckpt`) does not. Both are read
with `weights_only=True`, after a look at what the file consists of
(`file_check.py`); what it says of itself is held against its weights before
anything is built.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from speechgru.checkpoint.chosen import find_checkpoint
from speechgru.checkpoint.description import (
    check_description,
    check_values,
)
from speechgru.checkpoint.digest import DIGEST, check_digest, digest_checkpoint
from speechgru.checkpoint.file_check import check_file, why_unreadable
from speechgru.checkpoint.weights import are_weights, check_weights
from speechgru.files import replace_file
from speechgru.interfaces import InputError

SCHEMA_VERSION = 1
"""Raised when a file of this version could not be read by older code."""

DESCRIPTION_KEY = "speechgru"

MODEL_PREFIX = "model."
"""Of the weights' names: the model is the attribute `model` of its task."""


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
    if isinstance(described, dict) and weights and are_weights(weights):
        digest = digest_checkpoint(weights, described)
        checkpoint[DESCRIPTION_KEY] = {**described, DIGEST: digest}
    # Serialised beforehand, so that a full disk is an OSError that says so.
    content = io.BytesIO()
    torch.save(checkpoint, content)
    replace_file(path, content.getbuffer())


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a file of tensors and plain values; nothing in it can run.

    Args:
        path: of the file, or of a run folder: see `find_checkpoint`.

    Raises:
        InputError: missing, truncated, damaged, not a checkpoint of this framework,
            of a newer schema, holding a pickle that could run code or fill the
            memory, or describing no model.
    """
    path = find_checkpoint(path)
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


def is_language_model(description: Mapping[str, Any]) -> bool:
    """Whether a checkpoint describes a language model, or else an acoustic one."""
    model = description.get("model")
    return isinstance(model, dict) and "language_model" in model


def model_weights(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The acoustic model's weights, by their names in the model."""
    return {
        name.removeprefix(MODEL_PREFIX): value
        for name, value in checkpoint["state_dict"].items()
        if name.startswith(MODEL_PREFIX)
    }
