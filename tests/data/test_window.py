from collections import Counter
from itertools import product

import numpy as np
import pytest

from speechgru.data.plan import BatchPlan
from speechgru.data.window import FileWindow
from speechgru.ranges import OptionError

NUM_FILES, PER_FILE = 40, 50
GENERATOR = np.random.default_rng(0)
FILES = np.repeat(np.arange(NUM_FILES), PER_FILE)
DURATIONS = GENERATOR.uniform(1, 9, NUM_FILES * PER_FILE)
WORLDS = list(product((1, 2, 3), (1, 2)))


def make(size=4, num_ranks=1, rank=0, accumulate=1, files=FILES, seed=1):
    return BatchPlan(
        DURATIONS[: len(files)],
        batch_seconds=60,
        num_buckets=6,
        shuffle=True,
        seed=seed,
        num_ranks=num_ranks,
        rank=rank,
        accumulate=accumulate,
        window=None if size is None else FileWindow(files, size, seed),
    )


def batches_of(plan, epoch, skip=0):
    plan.set_epoch(epoch, skip)
    return list(plan)


def places_of(plan, epoch):
    """When each utterance has its turn, (N,), in steps."""
    places = np.empty(len(FILES))
    for number, batch in enumerate(batches_of(plan, epoch)):
        places[list(batch.indices)] = number
    return places


@pytest.mark.parametrize(("num_ranks", "accumulate"), WORLDS)
def test_nothing_is_lost_or_twice_and_processes_have_equally_many_batches(
    num_ranks, accumulate
):
    dealt = [batches_of(make(4, num_ranks, r, accumulate), 2) for r in range(num_ranks)]
    assert len({len(batches) for batches in dealt}) == 1
    counts = Counter(
        index for some in dealt for batch in some for index in batch.indices
    )
    assert counts == Counter(range(len(FILES)))
    sizes = Counter()
    for batch in (batch for batches in dealt for batch in batches):
        sizes[batch.step, batch.step_size] += len(batch.indices)
    # What the loss is divided by is what the step holds over all processes.
    assert all(size == total for (_, size), total in sizes.items())


def test_steps_are_as_large_as_without_a_window():
    def sizes(plan):
        return sorted(len(batch.indices) for batch in batches_of(plan, 3))

    assert sizes(make(4)) == sizes(make(None))


def test_the_steps_are_the_same_on_any_number_of_processes():
    def steps(num_ranks):
        found = {}
        for rank in range(num_ranks):
            for batch in batches_of(make(4, num_ranks, rank), 1):
                found.setdefault(batch.step, set()).update(batch.indices)
        return found

    assert steps(1) == steps(3)


def test_a_resumed_epoch_is_the_tail_of_the_whole():
    whole = batches_of(make(), 5)
    assert batches_of(make(), 5, skip=17) == whole[17:]
    assert batches_of(make(seed=2), 5) != whole
    assert batches_of(make(), 6) != whole


def test_few_files_are_needed_at_once():
    def most_at_once(size):
        places = places_of(make(size), 0)
        first = np.array([places[file == FILES].min() for file in range(NUM_FILES)])
        last = np.array([places[file == FILES].max() for file in range(NUM_FILES)])
        times = np.arange(places.max())[:, None]
        return ((first <= times) & (times <= last)).sum(axis=1).max()

    assert most_at_once(None) == NUM_FILES
    # 8 utterances of a bucket in a file, and up to 30 in a step, which needs 4 files.
    assert most_at_once(2) <= 14
    assert most_at_once(4) <= 18


def test_places_in_two_epochs_have_nothing_to_do_with_each_other():
    plan = make()
    places = [places_of(plan, epoch) for epoch in range(12)]
    correlations = [
        np.corrcoef(first, second)[0, 1]
        for number, first in enumerate(places)
        for second in places[:number]
    ]
    # Of permutations of 40 files: 0 +- 0.16; the mean of 66 pairs, 0 +- 0.02.
    assert abs(np.mean(correlations)) < 0.06
    assert np.max(np.abs(correlations)) < 0.6


def test_utterances_of_a_file_are_mixed_with_those_of_others():
    batches = batches_of(make(), 0)
    num_files = [len(set(FILES[list(batch.indices)])) for batch in batches]
    sizes = [len(batch.indices) for batch in batches]
    assert np.mean(num_files) > 0.35 * np.mean(sizes)


@pytest.mark.parametrize("num_files", [1, 3, 4])
def test_where_files_are_few_all_are_mixed(num_files):
    window = FileWindow(np.arange(100) % num_files, 4, seed=1)
    assert (window.starts(epoch=0) == 0).all()
    assert window.at_once == num_files


def test_a_window_of_no_files_is_refused():
    with pytest.raises(OptionError, match="window is 0"):
        FileWindow(FILES, 0, seed=1)
