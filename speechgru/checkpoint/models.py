"""From plain configuration to a model."""

from collections.abc import Mapping, Sequence
from typing import Any

from speechgru.checkpoint.build import build
from speechgru.checkpoint.description import (
    MODEL_GROUPS,
)
from speechgru.interfaces import InputError
from speechgru.model.acoustic import AcousticModel
from speechgru.model.language_model import RecurrentLanguageModel


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
    sizes = {"input_size": subsampling.output_size}
    if config["encoder"].get("self_conditioned"):
        sizes["num_tokens"] = num_tokens
    return AcousticModel(
        features=features,
        normalize=build(config["normalize"], "normalize", trust, input_size=size),
        spec_augment=None if masks is None else build(masks, "spec_augment", trust),
        subsampling=subsampling,
        encoder=build(config["encoder"], "encoder", trust, **sizes),
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
