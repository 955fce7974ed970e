"""What the best texts say together."""

import pytest

from speechgru.decode.n_best import vote


def test_words_that_are_common_at_the_ends_count_also_where_others_are_missing():
    # B is said twice in one text; it has A and the last B of the other.
    assert vote({"A B": 0.0, "A B B": 0.0}) == [1.0, 1.0]
    assert vote({"A C B": 0.0, "A B": 0.0}) == [1.0, 0.5, 1.0]
    assert vote({"A": 0.0, "": 0.0}) == [0.5]


def test_long_texts_are_compared_where_they_differ():
    words = [f"W{index % 7}" for index in range(20_000)]
    other = [*words[:-3], "X", *words[-2:]]
    votes = vote({" ".join(words): 0.0, " ".join(other): 0.0})
    assert votes == pytest.approx([1.0] * 19_997 + [0.5, 1.0, 1.0])
