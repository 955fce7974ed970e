import pytest

from speechgru.options.durations import to_seconds
from speechgru.options.training import TrainerOptions
from speechgru.ranges import OptionError


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("2h", 7200), ("90m", 5400), ("45s", 45), ("1h30m", 5400), ("1d12h", 129_600),
     ("0.5h", 1800), ("1:30:00", 5400), ("100:00:01", 360_001), (90, 5400),
     ("90", 5400), (0.5, 30)],
)  # fmt: skip
def test_a_time_is_read_as_people_write_it(written, seconds):
    assert to_seconds("max_time", written) == seconds


@pytest.mark.parametrize(
    "written",
    ["1:30", "", "h", "two hours", "30m1h", "1h 30", "-1h", "0s", 0, -1, True, [],
     float("nan"), float("inf"), "1e5", 1e300, "99999999999999999999h"],
)  # fmt: skip
def test_what_may_mean_several_times_or_none_is_refused(written):
    with pytest.raises(OptionError, match=r"max_time is .*, expected null, minutes"):
        to_seconds("max_time", written)


def test_a_run_has_one_length():
    with pytest.raises(OptionError, match=r"max_time is '2h' and trainer\.max_steps 9"):
        TrainerOptions(max_time="2h", max_steps=9)
    assert TrainerOptions(max_time="2h", max_epochs=9).max_seconds == 7200
