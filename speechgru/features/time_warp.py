"""Speech that is slower before a moment and faster behind it, or the reverse."""

import torch
from torch import Tensor

from speechgru.features.keyed_draws import draw
from speechgru.features.padding import send


def warp_time(
    features: Tensor, lengths: Tensor, max_distance: int, keys: Tensor
) -> Tensor:
    """Move one frame of each utterance, and stretch what lies on its sides.

    What is before the frame gets as many frames more as what is behind it gets fewer:
    an utterance has as many frames as it had, so CTC can align what it could. At least
    half the frames of either side stay, however far is asked for.

    Args:
        features: (B, T, F).
        lengths: (B,) int64, frames, on the host.
        max_distance: frames; a distance is uniform to this, in whole frames.
        keys: (B,) int64, that frames and distances are drawn by.

    Returns:
        (B, T, F), linearly interpolated over time; padding stays as it is.

    Source:
        "SpecAugment", arXiv:1904.08779, section 2, on a line instead of a spline.
    """
    draw_anchor, draw_distance = draw(keys, "time warp", 2).unbind(1)
    last = lengths - 1
    most = (last // 4).clamp(max=max_distance)
    anchors = 2 * most + (draw_anchor * (last - 4 * most + 1)).long()
    targets = anchors + (draw_distance * (2 * most + 1)).long() - most
    sources = _find_sources(features, last, anchors, targets)
    frames = sources.floor().long()
    rows = torch.arange(len(features), device=features.device)[:, None]
    rows = rows * features.size(1) + frames
    flat = features.flatten(0, 1)
    left = flat[rows.flatten()]
    right = flat[(rows.flatten() + 1).clamp(max=len(flat) - 1)]
    shares = (sources - frames).flatten()[:, None].to(features.dtype)
    return torch.lerp(left, right, shares).view_as(features)


def _find_sources(
    features: Tensor, last: Tensor, anchors: Tensor, targets: Tensor
) -> Tensor:
    """(B, T) float, where the frames of (B, T, F) come from: a whole one in padding."""
    device = features.device
    positions = torch.arange(features.size(1), device=device)
    # One frame alone stays where it is, and divides nothing.
    before = send(anchors / targets.clamp(min=1), device)[:, None]
    behind = send((last - anchors) / (last - targets).clamp(min=1), device)[:, None]
    ends, targets = send(last, device)[:, None], send(targets, device)[:, None]
    sources = torch.where(
        positions <= targets, positions * before, ends - (ends - positions) * behind
    )
    # Rounding shall not reach behind the last frame.
    sources = sources.minimum(ends)
    return torch.where(positions <= ends, sources, positions)
