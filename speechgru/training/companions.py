"""The processes that train together: none outlives another one that was killed."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.strategies.launchers.subprocess_script import (
    _SubprocessScriptLauncher,
)

from speechgru.interfaces import InputError
from speechgru.options.training import TrainerOptions
from speechgru.progress import say_line
from speechgru.training.interruption import Interrupted

LOST = 75
"""Status of a process that ends because another one is no more."""

_FIRST_PROCESS = "SPEECHGRU_FIRST_PROCESS"
"""Process that has started this one, in its environment."""

_BROKEN = re.compile(
    r"gloo|nccl|connection (was )?(closed|reset)|broken pipe|timed out waiting"
    r"|wait timeout|failed to recv|recvValue failed|sendBytes failed",
    re.IGNORECASE,
)
"""What torch says when it cannot reach another process."""

_LOOK = 0.2  # s, between two looks at the others
_SOON = 3.0  # s, until the end of a process is seen by those that spoke with it
_PATIENCE = 5.0  # s, for a process to notice by itself that another one is no more
_FAREWELL = 60.0  # s, for the others to end after training


class LostProcessError(Exception):
    """Another process of the run is no more; it, or a third one, says why.

    Attributes:
        status: of this process's exit.
    """

    def __init__(self, status: int) -> None:
        super().__init__("another process of the run has ended")
        self.status = status


class JoinedProcesses(DDPStrategy):
    """DDP, of processes that watch each other.

    Args:
        go_on: how to go on with the run, for messages.
        settings: see `DDPStrategy`.
    """

    def __init__(self, go_on: str, **settings: Any) -> None:
        super().__init__(**settings)
        self._go_on = go_on

    def _configure_launcher(self) -> None:
        self._launcher = Companions(
            self.cluster_environment, self.num_processes, self.num_nodes, self._go_on
        )


def choose_strategy(
    asked: TrainerOptions, devices: int | str | list[int], go_on: str
) -> str | JoinedProcesses:
    """What Lightning shall train by.

    Args:
        asked: what the user wants.
        devices: of this machine, as Lightning takes them.
        go_on: how to go on with the run, for messages.
    """
    several = asked.strategy == "auto" and devices not in ("auto", 1, "1")
    if asked.strategy != "ddp" and not several:
        return asked.strategy
    return JoinedProcesses(go_on, timeout=timedelta(seconds=asked.timeout))


class Companions(_SubprocessScriptLauncher):
    """Starts the other processes of this machine, unless they were, and ends with them.

    Lightning's own kills the first process by SIGKILL when another one fails, and
    leaves the others behind when the first is killed.

    Args:
        cluster_environment, num_processes, num_nodes: as of its parent.
        go_on: how to go on with the run, for messages.
    """

    def __init__(
        self, cluster_environment: Any, num_processes: int, num_nodes: int, go_on: str
    ) -> None:
        super().__init__(cluster_environment, num_processes, num_nodes)
        self._go_on = go_on

    def launch(
        self, function: Callable, *args: Any, trainer: Any = None, **kwargs: Any
    ) -> Any:
        """Call the function in all processes.

        Raises:
            InputError: another process was killed; it is for this one to say so.
            LostProcessError: another process is no more; it is not for this one.
        """
        self.cluster_environment.validate_settings(self.num_processes, self.num_nodes)
        first = os.environ.get(_FIRST_PROCESS)
        if first is not None and self.cluster_environment.local_rank() > 0:
            with self._watching(lambda: self._find_first(int(first)), _say_and_end):
                return self._call(
                    function, args, kwargs, lambda: self._find_first(int(first))
                )
        if self.cluster_environment.creates_processes_externally:
            return self._call(function, args, kwargs, None)
        self._start()
        try:
            with self._watching(self._find_dead, self._kill_and_end):
                result = self._call(function, args, kwargs, self._find_dead)
        except Interrupted:
            raise  # after the same step on all; or the caller kills them
        except BaseException:
            self.kill(signal.SIGKILL)
            raise
        self._wait()
        return result

    def _start(self) -> None:
        os.environ[_FIRST_PROCESS] = str(os.getpid())
        try:
            self._call_children_scripts()
        finally:
            del os.environ[_FIRST_PROCESS]

    def _wait(self) -> None:
        end = time.monotonic() + _FAREWELL
        for process in self.procs:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()

    def _call(
        self,
        function: Callable,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        find_end: Callable[[], Exception | None] | None,
    ) -> Any:
        """Call the function, and say of its error whether another process caused it."""
        try:
            return function(*args, **kwargs)
        except InputError:
            raise
        except Exception as error:
            end = None if find_end is None else _wait_for(find_end)
            if end is not None:
                raise end from error
            if isinstance(error, RuntimeError) and _BROKEN.search(str(error)):
                raise self._explain_silence(error) from error
            raise

    def _explain_silence(self, error: Exception) -> Exception:
        """What to raise where torch has lost a process, and nobody knows which."""
        if self.cluster_environment.global_rank() != 0:
            return LostProcessError(LOST)
        text = str(error).strip().splitlines()[0]
        return InputError(
            f"another process of the run has ended, or cannot be reached ({text}); "
            f"what was written before says which and why; {self._go_on}"
        )

    def _find_dead(self) -> Exception | None:
        """What to raise if a process that this one has started has failed."""
        failed = {
            rank: process.returncode
            for rank, process in enumerate(self.procs, start=1)
            if process.poll()
        }
        for rank, status in failed.items():
            if status < 0:
                return InputError(
                    f"process {rank} of {self.num_processes} (rank {rank}) was killed "
                    f"by {_name_signal(-status)}; {self._go_on}"
                )
        if any(status != LOST for status in failed.values()):
            return LostProcessError(1)  # it has said why
        if failed:
            return InputError(
                f"processes {', '.join(map(str, failed))} of {self.num_processes} have "
                f"lost the connection to the others; {self._go_on}"
            )
        return None

    def _find_first(self, process: int) -> Exception | None:
        """What to raise if the process that has started this one is no more."""
        if os.getppid() == process:
            return None
        if self.cluster_environment.local_rank() != 1:
            return LostProcessError(LOST)
        return InputError(
            f"process 0 of {self.num_processes} (rank 0), which has started the "
            f"others, is no more: it was killed, perhaps because memory ran out; "
            f"{self._go_on}"
        )

    def _kill_and_end(self, end: Exception) -> None:
        self.kill(signal.SIGKILL)
        _say_and_end(end)

    @contextmanager
    def _watching(
        self,
        find_end: Callable[[], Exception | None],
        end_at_once: Callable[[Exception], None],
    ) -> Iterator[None]:
        """End this process if another one is no more and this one does not notice.

        It may wait for it in a call that does not return.
        """
        over = threading.Event()

        def watch() -> None:
            while not over.wait(_LOOK):
                end = find_end()
                if end is not None:
                    if not over.wait(_PATIENCE):
                        end_at_once(find_end() or end)
                    return

        threading.Thread(target=watch, name="companions", daemon=True).start()
        try:
            yield
        finally:
            over.set()


def _say_and_end(end: Exception) -> None:
    """End from another thread, where the main one cannot be reached."""
    if isinstance(end, LostProcessError):
        os._exit(end.status)
    say_line(f"speechgru train: {end}")
    os._exit(1)


def _wait_for(find_end: Callable[[], Exception | None]) -> Exception | None:
    """The end of another process, which may be seen a moment later than felt."""
    until = time.monotonic() + _SOON
    while (end := find_end()) is None and time.monotonic() < until:
        time.sleep(_LOOK / 2)
    if end is not None:
        time.sleep(_LOOK)  # what was killed counts more than what it took along
        end = find_end()
    return end


def _name_signal(number: int) -> str:
    hint = ", perhaps because memory ran out" if number == signal.SIGKILL else ""
    return f"signal {number} ({signal.Signals(number).name}){hint}"
