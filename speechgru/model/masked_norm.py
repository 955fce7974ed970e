"""Normalisation between recurrent layers, untouched by padding."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from speechgru.features.padding import ValidFrames
from speechgru.model.encoders.gradient_checkpointing import is_computed_again


class MaskedLayerNorm(nn.LayerNorm):
    """Normalise every frame over its units."""

    def forward(self, frames: Tensor, valid: ValidFrames | None) -> Tensor:
        """Normalise (..., H) frames; `valid` makes no difference."""
        return super().forward(frames)


class MaskedBatchNorm(nn.BatchNorm1d):
    """Normalise every unit over all valid frames of the batch.

    In training the statistics are those of the batch on this process, so the
    steps depend on how utterances are dealt to processes and accumulated
    batches; `MaskedLayerNorm` has no such tie. In eval they are running
    averages, and every utterance stands alone.

    Source:
        "Deep Speech 2", arXiv:1512.02595, section 3.2 (sequence-wise).
    """

    def forward(self, frames: Tensor, valid: ValidFrames | None) -> Tensor:
        """Normalise frames.

        Args:
            frames: (B, T, ..., H) or (T, B, ..., H) float.
            valid: of them; other frames count for nothing. None: all are, and they
                are (N, H).

        Returns:
            normalised: as frames, zero where they are not valid.
        """
        if valid is None:
            return self._normalise(frames)
        flat = frames.flatten(0, 1)
        rows = flat.index_select(0, valid.rows)
        normalised = self._normalise(rows.flatten(0, -2)).view_as(rows)
        zeros = torch.zeros_like(flat, dtype=normalised.dtype)
        return zeros.index_copy(0, valid.rows, normalised).view(frames.shape)

    def _normalise(self, rows: Tensor) -> Tensor:
        """Normalise (N, H)."""
        if not self.training or (len(rows) > 1 and not is_computed_again()):
            return super().forward(rows)
        # A single frame has no variance: it is normalised as in eval. And what is
        # computed again teaches the running averages nothing.
        averages = self.running_mean.clone(), self.running_var.clone()
        is_many = len(rows) > 1
        return F.batch_norm(
            rows, *averages, self.weight, self.bias, is_many, 0.0, self.eps
        )


NORMS = {"batch": MaskedBatchNorm, "layer": MaskedLayerNorm}


def make_norms(norm: str | None, size: int, count: int) -> nn.ModuleList:
    """Normalisations, each called with frames and which of them are valid.

    Args:
        norm: "batch", "layer" or None.
        size: H, units of a frame.
        count: how many there are, unless norm is None.

    Raises:
        ValueError: another norm.
    """
    if norm is None:
        return nn.ModuleList()
    if norm not in NORMS:
        raise ValueError(f"norm is {norm!r}, expected null, {', '.join(NORMS)}")
    return nn.ModuleList(NORMS[norm](size) for _ in range(count))
