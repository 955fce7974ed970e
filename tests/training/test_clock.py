"""How long training will take is reckoned from its steps."""

import math

import pytest

from speechgru.training.clock import TrainingClock


def train(clock, epoch, steps, now, seconds, begin=0):
    """Take steps of an epoch; return the time behind them."""
    clock.begin_epoch(epoch, begin, now)
    for _ in range(steps):
        now += seconds
        clock.end_step(now)
    return now


def test_the_run_is_reckoned_before_an_epoch_has_ended():
    clock = TrainingClock(steps_per_epoch=100, num_epochs=10, steps_between=10)
    assert math.isnan(clock.seconds_left)
    train(clock, 0, 20, 0.0, 2.0)
    assert clock.seconds_per_step == 2.0
    assert clock.seconds_per_epoch == 220.0
    assert clock.seconds_left == 2200.0 - 40.0


def test_the_first_step_is_not_like_the_others():
    clock = TrainingClock(100, 10, 0)
    clock.begin_epoch(0, 0, 0.0)
    clock.end_step(5.0)
    assert math.isnan(clock.seconds_per_step)
    clock.end_step(6.0)
    assert clock.seconds_per_step == 1.0


def test_a_slow_first_step_tells_enough():
    clock = TrainingClock(100, 10, 0)
    clock.begin_epoch(0, 0, 0.0)
    clock.end_step(30.0)
    assert clock.seconds_per_epoch == 3000.0


def test_what_lies_between_epochs_is_measured_once_it_was_seen():
    clock = TrainingClock(10, 3, steps_between=1)
    now = train(clock, 0, 10, 0.0, 1.0)
    clock.end_epoch(now + 5.0)
    assert clock.seconds_left == 2 * (10.0 + 5.0)
    # Saving is over when the next epoch begins.
    train(clock, 1, 4, now + 7.0, 1.0)
    assert clock.seconds_left == 2 * (10.0 + 7.0) - 4.0
    clock.begin_epoch(2, 10, 0.0)
    clock.end_epoch(1.0)
    assert clock.seconds_left == 0.0


def test_a_run_that_ends_within_an_epoch_has_no_more_to_do():
    # 1,000 steps of which an epoch has 800.
    clock = TrainingClock(800, 2, 0, missing_steps=600)
    now = train(clock, 0, 300, 0.0, 1.0)
    assert clock.seconds_left == 700.0
    now = train(clock, 0, 500, now, 1.0, begin=300)
    clock.end_epoch(now)
    now = train(clock, 1, 150, now, 1.0)
    assert clock.seconds_left == 50.0
    train(clock, 1, 50, now, 1.0, begin=150)
    clock.end_epoch(now)
    assert clock.seconds_left == 0.0


def test_an_epoch_that_is_resumed_within_has_fewer_steps_left():
    clock = TrainingClock(100, 10, 0)
    train(clock, 8, 20, 0.0, 1.0, begin=70)
    assert clock.seconds_left == 110.0


def test_a_machine_that_becomes_slower_is_noticed():
    clock = TrainingClock(100, 1000, 0)
    now = train(clock, 0, 100, 0.0, 1.0)
    for epoch in range(1, 5):
        now = train(clock, epoch, 100, now, 3.0)
    assert clock.seconds_per_step == pytest.approx(3.0, rel=0.1)
