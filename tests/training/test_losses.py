"""What is added to the CTC loss."""

import pytest
import torch

from speechgru.training.losses import consistency_losses, smoothing_losses

LENGTHS = torch.tensor([5, 3, 5, 3])


def views() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(4, 5, 3).log_softmax(dim=-1)


def test_consistency_is_the_divergence_of_each_view_from_the_other():
    log_probs = views()
    expected = []
    for index, other in ((0, 2), (1, 3), (2, 0), (3, 1)):
        length = LENGTHS[index]
        p, q = log_probs[other, :length], log_probs[index, :length]
        expected.append((p.exp() * (p - q)).sum())
    losses = consistency_losses(log_probs, LENGTHS)
    torch.testing.assert_close(losses, torch.stack(expected))


def test_no_gradient_goes_to_the_view_that_is_followed():
    log_probs = views().requires_grad_()
    consistency_losses(log_probs, LENGTHS)[0].backward()
    assert log_probs.grad[0].any()
    assert not log_probs.grad[1:].any()


def test_equal_views_are_consistent():
    log_probs = views()[:2].repeat(2, 1, 1)
    assert consistency_losses(log_probs, LENGTHS).abs().max() < 1e-6


def test_smoothing_is_least_where_all_tokens_are_alike():
    flat = torch.zeros(1, 5, 3).log_softmax(dim=-1)
    least = smoothing_losses(flat, torch.tensor([5])).item()
    assert least == pytest.approx(5 * torch.tensor(3.0).log().item())
    assert (smoothing_losses(views()[[0, 2]], torch.tensor([5, 5])) > least).all()


@pytest.mark.parametrize("losses", [consistency_losses, smoothing_losses])
def test_padding_counts_nothing(losses):
    log_probs = views()
    before = losses(log_probs, LENGTHS)
    log_probs[1, 3:] = float("nan")
    log_probs[3, 3:] = -50.0
    torch.testing.assert_close(losses(log_probs, LENGTHS), before)
