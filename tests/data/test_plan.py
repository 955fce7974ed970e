import math
import random
from collections import Counter
from itertools import product

import pytest

from speechgru.data.plan import BatchPlan, PlannedBatch
from speechgru.interfaces import InputError

WORLDS = list(product((1, 2, 3, 4), (1, 2)))  # processes, accumulated batches
GENERATOR = random.Random(0)
DURATIONS = [GENERATOR.uniform(0.5, 8.0) for _ in range(101)]


def make(num_ranks=1, rank=0, accumulate=1, durations=DURATIONS, **options):
    options = {"batch_seconds": 81.0, "num_buckets": 3, "shuffle": True, **options}
    return BatchPlan(
        durations, num_ranks=num_ranks, rank=rank, accumulate=accumulate, **options
    )


def deal(num_ranks, accumulate, epoch=0, **options) -> list[list[PlannedBatch]]:
    """The batches of every process in an epoch."""
    dealt = []
    for rank in range(num_ranks):
        plan = make(num_ranks, rank, accumulate, **options)
        plan.set_epoch(epoch)
        dealt.append(list(plan))
    return dealt


def steps_of(dealt: list[list[PlannedBatch]]) -> dict[int, set[int]]:
    """The utterances of each step, over all processes and parts."""
    steps: dict[int, set[int]] = {}
    for batch in (batch for batches in dealt for batch in batches):
        steps.setdefault(batch.step, set()).update(batch.indices)
    return steps


@pytest.mark.parametrize("num_utterances", [8, 9, 13, 101])
@pytest.mark.parametrize(("num_ranks", "accumulate"), WORLDS)
def test_every_utterance_is_planned_once_and_every_process_equally_often(
    num_ranks, accumulate, num_utterances
):
    for epoch in range(3):
        dealt = deal(num_ranks, accumulate, epoch, durations=DURATIONS[:num_utterances])
        counts = Counter(
            index for batches in dealt for batch in batches for index in batch.indices
        )
        assert counts == Counter(range(num_utterances))
        assert len({len(batches) for batches in dealt}) == 1
        plan = make(num_ranks, 0, accumulate, durations=DURATIONS[:num_utterances])
        assert len(dealt[0]) == len(plan) == plan.steps_per_epoch * accumulate
        assert all(batch.indices for batches in dealt for batch in batches)


@pytest.mark.parametrize(("num_ranks", "accumulate"), WORLDS)
def test_the_steps_are_the_same_however_they_are_dealt_out(num_ranks, accumulate):
    for epoch in range(2):
        alone = steps_of(deal(1, 1, epoch))
        assert steps_of(deal(num_ranks, accumulate, epoch)) == alone
        assert len(alone) > 5


@pytest.mark.parametrize(("num_ranks", "accumulate"), WORLDS)
def test_a_batch_knows_its_step_part_and_the_size_of_the_whole_step(
    num_ranks, accumulate
):
    dealt = deal(num_ranks, accumulate, epoch=4)
    sizes = {step: len(indices) for step, indices in steps_of(dealt).items()}
    parts = Counter()
    for batches in dealt:
        # A process takes its parts of a step one after the other.
        assert [batch.step for batch in batches] == [
            step for step in range(len(sizes)) for _ in range(accumulate)
        ]
        for batch in batches:
            assert batch.step_size == sizes[batch.step]
            assert batch.epoch == 4
            parts[batch.step, batch.part] += 1
    assert parts == Counter(product(sizes, range(num_ranks * accumulate)))


@pytest.mark.parametrize(("num_ranks", "accumulate"), WORLDS)
def test_the_parts_of_a_step_differ_by_one_utterance_at_most(num_ranks, accumulate):
    sizes: dict[int, list[int]] = {}
    for batch in (b for batches in deal(num_ranks, accumulate) for b in batches):
        sizes.setdefault(batch.step, []).append(len(batch.indices))
    assert all(max(parts) - min(parts) <= 1 for parts in sizes.values())


