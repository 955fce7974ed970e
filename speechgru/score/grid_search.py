"""Searching two weights for the fewest errors, from coarse to fine."""

from collections.abc import Callable, Iterator, Sequence

COARSE_STEP = 3
SLACK = 0.01  # of the fewest errors: pairs within it have their neighbours tried

Pair = tuple[float, float]


class GridSearch:
    """Which pairs of weights to try next.

    First every third of either list. Then the neighbours of each pair that is
    nearly as good as the best, until all neighbours of such are known: on a
    surface without a second valley, this finds the best pair of the whole
    grid.

    Args:
        firsts: of the first weight; sorted here.
        seconds: of the second.
    """

    def __init__(self, firsts: Sequence[float], seconds: Sequence[float]) -> None:
        self.firsts = sorted({float(value) for value in firsts})
        self.seconds = sorted({float(value) for value in seconds})
        self.errors: dict[Pair, int] = {}

    @property
    def num_pairs(self) -> int:
        """Of the grid, those that may never be tried."""
        return len(self.firsts) * len(self.seconds)

    @property
    def best(self) -> Pair:
        """The pair with the fewest errors; of equal ones, that of the least weights."""
        return min(self.errors, key=lambda pair: (self.errors[pair], pair))

    def run(self, measure: Callable[[float, float], int]) -> Iterator[list[Pair]]:
        """Try pairs, round by round.

        Args:
            measure: counts the errors of a pair.

        Yields:
            What the next round tries, before it is tried.
        """
        pairs = [(a, b) for a in _thin(self.firsts) for b in _thin(self.seconds)]
        while pairs:
            yield pairs
            for pair in pairs:
                self.errors[pair] = measure(*pair)
            pairs = self._neighbours()

    def _neighbours(self) -> list[Pair]:
        fewest = min(self.errors.values())
        if fewest == 0:
            return []  # nothing can be better
        most = fewest + max(1, round(SLACK * fewest))
        good = [pair for pair, errors in self.errors.items() if errors <= most]
        near = {
            (a, b)
            for first, second in good
            for a in _around(self.firsts, first)
            for b in _around(self.seconds, second)
        }
        return sorted(near - set(self.errors))


def _thin(values: Sequence[float]) -> list[float]:
    """Every third value, and the last."""
    return sorted({*values[::COARSE_STEP], values[-1]})


def _around(values: Sequence[float], value: float) -> Sequence[float]:
    """A value of a sorted list, and those beside it."""
    place = values.index(value)
    return values[max(0, place - 1) : place + 2]
