"""SpecAugment, bounded by each utterance's length, with other vocal tracts."""

import torch
from torch import Tensor, nn

from speechgru.ranges import PROBABILITY, Range, check, whole

MASKS = whole(0, 1000)
WIDTH = whole(0, 1_000_000)  # bands, or frames


class SpecAugment(nn.Module):
    """Warp the bands of normalised features, and hide bands and stretches.

    Each utterance draws a warp and masks of its own; a time mask lies within
    the utterance and covers at most `max_time_fraction` of it. Hidden values
    become 0, the mean. In eval mode nothing changes.

    Args:
        num_freq_masks: per utterance.
        max_freq_width: bands; a width is uniform from 0 to this.
        num_time_masks: per utterance.
        max_time_width: frames; a width is uniform from 0 to this.
        max_time_fraction: of the utterance, per time mask.
        frames_per_time_mask: draw a mask for each so many frames, at least
            one, instead of num_time_masks.
        max_freq_warp: bands; an inner band moves up or down by a distance that is
            uniform to this, those on its sides are stretched or squeezed. Longer
            and shorter vocal tracts sound like it.

    Source:
        "SpecAugment", arXiv:1904.08779, its time warping along the bands instead,
        after "Vocal Tract Length Perturbation improves speech recognition",
        Jaitly and Hinton, ICML workshop 2013; numbers of masks that grow with the
        length: arXiv:1912.05533.
    """

    def __init__(
        self,
        num_freq_masks: int,
        max_freq_width: int,
        num_time_masks: int,
        max_time_width: int,
        max_time_fraction: float = 0.2,
        frames_per_time_mask: int | None = None,
        max_freq_warp: float = 0.0,
    ) -> None:
        super().__init__()
        check("num_freq_masks", num_freq_masks, MASKS)
        check("max_freq_width", max_freq_width, WIDTH)
        check("num_time_masks", num_time_masks, MASKS)
        check("max_time_width", max_time_width, WIDTH)
        check("max_time_fraction", max_time_fraction, PROBABILITY)
        if frames_per_time_mask is not None:
            check("frames_per_time_mask", frames_per_time_mask, whole(1, 1_000_000))
        check("max_freq_warp", max_freq_warp, Range(0, 65_536))
        self.max_freq_warp = max_freq_warp
        self.frames_per_time_mask = frames_per_time_mask
        self.num_freq_masks = num_freq_masks
        self.max_freq_width = max_freq_width
        self.num_time_masks = num_time_masks
        self.max_time_width = max_time_width
        self.max_time_fraction = max_time_fraction

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Warp and mask (B, T, F) with lengths (B,) in frames, if training."""
        if not self.training:
            return features
        batch_size, num_frames, num_bands = features.shape
        if self.max_freq_warp and num_bands > 2:
            features = features @ _warps(features, self.max_freq_warp)
        bands = lengths.new_full((batch_size,), num_bands)
        freq_widths = bands.clamp(max=self.max_freq_width)
        time_widths = (lengths * self.max_time_fraction).long()
        time_widths = time_widths.clamp(max=self.max_time_width)
        num_freq_masks = torch.full_like(bands, self.num_freq_masks)
        num_time_masks = torch.full_like(lengths, self.num_time_masks)
        if self.frames_per_time_mask is not None:
            num_time_masks = (lengths / self.frames_per_time_mask).round().long()
            num_time_masks = num_time_masks.clamp(min=1)
        in_band = _masks(bands, freq_widths, num_freq_masks, num_bands)[:, None]
        in_time = _masks(lengths, time_widths, num_time_masks, num_frames)[:, :, None]
        return features.masked_fill(in_band | in_time, 0.0)


def _warps(features: Tensor, max_distance: float) -> Tensor:
    """Draw (B, F, F) matrices that move the bands of (B, T, F) features."""
    top = features.size(2) - 1
    # Half of what is on either side of an anchor stays, whatever the distance.
    max_distance = min(max_distance, top / 4)
    draw_anchor, draw_distance = torch.rand(2, len(features), 1, device=features.device)
    anchors = 2 * max_distance + draw_anchor * (top - 4 * max_distance)
    targets = anchors + (2 * draw_distance - 1) * max_distance
    bands = torch.arange(top + 1, device=features.device)
    below = bands * anchors / targets
    above = top - (top - bands) * (top - anchors) / (top - targets)
    sources = torch.where(bands <= targets, below, above)
    # Between two bands, linearly interpolated.
    weights = (1 - (sources[:, None] - bands[:, None]).abs()).clamp(min=0)
    return weights.to(features.dtype)


def _masks(sizes: Tensor, max_widths: Tensor, counts: Tensor, total: int) -> Tensor:
    """Draw (B,) counts of masks; (B, total) bool, True where any of an item's lies."""
    shape = (len(sizes), int(counts.max()))
    draw_width, draw_start = torch.rand(2, *shape, device=sizes.device)
    widths = (draw_width * (max_widths[:, None] + 1)).long()
    wanted = torch.arange(shape[1], device=sizes.device) < counts[:, None]
    widths = torch.where(wanted, widths, 0)
    starts = (draw_start * (sizes[:, None] - widths + 1)).long()
    positions = torch.arange(total, device=sizes.device)
    inside = (positions >= starts[..., None]) & (
        positions < (starts + widths)[..., None]
    )
    return inside.any(dim=1)
