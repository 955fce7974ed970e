import itertools
import math

import pytest
import torch

from speechgru.interfaces import BLANK, Batch
from speechgru.training.losses import ctc_losses, prior_losses


def make_batch(*targets):
    longest = max(map(len, targets))
    padded = [[*target, *[BLANK] * (longest - len(target))] for target in targets]
    return Batch(
        ids=[str(index) for index in range(len(targets))],
        waveforms=torch.zeros(len(targets), 1),
        waveform_lengths=torch.ones(len(targets), dtype=torch.int64),
        targets=torch.tensor(padded, dtype=torch.int64),
        target_lengths=torch.tensor([len(target) for target in targets]),
        references=[""] * len(targets),
        num_views=1,
        step_size=len(targets),
        key=(0, 0, 0),
    )


def collapse(path):
    """The tokens that a path writes."""
    return [token for token, _ in itertools.groupby(path) if token != BLANK]


def sum_over_paths(log_probs, target):
    """The definition: add up all paths that collapse to the target."""
    num_frames, num_tokens = log_probs.shape
    total = 0.0
    for path in itertools.product(range(num_tokens), repeat=num_frames):
        if collapse(path) == target:
            total += math.exp(sum(log_probs[t, k].item() for t, k in enumerate(path)))
    return -math.log(total) if total else math.inf


def test_divided_by_priors_losses_and_gradients_are_those_of_the_definition():
    torch.manual_seed(0)
    log_priors = torch.tensor([0.7, 0.2, 0.1]).log()
    targets, lengths = ([1, 2], [2]), (4, 3)
    found = torch.randn(2, 4, 3, requires_grad=True)
    losses = prior_losses(
        found.log_softmax(dim=-1),
        torch.tensor(lengths),
        make_batch(*targets),
        log_priors,
        0.4,
    )
    losses.sum().backward()
    defined = found.detach().clone().requires_grad_()
    divided = defined.log_softmax(dim=-1) - 0.4 * log_priors
    expected = []
    for frames, target, length in zip(divided, targets, lengths, strict=True):
        paths = [
            frames[range(length), path].sum()
            for path in itertools.product(range(3), repeat=length)
            if [token for token, _ in itertools.groupby(path) if token] == target
        ]
        expected.append(-torch.stack(paths).logsumexp(0))
    torch.stack(expected).sum().backward()
    torch.testing.assert_close(losses, torch.stack(expected))
    torch.testing.assert_close(found.grad, defined.grad)


def test_losses_are_those_of_the_definition():
    torch.manual_seed(0)
    log_probs = torch.randn(3, 5, 3).log_softmax(dim=-1)
    targets, lengths = ([1, 2], [2], [1, 1]), (5, 4, 5)
    losses = ctc_losses(log_probs, torch.tensor(lengths), make_batch(*targets))
    expected = [
        sum_over_paths(log_probs[index, :length], target)
        for index, (target, length) in enumerate(zip(targets, lengths, strict=True))
    ]
    assert losses.tolist() == pytest.approx(expected, rel=1e-5)


def test_a_transcript_that_cannot_be_aligned_has_an_infinite_loss():
    log_probs = torch.zeros(1, 2, 3).log_softmax(dim=-1)
    # Two equal tokens need a blank between them, a third frame.
    losses = ctc_losses(log_probs, torch.tensor([2]), make_batch([1, 1]))
    assert losses.item() == math.inf
