import random
from pathlib import Path

from speechgru.data.overlap import Intervals


def by_force(kept, path, split, start, end):
    return {
        (s, id)
        for p, s, b, e, id in kept
        if p == path and s != split and start < e and b < end
    }


def test_an_overlap_is_found_if_there_is_one_and_only_then():
    generator = random.Random(5)
    kept, intervals, num_shared = [], Intervals(), 0
    for split in ("train", "dev", "test"):
        for index in range(60):
            path = Path(f"{generator.randrange(4)}.wav")
            start = generator.randrange(100)
            end = start + generator.choice([1, 2, 30])
            found = intervals.find_other(path, split, start, end)
            expected = by_force(kept, path, split, start, end)
            assert found in expected if expected else found is None
            num_shared += bool(expected)
            intervals.add(path, split, start, end, str(index))
            kept.append((path, split, start, end, str(index)))
    assert 20 < num_shared < 110


def test_what_only_touches_does_not_overlap():
    intervals = Intervals()
    intervals.add(Path("a"), "train", 1.0, 2.0, "x")
    assert intervals.find_other(Path("a"), "dev", 2.0, 3.0) is None
    assert intervals.find_other(Path("a"), "dev", 0.0, 1.0) is None
    assert intervals.find_other(Path("a"), "train", 1.0, 2.0) is None
    assert intervals.find_other(Path("b"), "dev", 1.0, 2.0) is None
    assert intervals.find_other(Path("a"), "dev", 1.9, 2.1) == ("train", "x")


class Seconds(float):
    """Counts how often any two are compared."""

    compared = 0

    def __lt__(self, other):
        Seconds.compared += 1
        return float(self) < float(other)

    def __gt__(self, other):
        return other < self

    def __ge__(self, other):
        return not self < other


def test_work_grows_with_the_number_of_segments_not_with_its_square():
    def work(count: int) -> int:
        intervals, path = Intervals(), Path("a")
        before = Seconds.compared
        for split in ("train", "dev"):
            for index in range(count):
                start, middle, end = (Seconds(index + part) for part in (0, 0.5, 1))
                intervals.find_other(path, split, start, middle)
                intervals.add(path, split, middle, end, str(index))
        return Seconds.compared - before

    few, many = work(100), work(1600)
    assert few > 100
    # 16 times as many: some 16 times the work, not 256 times.
    assert many < 40 * few
