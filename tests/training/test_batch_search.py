"""The search for the largest batch, on a device that a number stands for."""

import pytest

from speechgru.training.batch_search import Found, Trial, advise, search


class Device:
    """Fits so many utterances of 10 s.

    A step takes 1 s, and 0.1 s for each, so that larger batches cost less.
    """

    def __init__(self, fits):
        self.fits = fits
        self.tried = []

    def __call__(self, count):
        self.tried.append(count)
        if count > self.fits:
            return None
        return Trial(count, 10.0 * count, 1 + 0.1 * count, 10.0 * count, 10**6 * count)


@pytest.mark.parametrize("fits", [1, 2, 7, 8, 9, 40, 99])
def test_the_largest_that_fits_is_found_within_a_tenth(fits):
    device = Device(fits)
    found = search(device, most=1000, seconds=100)
    largest = found.trials[-1].num_utterances
    assert largest <= fits < found.too_large
    assert found.too_large - largest <= max(1, 0.1 * largest)
    assert found.in_time
    assert len(device.tried) == len(set(device.tried)) <= 16


def test_nothing_may_fit():
    found = search(Device(0), most=1000, seconds=100)
    assert (found.trials, found.too_large) == ([], 1)
    assert advise(found, 0.9) is None


def test_no_more_is_tried_than_was_allowed():
    device = Device(10**9)
    found = search(device, most=20, seconds=100)
    assert max(device.tried) == 20
    assert found.too_large is None
    assert found.in_time


def test_when_time_is_up_what_was_found_is_told():
    now = iter(range(100))
    found = search(Device(10**9), most=10**6, seconds=3.5, clock=lambda: next(now))
    assert [trial.num_utterances for trial in found.trials] == [1, 2, 4, 8]
    assert not found.in_time


def trial(count, cost):
    return Trial(count, 10.0 * count, 10.0 * count * cost, 10.0 * count, 10**6)


def test_the_smallest_that_costs_hardly_more_is_advised():
    trials = [trial(1, 9.0), trial(2, 5.0), trial(4, 4.15), trial(8, 4.0)]
    assert advise(Found(trials, None, True), 0.9) == trials[2]


def test_a_margin_is_kept_to_what_fits():
    trials = [trial(1, 9.0), trial(4, 5.0), trial(8, 2.0), trial(9, 1.0)]
    assert advise(Found(trials, 10, True), 0.9) == trials[2]
    assert advise(Found(trials[:1], 2, True), 0.9) == trials[0]
