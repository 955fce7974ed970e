"""SpecAugment, bounded by each utterance's length, with warps of time and bands."""

import torch
from torch import Tensor, nn

from speechgru.features.keyed_draws import draw, utterance_keys
from speechgru.features.padding import send
from speechgru.features.time_warp import warp_time
from speechgru.ranges import PROBABILITY, Range, check, whole

MASKS = whole(0, 1000)
WIDTH = whole(0, 1_000_000)  # bands, or frames


class SpecAugment(nn.Module):
    """Warp time and bands of normalised features, and hide bands and stretches.

    Each utterance draws a warp and masks of its own; a time mask lies within
    the utterance and covers at most `max_time_fraction` of it. Hidden values
    become 0, the mean. In eval mode nothing changes. What is drawn does not depend
    on the rest of the batch.

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
        max_time_warp: frames; an inner frame moves by a distance that is uniform to
            this, those on its sides are stretched or squeezed; see `time_warp.py`.
        same_time_warp: whether all views of an utterance are warped alike, so that
            their frames can be compared.

    Source:
        "SpecAugment", arXiv:1904.08779, its time warping also along the bands,
        after "Vocal Tract Length Perturbation improves speech recognition",
        Jaitly and Hinton, ICML workshop 2013; numbers of masks that grow with the
        length: arXiv:1912.05533; the same warp for both views: CR-CTC,
        arXiv:2410.05101, section 3.2.
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
        max_time_warp: int = 0,
        same_time_warp: bool = True,
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
        check("max_time_warp", max_time_warp, WIDTH)
        self.max_time_warp = max_time_warp
        self.same_time_warp = same_time_warp
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
        if self.max_time_warp:
            of_views = utterance_keys(batch_size, shared=self.same_time_warp)
            features = warp_time(features, lengths, self.max_time_warp, of_views)
        keys = utterance_keys(batch_size)
        if self.max_freq_warp and num_bands > 2:
            features = features @ _warps(features, self.max_freq_warp, keys)
        bands = lengths.new_full((batch_size,), num_bands)
        freq_widths = bands.clamp(max=self.max_freq_width)
        time_widths = (lengths * self.max_time_fraction).long()
        time_widths = time_widths.clamp(max=self.max_time_width)
        num_freq_masks = torch.full_like(bands, self.num_freq_masks)
        num_time_masks = torch.full_like(lengths, self.num_time_masks)
        if self.frames_per_time_mask is not None:
            num_time_masks = (lengths / self.frames_per_time_mask).round().long()
            num_time_masks = num_time_masks.clamp(min=1)
        freq_draws = draw(keys, "frequency masks", int(num_freq_masks.max()), 2)
        time_draws = draw(keys, "time masks", int(num_time_masks.max()), 2)
        freq_masks = _draw_masks(freq_draws, bands, freq_widths, num_freq_masks)
        time_masks = _draw_masks(time_draws, lengths, time_widths, num_time_masks)
        in_band = _cover(freq_masks, num_bands, features.device)[:, None]
        in_time = _cover(time_masks, num_frames, features.device)[:, :, None]
        return features.masked_fill(in_band | in_time, 0.0)


def _warps(features: Tensor, max_distance: float, keys: Tensor) -> Tensor:
    """Draw (B, F, F) matrices that move the bands of (B, T, F) features."""
    top = features.size(2) - 1
    # Half of what is on either side of an anchor stays, whatever the distance.
    max_distance = min(max_distance, top / 4)
    draws = send(draw(keys, "warp", 2, 1), features.device)
    draw_anchor, draw_distance = draws.unbind(1)
    anchors = 2 * max_distance + draw_anchor * (top - 4 * max_distance)
    targets = anchors + (2 * draw_distance - 1) * max_distance
    bands = torch.arange(top + 1, device=features.device)
    below = bands * anchors / targets
    above = top - (top - bands) * (top - anchors) / (top - targets)
    sources = torch.where(bands <= targets, below, above)
    # Between two bands, linearly interpolated.
    weights = (1 - (sources[:, None] - bands[:, None]).abs()).clamp(min=0)
    return weights.to(features.dtype)


def _draw_masks(
    draws: Tensor, sizes: Tensor, max_widths: Tensor, counts: Tensor
) -> Tensor:
    """Where masks start and end: (B, M, 2) int64, on the host.

    Args:
        draws: (B, M, 2) uniform numbers.
        sizes: (B,) of what masks lie within.
        max_widths: (B,) a width is uniform from 0 to this.
        counts: (B,) masks of each item; others are empty.
    """
    draw_width, draw_start = draws.unbind(2)
    widths = (draw_width * (max_widths[:, None] + 1)).long()
    wanted = torch.arange(draws.size(1)) < counts[:, None]
    widths = torch.where(wanted, widths, 0)
    starts = (draw_start * (sizes[:, None] - widths + 1)).long()
    return torch.stack([starts, starts + widths], dim=2)


def _cover(masks: Tensor, total: int, device: torch.device) -> Tensor:
    """(B, total) bool, True where any of an item's masks lies."""
    starts, ends = send(masks, device)[..., None].unbind(2)
    positions = torch.arange(total, device=device)
    return ((positions >= starts) & (positions < ends)).any(dim=1)
