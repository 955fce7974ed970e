"""Saying whose tuned weights a command takes."""

import logging
from collections.abc import Mapping
from typing import Any

from torch import nn

from speechgru.checkpoint.identity import digest_weights
from speechgru.decode.beam import BeamDecoder
from speechgru.interfaces import Decoder
from speechgru.lm.weights import RESCORE, name_other

log = logging.getLogger(__name__)


def warn_of_foreign_weights(
    decoder: Decoder, config: Mapping[str, Any], model: nn.Module
) -> None:
    """Say whose weights are taken where none were tuned with this acoustic model.

    Args:
        decoder: as `build_decoder` has made it.
        config: of the command.
        model: the acoustic model.
    """
    if not isinstance(decoder, BeamDecoder):
        return
    uses = []
    if decoder.takes_tuned:
        uses.append((decoder.lm_path, decoder.name, "its weights"))
    if decoder.rescoring is not None and config["rescore_weight"] is None:
        uses.append((config["rescore"], RESCORE, "its weights in rescoring"))
    digest = digest_weights(model) if uses else ""
    for lm, use, what in uses:
        other = name_other(lm, use, digest)
        if other is not None:
            log.warning(
                "%s: %s were tuned with another checkpoint, %s; speechgru tune finds "
                "those for this one",
                lm, what, other,
            )  # fmt: skip
