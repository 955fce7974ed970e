"""Draws that depend on the utterance alone, and look like chance."""

import pytest
import torch

from speechgru.features.keyed_draws import (
    draw,
    frame_keys,
    keep_units,
    keyed_by,
    step_key,
    utterance_keys,
)

CPU = torch.device("cpu")


def keep(keys, num_frames, num_units=64, probability=0.3, place="here"):
    return keep_units(
        frame_keys(torch.tensor(keys), num_frames, place, CPU), num_units, probability
    )


def test_what_is_kept_of_an_utterance_depends_on_nothing_around_it():
    alone = keep([7], 5)
    together = keep([3, 7, 9], 11)
    assert torch.equal(together[1, :5], alone[0])
    assert torch.equal(keep([7], 5, num_units=100)[..., :64], alone)


def test_other_utterances_frames_and_places_are_drawn_apart():
    one = keep([7], 400)
    for other in (keep([8], 400), keep([7], 400, place="there"), one.roll(1, dims=1)):
        # Two independent draws agree on 0.3^2 + 0.7^2 of all units.
        assert (one == other).float().mean() == pytest.approx(0.58, abs=0.015)


@pytest.mark.parametrize("probability", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_units_are_dropped_as_often_as_they_should(probability):
    dropped = ~keep(range(50), 200, num_units=100, probability=probability)
    share = dropped.float().mean().item()
    assert share == pytest.approx(probability, abs=0.002, rel=0.05)


def test_nothing_is_dropped_by_a_probability_of_zero():
    assert keep([1], 100, probability=0.0).all()


def test_pairs_and_quadruples_of_units_are_uncorrelated():
    kept = keep(range(8), 1000, num_units=256, probability=0.5).flatten(0, 1)
    signs = kept.float() * 2 - 1
    count = len(signs)
    columns = signs.t() @ signs / count
    rows = signs[:256] @ signs[:256].t() / 256
    squares = signs[:-1, :-1] * signs[1:, 1:] * signs[1:, :-1] * signs[:-1, 1:]
    # Of independent signs, means have these standard deviations.
    assert columns.fill_diagonal_(0).std() * count**0.5 == pytest.approx(1, abs=0.1)
    assert rows.fill_diagonal_(0).std() * 256**0.5 == pytest.approx(1, abs=0.1)
    assert columns.abs().max() * count**0.5 < 6
    assert rows.abs().max() * 256**0.5 < 6
    assert abs(squares.mean()) * squares.numel() ** 0.5 < 5


def test_numbers_are_uniform_and_those_of_an_item_its_own():
    numbers = draw(torch.arange(2000), "here", 5, 2)
    assert numbers.shape == (2000, 5, 2)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert numbers.mean() == pytest.approx(0.5, abs=0.01)
    assert numbers.var() == pytest.approx(1 / 12, abs=0.002)
    correlations = torch.corrcoef(numbers.flatten(1).t()).fill_diagonal_(0)
    assert correlations.abs().max() * 2000**0.5 < 5
    # More numbers for one item are more, not others.
    assert torch.equal(draw(torch.tensor([4]), "here", 9, 2)[0, :5], numbers[4])
    assert draw(torch.tensor([4]), "here", 0, 2).shape == (1, 0, 2)


def test_keys_are_those_given_and_elsewhere_torchs():
    with keyed_by([5, 6], 9):
        assert utterance_keys(2).tolist() == [5, 6]
        assert step_key().tolist() == [9]
        with keyed_by([1], 2):
            assert step_key().tolist() == [2]
        assert step_key().tolist() == [9]
        with pytest.raises(ValueError, match=r"a batch of 3 items .* keys of 2"):
            utterance_keys(3)
    torch.manual_seed(0)
    first = utterance_keys(3)
    assert not torch.equal(first, utterance_keys(3))
    torch.manual_seed(0)
    assert torch.equal(first, utterance_keys(3))
