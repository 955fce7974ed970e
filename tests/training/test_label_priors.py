"""How often tokens are heard, and what becomes of blanks that are heard too often."""

import pytest
import torch
from training.test_ctc import make_batch

from speechgru.training.label_priors import LEAST, LabelPriors
from speechgru.training.losses import ctc_losses, prior_losses

PROBABILITIES = torch.tensor([[0.6, 0.4, 0], [0.8, 0.1, 0.1], [0.2, 0.7, 0.1]])


def alone(sums):
    """Add up over one process."""
    return sums


def observe(priors, frames, length, add_up=alone):
    priors.observe(frames.log()[None], torch.tensor([length]))
    priors.end_step(add_up)


def test_they_are_the_means_of_the_epoch_before():
    priors = LabelPriors(3)
    priors.begin(0)
    observe(priors, PROBABILITIES, 2)
    assert not priors.log_priors.any(), "nothing is known before an epoch is over"
    priors.begin(0)
    observe(priors, PROBABILITIES[2:], 1)
    priors.begin(1)
    expected = PROBABILITIES.mean(0)
    torch.testing.assert_close(priors.log_priors.exp(), expected)
    observe(priors, PROBABILITIES[:1], 1)
    torch.testing.assert_close(priors.log_priors.exp(), expected)
    priors.begin(2)
    torch.testing.assert_close(priors.log_priors[:2].exp(), PROBABILITIES[0, :2])
    assert priors.log_priors[2] == LEAST, "a token that was never heard"


def test_parts_and_processes_of_a_step_count_together():
    whole, parted = LabelPriors(3), LabelPriors(3)
    observe(whole, PROBABILITIES, 3)
    for _ in range(2):
        parted.observe(PROBABILITIES[:1].log()[None], torch.tensor([1]))
    # Another process has heard this.
    others = torch.cat([PROBABILITIES[1:].sum(0) - PROBABILITIES[0], torch.ones(1)])
    parted.end_step(lambda sums: sums + others)
    torch.testing.assert_close(parted.sums, whole.sums)


def test_frames_beyond_an_utterance_are_not_heard():
    priors = LabelPriors(3)
    filled = PROBABILITIES.clone()
    filled[2] = torch.nan
    observe(priors, filled, 2)
    torch.testing.assert_close(priors.sums, torch.tensor([1.4, 0.5, 0.1, 2.0]).double())


def test_a_run_goes_on_within_an_epoch():
    first, second = LabelPriors(3), LabelPriors(3)
    for epoch in (0, 1):
        first.begin(epoch)
        observe(first, PROBABILITIES, 3)
    assert all(isinstance(value, torch.Tensor) for value in first.state_dict().values())
    second.load_state_dict(first.state_dict())
    for priors in (first, second):
        priors.begin(1)
        observe(priors, PROBABILITIES[:2], 2)
        priors.begin(2)
    assert torch.equal(first.log_priors, second.log_priors)


def test_tokens_last_longer():
    shares = []
    lengths, batch = torch.tensor([40]), make_batch([1, 2, 1])
    for scale in (0.0, 0.3):
        torch.manual_seed(0)
        scores = (0.1 * torch.randn(1, 40, 3)).requires_grad_()
        priors = LabelPriors(3)
        optimizer = torch.optim.SGD([scores], 0.5)
        for step in range(150):
            log_probs = scores.log_softmax(dim=-1)
            priors.begin(step // 10)
            priors.observe(log_probs, lengths)
            priors.end_step(alone)
            loss = prior_losses(log_probs, lengths, batch, priors.log_priors, scale)
            optimizer.zero_grad()
            loss.sum().backward()
            optimizer.step()
        # Either way the transcript is learnt.
        assert ctc_losses(scores.log_softmax(dim=-1), lengths, batch) < 2.5
        shares.append((scores.argmax(dim=-1) != 0).float().mean().item())
    assert shares[1] > 2 * shares[0]


@pytest.mark.parametrize("scale", [0.0, 0.7])
def test_before_the_first_epoch_is_over_it_is_ctc(scale):
    torch.manual_seed(0)
    log_probs = torch.randn(2, 9, 3).log_softmax(dim=-1)
    batch, lengths = make_batch([1, 2], [2]), torch.tensor([9, 5])
    torch.testing.assert_close(
        prior_losses(log_probs, lengths, batch, LabelPriors(3).log_priors, scale),
        ctc_losses(log_probs, lengths, batch),
    )
