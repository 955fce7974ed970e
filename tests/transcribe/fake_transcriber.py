"""A transcriber that other processes can load in no time, and that may die."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from speechgru.interfaces import InputError
from speechgru.transcribe.transcript import Failure, Transcript


class FakeTranscriber:
    """Hears what is written in a file; some words end the process, at
    MEET it waits for another process that is there, too."""

    def transcribe_many(
        self, sources: Sequence[str], batch_seconds: float
    ) -> Iterator[Transcript | Failure]:
        for source in sources:
            text = Path(source).read_text()
            if text == "KILL":
                os.kill(os.getpid(), signal.SIGKILL)
            if text == "EXIT":
                os._exit(3)
            if text == "INTERRUPT":
                os.kill(os.getpid(), signal.SIGINT)
            if text == "MEET":
                Path(source).with_suffix(".here").touch()
                while len([*Path(source).parent.glob("*.here")]) < 2:
                    time.sleep(0.01)
            if text == "BAD":
                yield Failure(source, f"{source}: bad")
                continue
            yield Transcript(source, f"{text} {os.getpid()}", 1.0, -1.0, 0.9, (), ())


def load_refused() -> FakeTranscriber:
    raise InputError("a.ckpt: no such file")


def load_killed() -> FakeTranscriber:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError
