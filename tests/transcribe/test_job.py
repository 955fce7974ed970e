"""What a command line names, from the first file to what is said at the end."""

import os
import signal

import pytest
from transcribe.fake_transcriber import FakeTranscriber

from speechgru import progress
from speechgru.cli.stop import Stopped, stoppable
from speechgru.options import TranscribeOptions
from speechgru.transcribe import load
from speechgru.transcribe.job import Job


class Hearing:
    """A command line in a folder of texts that are called recordings."""

    def __init__(self, home):
        self.home = home
        (home / "a.ckpt").write_bytes(b"weights")

    def write(self, **texts):
        for name, text in texts.items():
            (self.home / f"{name}.wav").write_text(text)
        return [f"{self.home}/{name}.wav" for name in texts]

    def run(self, names, **options):
        options = {"output": f"{self.home}/out/"} | options
        job = Job(f"{self.home}/a.ckpt", TranscribeOptions(**options))
        try:
            with stoppable():
                job.run(names)
        finally:
            self.job = job
        return job

    @property
    def done(self):
        return sorted(path.stem for path in (self.home / "out").glob("*.txt"))


@pytest.fixture
def hearing(tmp_path, monkeypatch):
    def load_fake(checkpoint, decoding, hearing, *rest):
        return FakeTranscriber()

    monkeypatch.setattr(load, "load_transcriber", load_fake)
    return Hearing(tmp_path)


def test_one_bad_file_stops_none_is_listed_and_tried_again(hearing, capsys):
    names = hearing.write(a="A", b="BAD", c="C")
    job = hearing.run(names)
    assert hearing.done == ["a", "c"]
    assert [*job.summaries()] == [f"1 of 3 not transcribed: {names[1]}"]
    hearing.write(b="BETTER")
    job = hearing.run(names)
    assert hearing.done == ["a", "b", "c"]
    assert [*job.summaries()] == ["2 of 3 were transcribed before"]
    assert capsys.readouterr().err == f"speechgru transcribe: {names[1]}: bad\n"


def test_many_failures_are_counted_beyond_twenty(hearing):
    names = hearing.write(**{f"f{n:02}": "BAD" for n in range(25)})
    [summary] = hearing.run(names).summaries()
    assert summary.startswith("25 of 25 not transcribed: ")
    assert summary.endswith("f19.wav, and 5 more")


def test_what_is_named_twice_is_transcribed_once_and_told(hearing, capsys):
    [name] = hearing.write(a="A")
    assert hearing.run([name, name]).num_inputs == 1
    assert name + ": named twice; transcribed once" in capsys.readouterr().err


def test_shards_fill_one_folder(hearing):
    names = hearing.write(a="A", b="B", c="C", d="D", e="E")
    hearing.run(names, shard="2/2")
    assert hearing.done == ["b", "d"]
    hearing.run(names, shard="1/2")
    assert hearing.done == ["a", "b", "c", "d", "e"]
    assert hearing.run(names).num_before == 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_what_is_done(hearing, monkeypatch, number):
    names = hearing.write(a="A", b="STOP", c="C")
    heard = FakeTranscriber.transcribe_many

    def stop(self, sources, batch_seconds):
        for result in heard(self, sources, batch_seconds):
            if result.text.startswith("STOP"):
                os.kill(os.getpid(), number)
            yield result

    monkeypatch.setattr(FakeTranscriber, "transcribe_many", stop)
    with pytest.raises(Stopped) as stopped:
        hearing.run(names)
    assert stopped.value.status == 128 + number
    assert hearing.done == ["a"]
    said = hearing.job.describe_stop()
    assert (
        said
        == "stopped; 1 of 3 are transcribed, the same command goes on with the rest"
    )
    hearing.write(b="B")
    assert hearing.run(names).num_before == 1
    assert hearing.done == ["a", "b", "c"]


def test_progress_tells_files_and_the_real_time_factor(hearing, monkeypatch, capsys):
    monkeypatch.setattr(progress.Pace, "is_due", lambda *_: True)
    names = hearing.write(a="A", b="B", c="C")
    hearing.run(names[:1])
    capsys.readouterr()
    hearing.run(names)
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "transcribe: 2 of 3 files, 0 s gone, about 0 s left; real-time"
    )
