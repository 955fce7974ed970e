"""All that could have been said, and how often training has it."""

from itertools import pairwise, product

import pytest
import torch
from training.test_ctc import collapse, make_batch
from training.test_label_priors import alone
from training.test_own_encoder import OwnEncoder, make_task

from speechgru.interfaces import BLANK, InputError
from speechgru.training.denominator import denominator_scores
from speechgru.training.losses import competition_losses, ctc_losses
from speechgru.training.token_bigrams import MOST_TOKENS, TokenBigrams


def learnt(*batches, num_tokens=3):
    bigrams = TokenBigrams(num_tokens)
    for batch in batches:
        bigrams.observe(batch)
        bigrams.end_step(alone)
    bigrams.begin(1)
    return bigrams


def log_probs_of(*size):
    torch.manual_seed(0)
    return torch.randn(*size).log_softmax(dim=-1)


def drawn_bigrams(num_tokens):
    return torch.rand(num_tokens, num_tokens).log_softmax(dim=-1)


def path_by_path(log_probs, log_bigrams):
    """What `denominator_scores` sums up, one path after the other."""
    num_frames, num_tokens = log_probs.shape
    scores = []
    for path in product(range(num_tokens), repeat=num_frames):
        heard = sum(log_probs[frame, token] for frame, token in enumerate(path))
        line = [BLANK, *collapse(path), BLANK]
        scores.append(heard + sum(log_bigrams[pair] for pair in pairwise(line)))
    return torch.stack(scores).logsumexp(dim=0)


def test_it_is_the_sum_over_all_paths():
    log_probs, log_bigrams = log_probs_of(3, 5, 3), drawn_bigrams(3)
    lengths = [5, 3, 1]
    expected = [
        path_by_path(each[:length], log_bigrams)
        for each, length in zip(log_probs, lengths, strict=True)
    ]
    scores = denominator_scores(log_probs, torch.tensor(lengths), log_bigrams)
    torch.testing.assert_close(scores, torch.stack(expected))


def test_where_all_sequences_count_alike_only_repeated_tokens_are_missing():
    # Without a bigram model the sum is over all paths, whose probabilities make 1.
    scores = denominator_scores(
        log_probs_of(2, 40, 5), torch.tensor([40, 7]), torch.zeros(5, 5)
    )
    torch.testing.assert_close(scores, torch.zeros(2), atol=1e-4, rtol=0)


def test_padding_counts_nothing():
    log_probs, log_bigrams = log_probs_of(2, 6, 4), drawn_bigrams(4)
    lengths = torch.tensor([6, 2])
    before = denominator_scores(log_probs, lengths, log_bigrams)
    log_probs[1, 2:] = float("nan")
    torch.testing.assert_close(
        denominator_scores(log_probs, lengths, log_bigrams), before
    )
    unpadded = denominator_scores(log_probs[1:, :2], lengths[1:], log_bigrams)
    torch.testing.assert_close(unpadded, before[1:])


def test_padding_has_no_gradient():
    log_probs = log_probs_of(2, 6, 4).requires_grad_()
    denominator_scores(
        log_probs, torch.tensor([6, 2]), drawn_bigrams(4)
    ).sum().backward()
    assert not log_probs.grad[1, 2:].any()
    # The gradient is how probable each token is in each frame.
    ones = torch.ones(8)
    frames = torch.cat([log_probs.grad[0], log_probs.grad[1, :2]])
    torch.testing.assert_close(frames.sum(dim=1), ones)


def test_minutes_do_not_leave_the_numbers():
    sure = torch.full((1, 3_000, 2), -40.0)
    sure[..., 0] = 0.0
    scores = denominator_scores(sure, torch.tensor([3_000]), torch.zeros(2, 2))
    assert scores.isfinite().all()


def test_half_precision_around_it_changes_nothing():
    log_probs, log_bigrams = log_probs_of(2, 30, 4), drawn_bigrams(4)
    lengths = torch.tensor([30, 20])
    expected = denominator_scores(log_probs, lengths, log_bigrams)
    with torch.autocast("cpu", torch.bfloat16):
        scores = denominator_scores(log_probs, lengths, log_bigrams)
    assert torch.equal(scores, expected)


def test_bigrams_are_those_of_the_epoch_before():
    bigrams = TokenBigrams(3)
    bigrams.observe(make_batch([1, 2], [1]))
    bigrams.end_step(alone)
    assert not bigrams.are_known
    bigrams.begin(1)
    assert bigrams.are_known
    # The beginning, 1, 2 are followed by 1, 2 and the end, 1 by the end as well.
    frequencies = torch.tensor([2.0 + 1, 2 + 1, 1 + 1]) / 8
    expected = torch.stack(
        [
            (torch.tensor([0.0, 2, 0]) + frequencies) / 3,
            (torch.tensor([1.0, 0, 1]) + 2 * frequencies) / 4,
            (torch.tensor([1.0, 0, 0]) + frequencies) / 2,
        ]
    )
    torch.testing.assert_close(bigrams.log_probs.exp(), expected)


def test_too_many_tokens_to_count_all_pairs_are_refused():
    with pytest.raises(
        InputError, match=f"9000 tokens, expected at most {MOST_TOKENS}"
    ):
        TokenBigrams(9000)


def test_priors_of_tokens_beside_it_are_refused():
    message = "^task.mmi is 0.5, expected 0 with label_priors=0.2"
    with pytest.raises(InputError, match=message):
        make_task(OwnEncoder(4), mmi=0.5, label_priors=0.2)


def test_each_token_is_followed_by_something():
    batch = make_batch([1, 2, 2], [], [4])
    torch.testing.assert_close(
        learnt(batch, num_tokens=6).log_probs.exp().sum(dim=1), torch.ones(6)
    )


def test_parts_and_processes_of_a_step_count_together():
    whole, parted = learnt(make_batch([1, 2], [2], [])), TokenBigrams(3)
    parted.observe(make_batch([1, 2]))
    parted.observe(make_batch([2]))
    others = torch.zeros(3, 3, dtype=torch.float64)
    others[BLANK, BLANK] = 1.0  # another process has nothing but silence
    parted.end_step(lambda sums: sums + others)
    parted.begin(1)
    assert torch.equal(parted.log_probs, whole.log_probs)


def test_a_run_goes_on_within_an_epoch():
    first, second = learnt(make_batch([1, 2])), TokenBigrams(3)
    first.observe(make_batch([2, 2]))
    first.end_step(alone)
    assert all(isinstance(value, torch.Tensor) for value in first.state_dict().values())
    second.load_state_dict(first.state_dict())
    for bigrams in (first, second):
        bigrams.observe(make_batch([1]))
        bigrams.end_step(alone)
        bigrams.begin(2)
    assert torch.equal(first.log_probs, second.log_probs)


@pytest.mark.parametrize("targets", [[1, 2], [2, 2], []])
def test_with_the_competition_it_is_the_share_of_a_transcript_in_all(targets):
    log_probs, lengths = log_probs_of(1, 5, 3), torch.tensor([5])
    bigrams = learnt(make_batch([1, 2], [2, 2, 1], [2], []))
    batch = make_batch(targets)
    line = [BLANK, *targets, BLANK]
    said = sum(bigrams.log_probs[pair] for pair in pairwise(line))
    said = said - ctc_losses(log_probs, lengths, batch)
    everything = path_by_path(log_probs[0], bigrams.log_probs)
    total = ctc_losses(log_probs, lengths, batch) + competition_losses(
        log_probs, lengths, batch, bigrams
    )
    torch.testing.assert_close(total, everything - said)
    assert total > 0


def test_what_was_said_is_learnt_without_ctc():
    torch.manual_seed(0)
    lengths, batch = torch.tensor([12, 9]), make_batch([1, 2, 2], [3, 1])
    bigrams = learnt(batch, make_batch([2, 3], [1, 1, 3]), num_tokens=4)
    scores = (0.1 * torch.randn(2, 12, 4)).requires_grad_()
    optimizer = torch.optim.SGD([scores], 3.0)
    for _ in range(80):
        log_probs = scores.log_softmax(dim=-1)
        losses = ctc_losses(log_probs, lengths, batch)
        losses = losses + competition_losses(log_probs, lengths, batch, bigrams)
        optimizer.zero_grad()
        losses.sum().backward()
        optimizer.step()
    assert losses.max() < 0.05
    heard = [
        row[:length].tolist()
        for row, length in zip(scores.argmax(2), lengths, strict=True)
    ]
    assert [collapse(path) for path in heard] == [[1, 2, 2], [3, 1]]
