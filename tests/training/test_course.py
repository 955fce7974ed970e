"""The turns of a run decide the learning rate of every step."""

import pytest

from speechgru.interfaces import InputError
from speechgru.training.course import MEASURED_STEPS, Course
from speechgru.training.schedule import one_cycle, warmup_cosine

WARMUP = 0.1


def factors(course, steps, schedule=warmup_cosine):
    return [course.factor(step, schedule, WARMUP) for step in steps]


def test_a_run_that_never_turned_follows_its_schedule_exactly():
    course = Course().begun(37)
    expected = [one_cycle((step + 1) / 37, WARMUP) for step in range(37)]
    assert factors(course, range(37), one_cycle) == expected


def test_a_run_of_unknown_length_goes_along_a_share_of_the_rise():
    found = factors(Course(), range(3 * MEASURED_STEPS))
    assert found[0] == pytest.approx(0.1 / MEASURED_STEPS)
    assert found == sorted(found)
    assert found[MEASURED_STEPS - 1] == pytest.approx(0.1)
    assert max(found) == found[MEASURED_STEPS]


def test_measured_steps_count():
    course = Course().stretched(20, 400, "measured", 60.0)
    assert factors(course, range(20)) == factors(Course(), range(20))
    whole = Course().begun(400)
    assert factors(course, range(20, 400)) == pytest.approx(
        factors(whole, range(20, 400))
    )


@pytest.mark.parametrize("num_steps", [60, 300])
def test_a_corrected_run_has_no_jump_and_ends_with_its_schedule(num_steps):
    before = Course().begun(100)
    course = before.bent(40, num_steps, 60.0)
    assert course.num_steps == num_steps
    found = factors(course, range(num_steps))
    assert found[:40] == factors(before, range(40))
    # No step changes more than the steepest of the remaining schedule's.
    steepest = 1.6 * 0.6 / (num_steps - 40) + 0.02
    assert abs(found[40] - found[39]) < steepest
    assert found[-1] == pytest.approx(0, abs=1e-12)
    assert course.progress(num_steps - 1) == 1


def test_a_shortened_run_goes_on_where_the_shorter_schedule_is():
    course = Course().begun(200).stretched(50, 100, "asked")
    expected = factors(Course().begun(100), range(50, 100))
    assert factors(course, range(50, 100)) == pytest.approx(expected)
    assert course.rise(warmup_cosine, WARMUP) == 0


def test_a_run_that_was_done_warms_up_again_to_the_longer_schedule():
    course = Course().begun(100).stretched(100, 200, "asked")
    assert course.rise(warmup_cosine, WARMUP) == 10
    found = factors(course, range(200))
    longer = factors(Course().begun(200), range(200))
    assert found[99] == 0
    assert found[100:110] == sorted(found[100:110])
    assert found[100] == pytest.approx(longer[100] / 10)
    assert found[109:] == pytest.approx(longer[109:])
    assert max(found[100:]) < 0.52, "half of the schedule is behind"


def test_a_little_more_changes_little():
    course = Course().begun(100).stretched(100, 105, "asked")
    assert max(factors(course, range(100, 105))) < 0.01


def test_a_run_that_was_lengthened_twice_rises_from_where_it_is():
    once = Course().begun(100).stretched(100, 200, "asked")
    twice = once.stretched(180, 400, "asked")
    assert factors(twice, range(180)) == factors(once, range(180))
    (last,), (next_one,) = factors(twice, [179]), factors(twice, [180])
    assert last < next_one < last + 0.05
    assert len(twice.turns) == 3


def test_a_turn_takes_the_place_of_what_was_to_come():
    course = Course().begun(100).bent(40, 80, 60.0)
    assert [turn.step for turn in course.stretched(30, 90, "asked").turns] == [0, 30]
    assert [turn.step for turn in course.stretched(40, 90, "asked").turns] == [0, 40]


def test_it_knows_where_a_run_had_ended_before_it_went_on():
    course = Course().begun(100).stretched(100, 150, "asked").bent(120, 130, 60.0)
    assert [step for step in range(200) if course.ended_at(step)] == [100]


def test_it_comes_back_as_it_was_written():
    course = Course().begun(100).bent(40, 80, 60.0).stretched(80, 90, "asked")
    assert Course.read(course.to_plain(), "length.json") == course


GOOD = Course().begun(100).bent(40, 80, 60.0).to_plain()


@pytest.mark.parametrize(
    "turns",
    [7, None, "begun", {}, [3], [GOOD[0] | {"step": -1}], [GOOD[0] | {"more": 1}],
     [GOOD[0] | {"reason": "stolen"}], [GOOD[0] | {"progress": float("nan")}],
     [GOOD[0] | {"num_steps": 0}], [GOOD[0] | {"max_time": "1h"}], GOOD[::-1],
     [GOOD[0]] * 2, [{"step": 0}], GOOD * 1000],
)  # fmt: skip
def test_what_is_no_course_is_refused(turns):
    with pytest.raises(InputError, match=r"^run/length\.json: "):
        Course.read(turns, "run/length.json")
