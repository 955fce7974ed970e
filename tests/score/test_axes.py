"""Axes hold their values, and say whole numbers of what is counted."""

import math
import random

import pytest

from speechgru.score.axes import amounts, can_be_drawn, counts, write_number


@pytest.mark.parametrize("seed", range(30))
def test_no_value_is_cut_off(seed):
    generator = random.Random(seed)
    values = [10 ** generator.uniform(-9, 9) for _ in range(1 + seed % 5)]
    axis = amounts(values)
    for value in values:
        assert axis.low <= value <= axis.high
        assert 0 <= axis.place(value) <= 1
    assert 1 <= len(axis.ticks) <= 8
    assert [*axis.ticks] == sorted(set(axis.ticks))
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)


def test_what_spans_little_begins_at_zero_and_what_spans_much_is_logarithmic():
    assert (amounts([3, 4]).low, amounts([3, 4]).is_log) == (0, False)
    assert amounts([0.1, 4]).is_log
    assert not amounts([0, 4]).is_log  # zero has no logarithm
    assert not amounts([0.1, 4], may_be_log=False).is_log


def test_equal_parts_of_a_logarithmic_axis_are_equal_factors():
    axis = amounts([0.01, 100])
    distances = [
        axis.place(10 * value) - axis.place(value) for value in (0.01, 0.1, 1, 10)
    ]
    assert distances == pytest.approx([0.25] * 4)


def test_nothing_and_zero_have_an_axis():
    for values in ([], [0.0], [-2.0, 3.0], [-5.0]):
        axis = amounts(values)
        assert axis.low < axis.high
        assert all(axis.low <= value <= axis.high for value in values)


@pytest.mark.parametrize("last", [1, 2, 3, 7, 12, 100, 12345])
def test_epochs_are_whole_numbers(last):
    axis = counts([1, last])
    assert axis.low <= 1 < axis.high
    assert last <= axis.high
    assert axis.ticks
    assert len(axis.ticks) <= 10
    assert all(isinstance(tick, int) and 1 <= tick <= last for tick in axis.ticks)


def test_numbers_without_a_place_are_known():
    assert can_be_drawn(-3.5)
    assert not any(map(can_be_drawn, (math.nan, math.inf, -math.inf, 1e308)))


def test_ticks_are_written_as_people_write_them():
    assert [*map(write_number, (0.1, 1.0, 1000.0, 50000.0))] == [
        *("0.1", "1", "1000", "50000")
    ]