def test_the_plan_follows_from_seed_and_epoch():
    def plan(seed, epoch):
        return [batch.indices for batch in deal(1, 1, epoch, seed=seed)[0]]

    assert plan(1, 0) == plan(1, 0)
    assert len({tuple(plan(*key)) for key in product((1, 2), (0, 1, 2))}) == 6


def test_the_number_of_steps_is_the_same_in_every_epoch():
    assert len({len(deal(2, 2, epoch)[0]) for epoch in range(20)}) == 1


def test_steps_change_their_order_and_their_company_between_epochs():
    first, second = steps_of(deal(1, 1, 0)), steps_of(deal(1, 1, 1))
    together = {frozenset(step) for step in first.values()}
    assert not together & {frozenset(step) for step in second.values()}


@pytest.mark.parametrize("batch_seconds", [8.0, 20.0, 61.0, 1000.0])
@pytest.mark.parametrize("num_buckets", [1, 3, 8, 500])
def test_the_padded_seconds_of_a_step_stay_below_what_is_asked(
    batch_seconds, num_buckets
):
    dealt = deal(1, 1, batch_seconds=batch_seconds, num_buckets=num_buckets)
    for step in steps_of(dealt).values():
        assert len(step) * max(DURATIONS[index] for index in step) <= batch_seconds


def test_an_utterance_that_is_longer_than_a_batch_stands_alone():
    durations = [30.0, 1.0, 1.0, 1.0, 1.0, 40.0]
    steps = steps_of(deal(1, 1, durations=durations, batch_seconds=4, num_buckets=3))
    sizes = {index: len(step) for step in steps.values() for index in step}
    assert sizes[0] == sizes[5] == 1
    assert sizes[1] == sizes[2] == 4


def test_every_part_gets_an_utterance_though_the_step_grows_too_long():
    for batches in deal(4, 1, durations=[10.0] * 9, batch_seconds=10, num_buckets=1):
        assert [len(batch.indices) >= 1 for batch in batches] == [True, True]


def test_buckets_bring_like_durations_together():
    durations = [GENERATOR.uniform(0.5, 8.0) for _ in range(800)]

    def padding(num_buckets):
        plan = deal(1, 1, durations=durations, num_buckets=num_buckets)
        padded = sum(
            len(step) * max(durations[index] for index in step)
            for step in steps_of(plan).values()
        )
        return padded / sum(durations)

    assert padding(8) < padding(3) < padding(1)


def test_where_steps_are_few_buckets_are_fewer_than_asked_for():
    """Else the same utterances would meet in every epoch."""
    durations = [1 + index / 100 for index in range(300)]
    plans = [deal(1, 1, e, durations=durations, num_buckets=30)[0] for e in (0, 1)]
    steps = [{frozenset(batch.indices) for batch in plan} for plan in plans]
    assert len(steps[0]) == len(steps[1]) < 30
    assert not steps[0] & steps[1]


def test_the_larger_parts_of_a_step_go_round():
    dealt = deal(4, 1, durations=[1.0] * 900, batch_seconds=9.0, num_buckets=1)
    most = [sum(len(batch.indices) for batch in batches) for batches in dealt]
    assert sum(most) == 900
    assert max(most) - min(most) <= 0.02 * max(most)


def test_no_step_is_small_because_it_is_the_last():
    for total in range(40, 80):
        batches = deal(1, 1, durations=[1.0] * total, batch_seconds=20.0)[0]
        sizes = [len(batch.indices) for batch in batches]
        assert max(sizes) - min(sizes) <= 1
        assert len(sizes) == math.ceil(total / 20)


