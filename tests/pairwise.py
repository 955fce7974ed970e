"""Few cases in which any two values of different options still meet."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pytest


def pairwise(factors: Mapping[str, Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Choose rows of the full product, the one with most new pairs each time.

    Every value of every option meets every value of every other option in some
    row. The choice is the same at every call.

    Args:
        factors: values of each option; at least two options.

    Returns:
        Rows, a value of each option in each.
    """
    rows = list(itertools.product(*(range(len(each)) for each in factors.values())))
    left = {pair for row in rows for pair in _pairs(row)}
    chosen = []
    while left:
        best = max(rows, key=lambda row: len(left.intersection(_pairs(row))))
        left.difference_update(_pairs(best))
        chosen.append(best)
    values = list(factors.values())
    return [
        tuple(values[place][index] for place, index in enumerate(row))
        for row in sorted(chosen)
    ]


def _pairs(row: tuple[int, ...]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Any two places of a row, with what stands there."""
    return list(itertools.combinations(enumerate(row), 2))


def each_pair(**factors: Sequence[Any]) -> pytest.MarkDecorator:
    """Parametrise a test by the rows of `pairwise`."""
    rows = pairwise(factors)
    return pytest.mark.parametrize(list(factors), rows, ids=map(_name, rows))


def _name(row: tuple[Any, ...]) -> str:
    return "-".join(getattr(value, "__name__", str(value)) for value in row)
