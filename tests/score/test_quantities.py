"""Error rates against a quantity of the utterances."""

import pytest

from speechgru.score.quantities import rates_by_quantity, speaking_rates
from speechgru.score.results import make_result


def heard(id, text="GO", duration=2.0):
    return make_result(id, "GO", text, "levenshtein", duration=duration)


def test_classes_hold_equally_many_from_the_least_on():
    results = [heard(f"u{n}", "GO" if n < 20 else "ON") for n in range(25)]
    quantities = {f"u{n}": float(n) for n in range(25)}
    rates = rates_by_quantity(list(reversed(results)), quantities, digits=0)
    assert [*rates] == ["0 to 4", "5 to 9", "10 to 14", "15 to 19", "20 to 24"]
    assert [rate.counts.rate for rate in rates.values()] == [0, 0, 0, 0, 1]
    assert {rate.counts.reference_length for rate in rates.values()} == {5}


def test_equal_quantities_stay_together():
    results = [heard(f"u{n}") for n in range(30)]
    rates = rates_by_quantity(results, {f"u{n}": float(n >= 10) for n in range(30)})
    assert [rate.counts.reference_length for rate in rates.values()] == [10, 20]


@pytest.mark.parametrize("quantities", [{}, {f"u{n}": 3.0 for n in range(30)}])
def test_nothing_is_said_where_all_are_alike_or_unknown(quantities):
    assert rates_by_quantity([heard(f"u{n}") for n in range(30)], quantities) == {}


def test_a_handful_of_utterances_has_no_classes():
    results = [heard(f"u{n}") for n in range(24)]
    assert rates_by_quantity(results, {f"u{n}": float(n) for n in range(24)}) == {}


def test_pace_counts_characters_without_spaces():
    said = make_result("a", "GO ON", "", "levenshtein", duration=2.0)
    unknown = make_result("b", "GO ON", "", "levenshtein")
    assert speaking_rates([said, unknown]) == {"a": 2.0}


def test_classes_whose_bounds_are_close_are_told_apart():
    results = [heard(f"u{n}") for n in range(100)]
    levels = {f"u{n}": -20 + 0.007 * (n - 50) for n in range(100)}
    rates = rates_by_quantity(results, levels, digits=0)
    assert [rate.counts.reference_length for rate in rates.values()] == [20] * 5
    assert next(iter(rates)) == "-20.4 to -20.2"
