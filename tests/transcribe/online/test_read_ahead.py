"""Reading in front of who listens, and whether they keep up."""

import io
import os
import threading

import pytest

from speechgru.transcribe.online import read_ahead
from speechgru.transcribe.online.lag import LagWatch
from speechgru.transcribe.online.read_ahead import ReadAhead


def drain(ahead: ReadAhead) -> bytes:
    return b"".join(iter(ahead.get, b""))


def test_all_of_a_stream_is_read_in_its_order():
    content = os.urandom(300_000)
    assert drain(ReadAhead(io.BytesIO(content))) == content


def test_a_pipe_is_emptied_while_nobody_listens():
    end, start = os.pipe()
    with os.fdopen(end, "rb") as pipe, os.fdopen(start, "wb") as recorder:
        ahead = ReadAhead(pipe)
        recorder.write(b"a" * 1_000_000)  # more than a pipe holds: this would wait
        recorder.flush()
        heard = b""
        while len(heard) < 1_000_000:
            heard += ahead.get()
        recorder.close()
        assert ahead.get() == b""


def test_no_more_is_kept_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(read_ahead, "MOST", 1000)
    monkeypatch.setattr(read_ahead, "AT_ONCE", 400)
    ahead = ReadAhead(io.BytesIO(b"a" * 5000))
    most, total = 0, 0
    while part := ahead.get():
        most = max(most, ahead.num_waiting + len(part))
        total += len(part)
    assert total == 5000
    assert most <= 1400


def test_one_that_is_stopped_gives_what_it_has_and_waits_no_longer():
    end, start = os.pipe()
    with os.fdopen(end, "rb") as pipe, os.fdopen(start, "wb", 0) as recorder:
        ahead = ReadAhead(pipe)
        recorder.write(b"abc")
        assert ahead.get() == b"abc"
        assert ahead.is_waited_for
        timer = threading.Timer(0.05, ahead.stop)
        timer.start()
        assert ahead.get() == b""
        timer.join()


def test_what_cannot_be_read_is_an_error():
    class Broken(io.BytesIO):
        def read1(self, size=-1):
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        ReadAhead(Broken()).get()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_who_falls_behind_is_told_and_who_keeps_up_is_not():
    clock, said = Clock(), []
    lag = LagWatch(said.append, clock)
    for second in range(1, 60):  # a file: faster than it sounds
        clock.now = second / 10
        lag.look(second, 500.0)
    assert said == []
    clock.now = 100.0
    lag.catch_up(60.0)
    clock.now = 110.0
    lag.look(69.5, 0.5)
    assert said == []
    clock.now = 111.5
    lag.look(70.0, 1.25)
    assert len(said) == 1
    assert said[0].startswith("cannot keep up: 1.5 s behind, 1.2 s of sound wait")
    clock.now = 112.0
    lag.look(70.2, 1.9)  # not yet twice as much
    assert len(said) == 1
    clock.now = 114.0
    lag.look(70.9, 3.2)
    assert said[1].startswith("cannot keep up: 3.1 s behind")
    lag.catch_up(71.0)
    clock.now = 115.1
    lag.look(71.0, 1.1)
    assert len(said) == 3
