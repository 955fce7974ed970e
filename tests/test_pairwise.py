"""Any two values meet; far fewer rows than the full product has."""

import itertools
import math

import pytest
from pairwise import pairwise

PRODUCTS = [
    {"a": [1, 2], "b": [3, 4]},
    {"a": [1], "b": [2], "c": [3]},
    {"member": list("abcde"), "norm": [None, "batch", "layer"], "residual": [0, 1],
     "hearing": [{}, {"x": 1}, {"x": 2}]},
    {name: list(range(4)) for name in "abcdef"},
]  # fmt: skip


@pytest.mark.parametrize("factors", PRODUCTS, ids=len)
def test_any_two_values_of_two_options_meet(factors):
    rows = [dict(zip(factors, row, strict=True)) for row in pairwise(factors)]
    for one, other in itertools.combinations(factors, 2):
        for values in itertools.product(factors[one], factors[other]):
            assert any((row[one], row[other]) == values for row in rows), values


@pytest.mark.parametrize("factors", PRODUCTS, ids=len)
def test_rows_are_of_the_product_each_once_and_the_same_at_every_call(factors):
    rows = pairwise(factors)
    assert rows == pairwise(factors)
    assert all(row in itertools.product(*factors.values()) for row in rows)
    assert all(rows.count(row) == 1 for row in rows)


def test_there_are_as_few_rows_as_two_options_ask_for_or_hardly_more():
    two, one, family, many = map(pairwise, PRODUCTS)
    assert (len(two), len(one)) == (4, 1)
    assert 15 <= len(family) <= 18
    assert 16 <= len(many) <= 32
    assert math.prod(map(len, PRODUCTS[2].values())) == 90
