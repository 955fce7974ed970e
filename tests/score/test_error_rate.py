import math
import random

import pytest
import torch

from speechgru.interfaces import InputError
from speechgru.score.counts import (
    ErrorCounts,
    count_character_errors,
    count_word_errors,
)
from speechgru.score.error_rate import ErrorRate


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("", "", ErrorCounts(0, 0, 0, 0)),
        ("", "A B", ErrorCounts(insertions=2)),
        ("A B", "", ErrorCounts(deletions=2)),
        ("A B C", "A B C", ErrorCounts(hits=3)),
        ("A B C", "A X C D", ErrorCounts(1, 0, 1, 2)),
        ("A B C D", "B C D E", ErrorCounts(0, 1, 1, 3)),
        ("A B", "AB", ErrorCounts(1, 1, 0, 0)),
        ("  A\t B\u3000C\n", "A B C", ErrorCounts(hits=3)),
        ("你好 世界", "你好 世", ErrorCounts(1, 0, 0, 1)),
    ],
)
def test_hand_worked_word_errors(reference, hypothesis, expected):
    assert count_word_errors(reference, hypothesis) == expected


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("", "", ErrorCounts()),
        ("", "A B", ErrorCounts(insertions=3)),
        ("A B", "", ErrorCounts(deletions=3)),
        ("A B", "AB", ErrorCounts(deletions=1, hits=2)),
        ("KITTEN", "SITTING", ErrorCounts(2, 0, 1, 4)),
        (" A  B ", "A B", ErrorCounts(hits=3)),
    ],
)
def test_hand_worked_character_errors_count_inner_spaces(
    reference, hypothesis, expected
):
    assert count_character_errors(reference, hypothesis) == expected


def minimal_edits(reference: list[str], hypothesis: list[str]) -> int:
    row = list(range(len(hypothesis) + 1))
    for i, expected in enumerate(reference, start=1):
        diagonal, row[0] = row[0], i
        for j, found in enumerate(hypothesis, start=1):
            change = diagonal + (expected != found)
            diagonal, row[j] = row[j], min(change, row[j] + 1, row[j - 1] + 1)
    return row[-1]


def test_edits_are_the_fewest_and_lengths_add_up():
    generator = random.Random(7)
    for _ in range(300):
        reference = generator.choices("ABC", k=generator.randrange(9))
        hypothesis = generator.choices("ABC", k=generator.randrange(9))
        counts = count_word_errors(" ".join(reference), " ".join(hypothesis))
        assert counts.edits == minimal_edits(reference, hypothesis)
        assert counts.reference_length == len(reference)
        assert counts.hits + counts.substitutions + counts.insertions == len(hypothesis)


def test_rate_without_reference_is_zero_or_infinite():
    assert ErrorCounts().rate == 0.0
    assert ErrorCounts(insertions=1).rate == math.inf
    assert ErrorCounts(1, 1, 2, 2).rate == 1.0


def test_counts_add_up():
    assert sum([ErrorCounts(1, 2, 3, 4)] * 2, start=ErrorCounts()) == ErrorCounts(
        2, 4, 6, 8
    )


REFERENCES = ["A B C", "D", "", "E F"]
HYPOTHESES = ["A X C", "D D D", "G", ""]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("word", ErrorCounts(1, 2, 3, 3)), ("character", ErrorCounts(1, 3, 5, 5))],
)
def test_metric_sums_over_the_corpus_however_it_is_batched(unit, expected):
    whole, single = ErrorRate(unit), ErrorRate(unit)
    whole.update(REFERENCES, HYPOTHESES)
    for reference, hypothesis in zip(REFERENCES, HYPOTHESES, strict=True):
        single.update([reference], [hypothesis])
    assert whole.counts() == single.counts() == expected
    assert whole.compute() == single.compute() == torch.tensor(expected.rate)


def test_metric_starts_at_zero_and_again_after_reset():
    metric = ErrorRate()
    metric.update([], [])
    assert metric.compute() == 0.0
    metric.update(["A"], ["B"])
    metric.reset()
    assert metric.counts() == ErrorCounts()


def test_metric_without_reference_words_is_infinite():
    metric = ErrorRate()
    metric.update([""], ["A"])
    assert metric.compute() == math.inf


def test_calling_the_metric_gives_the_rate_of_the_batch_and_keeps_the_sum():
    metric = ErrorRate()
    assert metric(["A B"], ["A C"]) == 0.5
    assert metric(["A B"], ["A B"]) == 0.0
    assert metric.compute() == 0.25


def test_states_stay_integers_when_the_model_is_halved():
    metric = torch.nn.ModuleDict({"wer": ErrorRate()}).half()["wer"]
    metric.update(["A B"], ["A"])
    assert metric.hits.dtype == torch.int64
    assert metric.compute().dtype == torch.float32


def test_processes_are_summed_not_averaged():
    other = ErrorRate()
    other.update(REFERENCES[1:], HYPOTHESES[1:])
    states = iter(
        [other.substitutions, other.deletions, other.insertions, other.hits] * 2
    )
    here = ErrorRate(
        dist_sync_fn=lambda state, group: [state, next(states)],
        distributed_available_fn=lambda: True,
    )
    here.update(REFERENCES[:1], HYPOTHESES[:1])
    assert here.compute() == torch.tensor(1.0)
    assert here.counts() == ErrorCounts(1, 2, 3, 3)
    assert here.hits == 2  # its own share again


def test_rejects_lists_of_different_length():
    with pytest.raises(InputError, match=r"^130 references but 129 hypotheses$"):
        ErrorRate().update(["A"] * 130, ["A"] * 129)


def test_rejects_unknown_unit():
    with pytest.raises(InputError, match="unit is 'phone', expected word or character"):
        ErrorRate("phone")