@pytest.mark.parametrize(("num_ranks", "per_rank"), [(1, 200.0), (8, 60.0)])
def test_a_step_is_nearly_full_and_little_of_it_is_padding(num_ranks, per_rank):
    """Durations as in LibriSpeech: most of 12 to 16 s, the others of 1.5 to 35 s."""
    short = [GENERATOR.triangular(1.4, 15.5, 14.0) for _ in range(20_000)]
    durations = [*short, *(GENERATOR.uniform(14, 17) for _ in range(10_000))]
    durations += [GENERATOR.uniform(17, 35) for _ in range(100)]
    budget = num_ranks * per_rank
    dealt = deal(
        num_ranks, 1, durations=durations, batch_seconds=budget, num_buckets=30
    )
    padded = sum(
        len(batch.indices) * max(durations[index] for index in batch.indices)
        for batches in dealt
        for batch in batches
    )
    assert sum(durations) / padded >= 0.95
    assert padded / (budget * len(dealt[0])) >= 0.93


def test_without_shuffling_the_shortest_come_first_in_every_epoch():
    for epoch in (0, 1):
        plan = deal(1, 1, epoch, shuffle=False, num_buckets=1)[0]
        order = [index for batch in plan for index in batch.indices]
        assert order == sorted(range(101), key=DURATIONS.__getitem__)


@pytest.mark.parametrize(("num_ranks", "accumulate"), [(1, 1), (2, 2), (3, 1)])
def test_skipped_batches_leave_the_tail_of_the_whole_plan(num_ranks, accumulate):
    for rank in range(num_ranks):
        plan = make(num_ranks, rank, accumulate)
        plan.set_epoch(2)
        whole = list(plan)
        for skip in (0, 1, 2, len(whole) - 1, len(whole)):
            plan.set_epoch(2, skip=skip)
            assert list(plan) == whole[skip:]
        # The next epoch is whole again, and its length was never another.
        plan.set_epoch(3)
        assert len(list(plan)) == len(plan) == len(whole)


@pytest.mark.parametrize("skip", [-1, 10_000])
def test_more_than_there_is_cannot_be_skipped(skip):
    with pytest.raises(ValueError, match=f"skip is {skip}, expected 0 to"):
        make().set_epoch(0, skip=skip)


@pytest.mark.parametrize(
    ("num_utterances", "num_ranks", "accumulate"), [(0, 1, 1), (3, 4, 1), (5, 3, 2)]
)
def test_fewer_utterances_than_parts_are_refused(num_utterances, num_ranks, accumulate):
    with pytest.raises(InputError, match=f"^{num_utterances} utterances cannot be"):
        make(num_ranks, 0, accumulate, durations=DURATIONS[:num_utterances])


@pytest.mark.parametrize(
    ("option", "value"), [("batch_seconds", 0), ("num_buckets", 0), ("accumulate", 0)]
)
def test_impossible_sizes_are_refused(option, value):
    with pytest.raises(InputError, match=f"{option} is {value}, expected"):
        make(**{option: value})


@pytest.mark.parametrize("steps_per_epoch", [1, 3, 7, 20])
@pytest.mark.parametrize("num_ranks", [1, 2])
def test_epochs_of_so_many_steps_are_passes_cut_anew(steps_per_epoch, num_ranks):
    durations = [1 + index % 5 for index in range(31)]
    options = {"batch_seconds": 15.0, "num_buckets": 3, "shuffle": True, "seed": 4}
    options |= {"num_ranks": num_ranks, "rank": num_ranks - 1, "accumulate": 2}
    passes = BatchPlan(durations, **options)
    expected = []
    for epoch in range(3):
        passes.set_epoch(epoch)
        expected += passes
    max_steps = 3 * passes.steps_per_epoch
    plan = BatchPlan(
        durations, **options, steps_per_epoch=steps_per_epoch, max_steps=max_steps
    )
    assert plan.steps_per_epoch == steps_per_epoch
    found, lengths = [], []
    for epoch in range(math.ceil(max_steps / steps_per_epoch)):
        plan.set_epoch(epoch)
        batches = list(plan)
        assert len(plan) == len(batches)
        lengths.append(len(batches))
        plan.set_epoch(epoch, skip=len(batches) // 2)
        assert list(plan) == batches[len(batches) // 2 :]
        found += batches
    assert found == expected
    assert set(lengths[:-1]) <= {2 * steps_per_epoch}
    plan.set_epoch(1000)
    assert list(plan) == []
