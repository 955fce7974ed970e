"""Long work says how far it is; short work says nothing."""

import io
import sys

import pytest

from speechgru import progress as module
from speechgru.progress import Pace, Progress, say_duration, say_line, track


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that only tests move."""

    class Clock:
        now = 1000.0

    monkeypatch.setattr(module.time, "monotonic", lambda: Clock.now)
    return Clock


def work(clock, seconds, total=100, **options):
    """Lines that are said of so many items, of so many s each."""
    lines = []
    with Progress("work", total, "files", say=lines.append, **options) as progress:
        for _ in range(total):
            clock.now += seconds
            progress.advance()
    return lines


def test_work_of_a_few_seconds_says_nothing(clock, capsys):
    assert work(clock, 0.05) == []
    list(track(range(3), "work", "files"))
    assert capsys.readouterr().err == ""


def test_a_line_tells_what_is_done_and_how_long_the_rest_will_take(clock):
    first, second, *_ = work(clock, 1)
    assert first == "work: 10 of 100 files, 10 s gone, about 1:30 min left"
    assert second == "work: 40 of 100 files, 40 s gone, about 1:00 min left"


@pytest.mark.parametrize(("hours", "most"), [(0.1, 13), (1, 21), (24, 145)])
def test_a_log_stays_short_however_long_the_work(clock, hours, most):
    lines = work(clock, hours * 3.6, total=1000)
    assert 5 < len(lines) <= most


def test_what_was_done_before_does_not_count_as_fast(clock):
    lines = []
    with Progress("get", 100.0, "MB", done=90.0, say=lines.append) as progress:
        clock.now += 30
        progress.advance(5)
    assert lines == ["get: 95.0 of 100.0 MB, 30 s gone, about 30 s left"]


def test_work_without_a_known_end_tells_what_is_done(clock):
    lines = []
    with Progress("get", None, "MB", say=lines.append) as progress:
        clock.now += 30
        progress.advance(5, lambda: "and a note")
    assert lines == ["get: 5.0 MB, 30 s gone; and a note"]


def test_a_slow_beginning_does_not_silence_what_follows(clock):
    lines = []
    with Progress("work", 101, "batches", say=lines.append) as progress:
        clock.now += 60
        progress.advance()  # at first it seems to take 1:40 h
        for _ in range(99):
            clock.now += 3
            progress.advance()
    assert len(lines) >= 8


def test_works_that_share_a_pace_say_no_more_than_one(clock):
    pace = Pace(10.0, clock.now)
    lines = [line for _ in range(50) for line in work(clock, 2, total=10, pace=pace)]
    assert len(lines) <= 1 + 1000 / 30


def test_a_terminal_has_a_bar_that_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(module, "BAR_DELAY", 0.0)
    monkeypatch.setattr(module, "NOTE_EVERY", 0.0)
    with Progress("work", 4, "files", done=1) as progress:
        progress.advance(1, lambda: "note 7")
        shown = sys.stderr.getvalue().split("\r")[-1]
    assert "work:  50 %|" in shown
    assert "| 2/4 files [" in shown
    assert shown.rstrip().endswith(", note 7]")
    assert sys.stderr.getvalue().split("\r")[-2].strip() == ""


def test_a_bar_of_short_work_is_never_drawn(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    list(track(range(3), "work", "files"))
    assert sys.stderr.getvalue().strip() == ""


def test_items_come_as_they_are_and_are_counted_when_they_are_done(clock):
    assert list(track(iter("abc"), "work", "letters", total=3)) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(7.6, "8 s"), (59.4, "59 s"), (200, "3:20 min"), (3599.6, "1:00 h"),
     (32700, "9:05 h")],
)  # fmt: skip
def test_times_are_said_as_people_say_them(seconds, said):
    assert say_duration(seconds) == said


def test_a_total_may_become_known_later(clock):
    lines = []
    with Progress("tune", None, "decodings", say=lines.append) as progress:
        progress.expect(4.0)
        clock.now += 30
        progress.advance(1.5)
        progress.expect(3.0)
        clock.now += 30
        progress.advance(0.5)
    assert lines == [
        "tune: 1.5 of 4.0 decodings, 30 s gone, about 50 s left",
        "tune: 2.0 of 3.0 decodings, 1:00 min gone, about 30 s left",
    ]


def test_lines_are_written_in_front_of_a_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(module, "BAR_DELAY", 0.0)
    with Progress("work", None, "files") as progress:
        progress.expect(4)
        progress.advance()
        say_line("look")
        written = sys.stderr.getvalue()
    _, before, after = written.rpartition("look\n")
    assert before
    assert "work:" in after
    assert written.partition("look\n")[0].split("\r")[-1].strip() == ""
