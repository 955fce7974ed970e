"""So many steps fit into a time, with the validation behind each epoch."""

import pytest

from speechgru.training.budget import Costs, Position, fit_steps, plan, seconds_until

COSTS = Costs(step=2.0, between=10.0)  # s; an epoch of 20 steps takes 50
START = Position(step=0, within=0, steps_per_epoch=20)


def test_every_epoch_that_ends_costs_its_validation():
    assert seconds_until(20, START, COSTS) == 50
    assert seconds_until(30, START, COSTS) == 30 * 2 + 2 * 10
    within = Position(step=25, within=5, steps_per_epoch=20)
    assert seconds_until(40, within, COSTS) == 15 * 2 + 10
    assert seconds_until(25, within, COSTS) == 0


def test_whole_epochs_are_taken_where_little_is_left_unused():
    assert fit_steps(505.0, 505.0, START, COSTS) == 10 * 20


def test_what_is_left_is_used_for_a_shorter_epoch():
    # Twelve epochs would take 600 s, eleven leave 30: 10 steps and their validation.
    assert fit_steps(580.0, 580.0, START, COSTS) == 11 * 20 + 10


def test_a_time_of_less_than_an_epoch_ends_within_it():
    assert fit_steps(40.0, 40.0, START, COSTS) == 15


@pytest.mark.parametrize("seconds", [5.0, 0.0, -100.0])
def test_when_the_time_is_over_the_run_ends_at_once(seconds):
    within = Position(step=25, within=5, steps_per_epoch=20)
    assert fit_steps(seconds, 1000.0, within, COSTS) == 26
    behind = Position(step=40, within=0, steps_per_epoch=20)
    assert fit_steps(seconds, 1000.0, behind, COSTS) == 40


@pytest.mark.parametrize("whole", [30.0, 77.0, 300.0, 1234.5, 86_400.0])
@pytest.mark.parametrize("within", [0, 7, 19])
def test_the_plan_fills_the_time(whole, within):
    at = Position(step=within, within=within, steps_per_epoch=20)
    num_steps = plan(0.0, whole, None, at, COSTS)
    end = seconds_until(num_steps, at, COSTS)
    # Up to a step, or up to the validation for which no step is left.
    assert 0.95 * whole - COSTS.step - COSTS.between < end <= 0.98 * whole


def test_a_run_that_keeps_its_time_stays_as_it_is():
    at = Position(step=100, within=0, steps_per_epoch=20)
    assert plan(250.0, 505.0, 200, at, COSTS) is None
    # 250 + 5 epochs of 50 s are 500; slower or faster ones are not.
    slower, faster = Costs(2.4, 10.0), Costs(1.5, 10.0)
    assert plan(250.0, 505.0, 200, at, slower) < 200
    assert plan(250.0, 505.0, 200, at, faster) > 200
