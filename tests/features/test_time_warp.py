"""Time that is warped: which frame lies where, and of whom."""

import pytest
import torch

from speechgru.features.keyed_draws import keyed_by
from speechgru.features.spec_augment import SpecAugment
from speechgru.features.time_warp import warp_time


def make_clock(num_utterances: int, num_frames: int) -> torch.Tensor:
    """Frames that say which they are: (B, T, 2)."""
    times = torch.arange(float(num_frames))[:, None].expand(-1, 2)
    return times.expand(num_utterances, -1, -1).contiguous()


def warp(num_utterances: int, length: int, max_distance: int, extra: int = 0):
    """Where the frames of utterances came from: (B, T), the padding included."""
    torch.manual_seed(0)
    lengths = torch.full((num_utterances,), length)
    keys = torch.randint(2**62, (num_utterances,))
    clock = make_clock(num_utterances, length + extra)
    return warp_time(clock, lengths, max_distance, keys)[..., 0]


def test_frames_move_by_no_more_than_the_limit_and_keep_their_order():
    sources = warp(500, 100, 12)
    moved = sources - torch.arange(100.0)
    assert (sources.diff(dim=1) > 0).all()
    assert moved[:, [0, -1]].abs().max() < 1e-4, "the ends stay"
    furthest = moved.gather(1, moved.abs().argmax(1, keepdim=True)).round().long()
    assert set(furthest.flatten().tolist()) == set(range(-12, 13)), "in whole frames"


def test_either_side_is_stretched_evenly():
    for sources in warp(20, 101, 10):
        steps = sources.diff()
        # One pace before the frame that moved, and one behind it.
        assert (steps.diff().abs() > 1e-3).sum() <= 2
        assert steps.min() >= 0.5 - 1e-3
        assert steps.max() <= 1.5 + 1e-3


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 8, 9])
def test_short_utterances_and_long_warps_give_their_own_frames(length):
    sources = warp(200, length, 1000)
    assert (sources >= 0).all()
    assert (sources <= length - 1).all()
    assert (sources.diff(dim=1) > 0).all()


def test_nothing_from_beyond_the_end_is_heard_and_padding_stays():
    sources = warp(50, 60, 10, extra=30)
    assert sources[:, :60].max() <= 59
    assert torch.equal(sources[:, 60:], torch.arange(60.0, 90.0).expand(50, -1))


def test_a_warp_depends_on_the_key_and_not_on_the_batch():
    clock, keys = make_clock(3, 80), torch.tensor([5, 6, 7])
    together = warp_time(clock, torch.tensor([80, 40, 60]), 9, keys)
    alone = warp_time(clock[:1, :60], torch.tensor([60]), 9, keys[2:])
    assert torch.equal(together[2, :60], alone[0])
    assert not torch.equal(together[0, :60], alone[0])


@pytest.mark.parametrize("same", [True, False])
def test_two_views_are_warped_alike_or_apart_and_masked_apart(same):
    augment = SpecAugment(0, 0, 2, 10, max_time_warp=15, same_time_warp=same).train()
    clock = make_clock(8, 100) + 1
    with keyed_by(range(8), 0, shared=[0, 1, 2, 3] * 2):
        warped = augment(clock, torch.full((8,), 100))
    first, second = warped.chunk(2)
    seen = (first != 0) & (second != 0)
    assert torch.equal(first[seen], second[seen]) == same
    assert ((first == 0) != (second == 0)).any()


def test_no_warp_is_the_default_and_none_is_heard_in_eval_mode():
    clock, lengths = make_clock(4, 50), torch.full((4,), 50)
    assert torch.equal(SpecAugment(0, 0, 0, 0)(clock, lengths), clock)
    augment = SpecAugment(0, 0, 0, 0, max_time_warp=10)
    assert not torch.equal(augment(clock, lengths), clock)
    assert torch.equal(augment.eval()(clock, lengths), clock)


def test_a_negative_warp_is_refused():
    with pytest.raises(
        ValueError, match="max_time_warp is -1, expected a whole number from 0"
    ):
        SpecAugment(1, 1, 1, 1, max_time_warp=-1)


def test_masks_can_be_as_strong_as_those_of_cr_ctc():
    # At most 0.375 of an utterance; of widths that are drawn, half of it on average.
    augment = SpecAugment(
        0, 0, 0, 100, max_time_fraction=0.375, frames_per_time_mask=267
    )
    torch.manual_seed(0)
    for length in (150, 1200):
        hidden = augment(torch.ones(400, length, 1), torch.full((400,), length)) == 0
        shares = hidden.float().mean(dim=(1, 2))
        assert shares.max() <= 0.376
        # Masks of a long utterance overlap.
        assert shares.mean() == pytest.approx(0.18, abs=0.025)
