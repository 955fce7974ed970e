"""Transcription on several processes, each with a model of its own.

Processes are started anew, not forked: a fork of a process whose libraries have
threads may hang.
"""

import contextlib
import logging
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, cast

from speechgru.files import printable
from speechgru.interfaces import InputError
from speechgru.transcribe.inputs import Input
from speechgru.transcribe.places import source_of
from speechgru.transcribe.transcript import Failure, Transcript

if TYPE_CHECKING:
    from speechgru.transcribe.transcriber import Transcriber

log = logging.getLogger(__name__)

Result = Transcript | Failure
Load = Callable[[], "Transcriber"]
Task = list[tuple[int, Input]]
"""Inputs that a process takes at once, each with its place in the order."""

AHEAD = 8
"""Tasks for each process that may wait for one that was begun before them."""


def transcribe_on_processes(
    tasks: Sequence[Sequence[Input]],
    load: Load,
    num_processes: int,
    batch_seconds: float,
) -> Iterator[Result]:
    """Transcribe on several processes.

    A process that dies, as one does that the system kills to get its memory, takes
    nothing with it: its recordings are given to another one by one, and the one at
    which that dies, too, is a failure.

    Args:
        tasks: recordings that a process takes at once.
        load: gives each process its transcriber; it can be pickled.
        num_processes: at most.
        batch_seconds: as of `Transcriber.transcribe_many`.

    Returns:
        One result per recording, in their order, once a process is ready.

    Raises:
        InputError: the transcriber cannot be loaded.
    """
    numbered, at = deque[Task](), 0
    for task in tasks:
        numbered.append(list(enumerate(task, at)))
        at += len(task)
    crew = _Crew(load, batch_seconds, numbered)
    try:
        crew.start(min(num_processes, len(tasks)))
    except BaseException:
        crew.end()
        raise
    return crew.work()


class _Worker:
    """A process, what it has been given, and what of that it has not answered."""

    def __init__(self, load: Load, batch_seconds: float) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(
            target=_serve, args=(theirs, load, batch_seconds), daemon=True
        )
        # Ctrl-C is for the process that starts this one, and ends it. Python's
        # tracker, if it were started in between, would let it through.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self.is_ready = False
        self.left: Task = []

    def give(self, task: Task) -> None:
        self.left = list(task)
        # One that has died in the meantime is found out when it is listened to.
        with contextlib.suppress(OSError):
            self.connection.send([each.audio for _, each in task])

    def end(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.join()


class _Crew:
    """All processes, and what they have to do."""

    def __init__(self, load: Load, batch_seconds: float, waiting: deque[Task]) -> None:
        self._load = load
        self._batch_seconds = batch_seconds
        self._waiting = waiting
        self._workers: dict[Connection, _Worker] = {}
        self._results: dict[int, Result] = {}

    def start(self, num_processes: int) -> None:
        for _ in range(num_processes):
            self._hire()
        while not any(worker.is_ready for worker in self._workers.values()):
            self._listen()

    def work(self) -> Iterator[Result]:
        most = AHEAD * len(self._workers)
        next_index = 0
        begun = deque[int]()  # first indices of tasks that may be on their way
        furthest = -1
        try:
            while self._waiting or any(each.left for each in self._workers.values()):
                while begun and begun[0] < next_index:
                    begun.popleft()
                for worker in self._workers.values():
                    if not self._waiting or not worker.is_ready or worker.left:
                        continue
                    first, _ = self._waiting[0][0]
                    if first > furthest and len(begun) < most:
                        begun.append(first)
                        furthest = first
                    # What is tried again is never waited for.
                    if first <= furthest:
                        worker.give(self._waiting.popleft())
                self._listen()
                while next_index in self._results:
                    yield self._results.pop(next_index)
                    next_index += 1
        finally:
            self.end()

    def end(self) -> None:
        for worker in self._workers.values():
            worker.end()

    def _hire(self) -> None:
        worker = _Worker(self._load, self._batch_seconds)
        self._workers[worker.connection] = worker

    def _listen(self) -> None:
        for connection in wait(list(self._workers)):
            worker = self._workers[cast(Connection, connection)]
            try:
                answer: Any = worker.connection.recv()
            except (EOFError, OSError):
                self._replace(worker)
                continue
            if isinstance(answer, InputError):
                raise answer
            if answer is None:
                worker.is_ready = True
                continue
            index, _ = worker.left.pop(0)
            self._results[index] = answer

    def _replace(self, worker: _Worker) -> None:
        """Do without a process that has died, and with what it had to do."""
        del self._workers[worker.connection]
        worker.process.join()
        why = _describe_end(worker.process.exitcode)
        if not worker.is_ready:
            raise InputError(
                f"a process {why} while it loaded the checkpoint, expected room for "
                "one in each; set processes= to fewer"
            )
        if len(worker.left) == 1:
            [(index, each)] = worker.left
            name = each.source if isinstance(each.source, str) else source_of(each)
            message = (
                f"{printable(name)}: the process that transcribed it {why}, expected "
                "enough memory; set processes= to fewer, or cut it into parts"
            )
            self._results[index] = Failure(name, message)
        else:
            log.debug("a process %s; its recordings are tried one by one", why)
            self._waiting.extendleft([one] for one in reversed(worker.left))
        self._hire()


def _describe_end(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = ", as the system does when memory is short" if name == "SIGKILL" else ""
        return f"was killed by {name}{hint}"
    return f"ended with exit status {code}"


def _serve(connection: Connection, load: Load, batch_seconds: float) -> None:
    """Answer tasks until nobody asks any more; what runs in each process."""
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            transcriber = load()
        except (InputError, OSError, ImportError) as error:
            connection.send(InputError(str(error)))
            return
        connection.send(None)
        while True:
            sources = connection.recv()
            for result in transcriber.transcribe_many(sources, batch_seconds):
                connection.send(result)
