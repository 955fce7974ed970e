"""From coarse to fine, the best of the whole grid is found in half the time."""

import math
import random
from itertools import product

import pytest

from speechgru.score.grid_search import GridSearch

LM_WEIGHTS = [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4]
WORD_SCORES = [-2.0, -1.0, 0.0, 1.0, 2.0, 3.0]


def search(firsts, seconds, errors):
    """The search when it is done, and the rounds that it took."""
    grid = GridSearch(firsts, seconds)
    return grid, list(grid.run(errors))


def valley(seed):
    """Errors with one valley somewhere, and the noise of small numbers of words."""
    choose = random.Random(seed)
    lm, word = choose.choice(LM_WEIGHTS), choose.uniform(-2, 3)
    fewest, steepness, tilt = (
        choose.randint(10, 200), choose.uniform(5, 60), choose.uniform(-1, 1),
    )  # fmt: skip

    def errors(a, b):
        x, y = math.log(a / lm), (b - word) / 2
        noise = random.Random(f"{seed}/{a}/{b}").gauss(0, 0.05 * math.sqrt(fewest))
        return round(fewest + steepness * (x * x + y * y + tilt * x * y) + noise)

    return errors


def test_the_best_pair_is_as_good_as_that_of_the_whole_grid():
    tried = []
    for seed in range(100):
        errors = valley(seed)
        grid, _ = search(LM_WEIGHTS, WORD_SCORES, errors)
        whole = min(errors(*pair) for pair in product(LM_WEIGHTS, WORD_SCORES))
        assert grid.errors[grid.best] <= whole, seed
        tried.append(len(grid.errors))
    assert sum(tried) / len(tried) < 0.6 * len(LM_WEIGHTS) * len(WORD_SCORES)


def test_the_first_round_spans_the_grid_and_the_others_go_on_around_the_best():
    _, rounds = search(LM_WEIGHTS, WORD_SCORES, lambda a, b: round(10 + 10 * a + b * b))
    assert rounds[0] == list(product([0.05, 0.3, 1.0, 1.4], [-2.0, 1.0, 3.0]))
    assert rounds[1:] == [
        [(0.05, 0.0), (0.05, 2.0), (0.1, 0.0), (0.1, 1.0), (0.1, 2.0)],
        [(0.05, -1.0), (0.1, -1.0), (0.2, -1.0), (0.2, 0.0), (0.2, 1.0)],
    ]
    tried = [pair for pairs in rounds for pair in pairs]
    assert len(tried) == len(set(tried))


def test_nothing_more_is_tried_where_nothing_can_be_better():
    grid, rounds = search(LM_WEIGHTS, WORD_SCORES, lambda a, b: 0)
    assert len(rounds) == 1
    assert grid.best == (0.05, -2.0)


@pytest.mark.parametrize("seconds", [[0.0], [0.0, 0.0]])
def test_a_single_value_is_searched_along_the_other(seconds):
    grid, _ = search(
        [1.4, 0.1, 0.5], seconds, lambda a, b: round(100 * abs(a - 0.5)) + 1
    )
    assert grid.best == (0.5, 0.0)
    assert grid.num_pairs == 3


def test_an_ended_search_knows_the_best_so_far():
    def errors(a, b):
        if len(grid.errors) == 3:
            raise KeyboardInterrupt
        return round(100 * (a + abs(b)))

    grid = GridSearch(LM_WEIGHTS, WORD_SCORES)
    with pytest.raises(KeyboardInterrupt):
        list(grid.run(errors))
    assert grid.best == (0.05, 1.0)
