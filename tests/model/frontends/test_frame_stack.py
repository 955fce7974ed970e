import pytest
import torch

from speechgru.model.frontends.frame_stack import FrameStack


def test_neighbours_become_one_frame_in_their_order_and_the_last_is_filled_up():
    features = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])
    stacked, output_lengths = FrameStack(2, 2)(features, torch.tensor([3]))
    assert stacked.tolist() == [[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 0.0, 0.0]]]
    assert output_lengths.tolist() == [2]


def test_the_last_frame_of_an_utterance_is_filled_up_with_zeros_not_with_padding():
    features = torch.full((2, 6, 1), float("nan"))
    features[0] = 1.0
    features[1, :2] = 2.0
    stacked, output_lengths = FrameStack(1, 3)(features, torch.tensor([6, 2]))
    assert stacked.tolist() == [
        [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]],
        [[2.0, 2.0, 0.0], [0.0, 0.0, 0.0]],
    ]
    assert output_lengths.tolist() == [2, 1]


@pytest.mark.parametrize("factor", range(1, 9))
def test_nothing_is_lost_and_nothing_learned(factor):
    stack = FrameStack(3, factor)
    features = torch.randn(1, 13, 3)
    stacked, _ = stack(features, torch.tensor([13]))
    assert torch.equal(stacked.reshape(1, -1, 3)[:, :13], features)
    assert not list(stack.parameters())
