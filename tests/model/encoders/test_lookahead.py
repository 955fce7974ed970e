import pytest
import torch

from speechgru.model.encoders.lookahead import LookaheadConvolution


def make(weights: list[list[float]]) -> LookaheadConvolution:
    """A convolution of the given weights: of each unit, now and ahead."""
    lookahead = LookaheadConvolution(len(weights), len(weights[0]) - 1)
    with torch.no_grad():
        lookahead.convolution.weight.copy_(torch.tensor(weights)[:, None])
    return lookahead


def test_it_sums_each_unit_with_its_future_as_worked_by_hand():
    lookahead = make([[1.0, 10.0, 100.0], [0.0, 1.0, 0.0]])
    frames = torch.tensor([[[1.0, 5.0], [2.0, 6.0], [3.0, 7.0]]])
    assert lookahead(frames).tolist() == [
        [[1.0 + 20.0 + 300.0, 6.0], [2.0 + 30.0, 7.0], [3.0, 0.0]]
    ]


def test_units_are_not_mixed():
    lookahead = LookaheadConvolution(4, 2)
    frames = torch.randn(1, 6, 4, requires_grad=True)
    lookahead(frames)[..., 1].sum().backward()
    assert frames.grad[..., 1].all()
    assert not frames.grad[..., [0, 2, 3]].any()


@pytest.mark.parametrize("num_frames", [1, 2, 3, 9])
@pytest.mark.parametrize("context", [1, 3])
def test_complete_frames_do_not_change_when_more_follow(context, num_frames):
    lookahead = LookaheadConvolution(2, context)
    frames = torch.randn(1, num_frames + 5, 2)
    complete = max(0, num_frames - context)
    now, later = lookahead(frames[:, :num_frames]), lookahead(frames)
    assert now.shape == (1, num_frames, 2)
    unchanged = [torch.allclose(now[0, t], later[0, t]) for t in range(num_frames)]
    assert unchanged == [t < complete for t in range(num_frames)]
