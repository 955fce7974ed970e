"""Normalisation between recurrent layers, untouched by padding."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MaskedLayerNorm(nn.LayerNorm):
    """Normalise every frame over its units."""

    def forward(self, frames: Tensor, valid: Tensor) -> Tensor:
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

    def forward(self, frames: Tensor, valid: Tensor) -> Tensor:
        """Normalise frames.

        Args:
            frames: (..., H) float.
            valid: (...) bool; other frames count for nothing.

        Returns:
            normalised: (..., H), zero at frames that are not valid.
        """
        rows = frames[valid]
        if self.training and len(rows) == 1:
            # A single frame has no variance: it is normalised as in eval.
            rows = F.batch_norm(
                rows, self.running_mean, self.running_var, self.weight, self.bias,
                False, 0.0, self.eps,
            )  # fmt: skip
        else:
            rows = super().forward(rows)
        normalised = torch.zeros_like(frames, dtype=rows.dtype)
        normalised[valid] = rows
        return normalised


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
