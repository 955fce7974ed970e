"""Comparing two systems from Python."""

import pytest

import speechgru
from speechgru.interfaces import InputError
from speechgru.score.results import make_result, write_results


def results(*hypotheses):
    return [
        make_result(str(index), "a b c d", hypothesis, "levenshtein")
        for index, hypothesis in enumerate(hypotheses)
    ]


FIRST = results("a b c d", "a b", "a b c")
SECOND = results("a b c d", "a b c d", "a b c")


def test_the_difference_is_that_of_second_minus_first():
    comparison = speechgru.compare(FIRST, SECOND)
    assert comparison.difference == pytest.approx(-2 / 12)  # 3 errors become 1
    assert speechgru.compare(SECOND, FIRST).difference == pytest.approx(2 / 12)


def test_files_say_what_results_say(tmp_path):
    write_results(tmp_path / "first.jsonl", FIRST)
    write_results(tmp_path / "second.jsonl", SECOND)
    by_path = speechgru.compare(
        tmp_path / "first.jsonl", str(tmp_path / "second.jsonl")
    )
    assert by_path == speechgru.compare(FIRST, SECOND)


def test_other_utterances_are_refused(tmp_path):
    with pytest.raises(InputError, match="second"):
        speechgru.compare(FIRST, SECOND[:2])
    with pytest.raises(InputError, match="cannot be read"):
        speechgru.compare(FIRST, tmp_path / "none.jsonl")
