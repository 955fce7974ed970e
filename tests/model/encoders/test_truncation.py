"""Utterances cut into pieces, and put together again."""

import itertools

import pytest
import torch

from speechgru.model.encoders.gru import GRUEncoder
from speechgru.model.encoders.truncation import draw_longest, plan_pieces

LENGTHS = torch.tensor([11, 1, 4, 12, 7])


def make_frames(extra=0):
    torch.manual_seed(0)
    frames = torch.zeros(len(LENGTHS), max(LENGTHS) + extra, 3)
    for row, length in zip(frames, LENGTHS, strict=True):
        row[:length].normal_()
    return frames


def plan(lengths, num_frames, longest, seed=0):
    keys = 1000 * seed + torch.arange(len(lengths))
    return plan_pieces(lengths, num_frames, longest, keys, torch.device("cpu"))


@pytest.mark.parametrize("longest", [1, 2, 5, 11, 12, 50])
@pytest.mark.parametrize("extra", [0, 3])
def test_joined_pieces_are_the_utterances(longest, extra):
    frames = make_frames(extra)
    for seed in range(20):
        pieces = plan(LENGTHS, frames.size(1), longest, seed)
        cut = pieces.cut(frames)
        assert torch.equal(pieces.join(cut), frames)
        assert pieces.valid.lengths.min() >= 1
        assert pieces.valid.lengths.max() == cut.size(1) <= longest
        left = pieces.valid.lengths.tolist()
        for length in LENGTHS.tolist():
            sizes = [left.pop(0)]
            while sum(sizes) < length:
                sizes.append(left.pop(0))
            assert sum(sizes) == length
            assert len(sizes) == 1 or length > longest
            assert all(size == longest for size in sizes[1:-1])
        assert not left


def test_cuts_are_everywhere():
    lengths = torch.full((500,), 9)
    sizes = plan(lengths, 9, 4).valid.lengths
    assert set(sizes.tolist()) == {1, 2, 3, 4}


def test_draws_are_between_and_short_ones_as_frequent_as_long_ones():
    draws = [draw_longest(10, 1000, torch.tensor([key])) for key in range(2000)]
    assert min(draws) >= 10
    assert max(draws) <= 1000
    assert sum(draw < 100 for draw in draws) == pytest.approx(1000, abs=100)
    assert draw_longest(7, 7, torch.tensor([1])) == 7


def test_pieces_do_not_hear_each_other_in_training():
    encoder = GRUEncoder(3, 4, 2, piece_range=[3, 3])
    frames = make_frames().requires_grad_()
    torch.manual_seed(1)
    encoded, _ = encoder(frames, LENGTHS)
    heard_by = []
    for frame in range(11):
        (gradient,) = torch.autograd.grad(
            encoded[0, frame].sum(), frames, retain_graph=True
        )
        assert not gradient[1:].any()
        heard_by.append(tuple(gradient[0].any(dim=1).nonzero().flatten().tolist()))
    groups = [list(group) for _, group in itertools.groupby(heard_by)]
    assert [frame for group in groups for frame in group[0]] == list(range(11))
    assert all(len(group) == len(group[0]) <= 3 for group in groups)
    assert not encoded[1, 1:].any()


def test_a_step_does_not_depend_on_padding():
    encoder = GRUEncoder(3, 4, 2, piece_range=[2, 6])
    torch.manual_seed(1)
    short, _ = encoder(make_frames(), LENGTHS)
    torch.manual_seed(1)
    long, _ = encoder(make_frames(extra=5), LENGTHS)
    torch.testing.assert_close(long[:, :12], short)
    assert not long[:, 12:].any()


def test_beyond_training_utterances_stay_whole():
    torch.manual_seed(2)
    plain, cutting = GRUEncoder(3, 4, 2), GRUEncoder(3, 4, 2, piece_range=[2, 6])
    cutting.load_state_dict(plain.state_dict())
    expected, _ = plain.eval()(make_frames(), LENGTHS)
    assert torch.equal(cutting.eval()(make_frames(), LENGTHS)[0], expected)


@pytest.mark.parametrize("piece_range", [[0, 5], [5, 4], [5], [1, 2, 3]])
def test_ranges_that_mean_nothing_are_refused(piece_range):
    with pytest.raises(ValueError, match=r"piece_range is .*expected two numbers"):
        GRUEncoder(3, 4, 1, piece_range=piece_range)
