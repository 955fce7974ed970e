import math

import numpy as np
import pytest

from speechgru.interfaces import InputError
from speechgru.score.bootstrap import bootstrap_interval
from speechgru.score.counts import ErrorCounts

RIGHT = ErrorCounts(hits=1)
WRONG = ErrorCounts(substitutions=1)


def binomial_quantile(level: float, n: int, p: float) -> int:
    total = 0.0
    for k in range(n + 1):
        total += math.comb(n, k) * p**k * (1 - p) ** (n - k)
        if total >= level:
            return k
    return n


def test_single_words_follow_the_binomial_distribution():
    # 30 of 200 words wrong: a draw has Binomial(200, 0.15) wrong ones.
    lower, upper = bootstrap_interval([WRONG] * 30 + [RIGHT] * 170, num_samples=20000)
    assert lower == pytest.approx(binomial_quantile(0.025, 200, 0.15) / 200, abs=0.006)
    assert upper == pytest.approx(binomial_quantile(0.975, 200, 0.15) / 200, abs=0.006)


def test_two_utterances_worked_by_hand():
    # The rate of a draw is 0, 1/2 or 1 with probabilities 1/4, 1/2, 1/4.
    counts = [RIGHT, WRONG]
    assert bootstrap_interval(counts, confidence=0.95) == (0.0, 1.0)
    assert bootstrap_interval(counts, confidence=0.4) == (0.5, 0.5)


def test_longer_utterances_weigh_more():
    # Draws: both long 0/18, mixed 1/10 (twice as often), both short 2/2.
    counts = [ErrorCounts(hits=9), WRONG]
    assert bootstrap_interval(counts, confidence=0.4) == (0.1, 0.1)
    assert bootstrap_interval(counts, confidence=0.95) == (0.0, 1.0)


def test_utterances_are_resampled_whole():
    # The same words in fewer utterances make a wider interval.
    fine = bootstrap_interval([WRONG] * 50 + [RIGHT] * 50)
    coarse = bootstrap_interval(
        [ErrorCounts(substitutions=10)] * 5 + [ErrorCounts(hits=10)] * 5
    )
    assert coarse[1] - coarse[0] > 2 * (fine[1] - fine[0])


def test_equal_seeds_give_equal_intervals():
    generator = np.random.default_rng(1)
    counts = [
        ErrorCounts(substitutions=int(wrong), hits=10 - int(wrong))
        for wrong in generator.integers(0, 5, size=60)
    ]
    first = bootstrap_interval(counts, seed=3)
    assert bootstrap_interval(counts, seed=3) == first
    assert len({bootstrap_interval(counts, 50, seed=seed) for seed in range(9)}) > 1
    rate = sum(counts, start=ErrorCounts()).rate
    assert first[0] < rate < first[1]


def test_a_perfect_score_has_no_spread():
    assert bootstrap_interval([RIGHT] * 5) == (0.0, 0.0)


def test_draws_without_a_reference_word_are_zero_or_infinite_never_nan():
    assert bootstrap_interval([ErrorCounts()] * 3) == (0.0, 0.0)
    inserted = ErrorCounts(insertions=1)
    assert bootstrap_interval([inserted, RIGHT]) == (0.0, math.inf)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"counts": []}, "no utterances to resample"),
        ({"counts": [RIGHT], "num_samples": 0}, "num_samples is 0"),
        ({"counts": [RIGHT], "confidence": 95}, "confidence is 95, expected between"),
    ],
)
def test_rejects_impossible_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        bootstrap_interval(**arguments)
