from pathlib import Path

import pytest

from speechgru.data.part import draw_hours
from speechgru.interfaces import InputError, Utterance

HOUR = [
    Utterance(f"u{index}", Path("a.wav"), float(1 + index % 9), "A")
    for index in range(720)
]


def seconds(some):
    return sum(each.duration for each in some)


@pytest.mark.parametrize("hours", [0.001, 0.25, 0.9])
def test_a_part_lasts_as_long_as_was_asked_for(hours):
    part = draw_hours(HOUR, hours)
    assert 0 <= seconds(part) - 3600 * hours < 9


def test_a_part_is_in_order_and_within_every_larger_one():
    indices = [
        [HOUR.index(each) for each in draw_hours(HOUR, hours)]
        for hours in (0.1, 0.4, 0.8)
    ]
    assert indices == [sorted(some) for some in indices]
    assert {*indices[0]} < {*indices[1]} < {*indices[2]}


def test_a_part_is_of_all_that_there_is():
    part = draw_hours(HOUR, 0.25)
    of_thirds = [sum(each in part for each in HOUR[n : n + 240]) for n in (0, 240, 480)]
    assert all(40 < count < 80 for count in of_thirds)
    assert {*part} == {*draw_hours(HOUR[::-1], 0.25)}


def test_all_can_be_asked_for_but_no_more():
    assert draw_hours(HOUR, seconds(HOUR) / 3600) == HOUR
    with pytest.raises(InputError, match=r"is 2, but train has 1.000 h; ask for less"):
        draw_hours(HOUR, 2)
    with pytest.raises(InputError, match=r"train has 0.000 h"):
        draw_hours([], 0.1)
