"""One run of a sweep: `speechgru train` in a process of its own.

So a run may have several processes, and the end of one, however it comes, ends
no other run. What launches it, be it here, in a worker of joblib or in a job of
submitit, only waits for it and passes signals on.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from speechgru.cli.sweep import STOP_FILE, Sweep
from speechgru.interfaces import InputError
from speechgru.progress import say_line
from speechgru.report.sweep import RECORD, SweptRun, read_swept_run
from speechgru.training.interruption import Interrupted

OUTPUT_FILE = "output.txt"
"""What a run has printed that shares the terminal with others."""

SWEPT = "SPEECHGRU_SWEPT"
"""In the environment of a run: it ends when what launched it has ended."""

POLL = 0.2  # s
_NOT_FOR_RUNS = (
    *("hydra/launcher", "hydra/sweeper", "hydra.launcher", "hydra.sweep"),
    *("hydra.run.dir", "hydra.mode"),
)


def train_swept(sweep: Sweep) -> float | None:
    """Train the run that Hydra has composed.

    Returns:
        The lowest dev score; None: it failed, was stopped or not validated.

    Raises:
        Interrupted: in the process that launches one run after the other.
    """
    settings = HydraConfig.get()
    folder = Path(settings.runtime.output_dir)
    task = list(settings.overrides.task)
    if stopping := _signals(sweep):
        with contextlib.suppress(OSError):
            folder.rmdir()
        _end_here(sweep, stopping[0])
        return None
    pairs = (override.partition("=") for override in task)
    run = SweptRun(settings.job.num, {key: value for key, _, value in pairs})
    run.write(folder)
    say_line(f"run {run.number}: {run.describe(sweep.swept)}")
    others = [
        override
        for override in settings.overrides.hydra
        if not override.startswith(_NOT_FOR_RUNS)
    ]
    flags = [] if sweep.config_dir is None else ["--config-dir", sweep.config_dir]
    place = f"hydra.run.dir={_quoted(folder)}"
    arguments = ["train", *flags, *task, *others, place]
    status = _run(sweep, [sys.executable, "-m", "speechgru", *arguments], folder)
    run = read_swept_run(folder)
    if stopping := _signals(sweep):
        _end_here(sweep, stopping[0])
        return None
    if status != 0 and run.error is None:
        run = run.fail(_describe_end(status, folder))
        run.write(folder)
    return run.score if run.ended else None


@contextlib.contextmanager
def recording(folder: Path) -> Iterator[Callable[[Mapping[str, float]], None]]:
    """Keep what becomes of a run, if it is one of a sweep.

    Yields:
        What is to be called with the scores of a run that has ended well.
    """
    if not (folder / RECORD).exists():
        yield lambda scores: None
        return
    run = read_swept_run(folder)
    try:
        yield lambda scores: run.finish(*next(iter(scores.items()), ())).write(folder)
    except Exception as error:
        run.fail(str(error) or type(error).__name__).write(folder)
        raise


def end_with_launcher() -> None:
    """Let this process save and end when the one that launched it is no more."""
    if not os.environ.pop(SWEPT, None):
        return
    process = os.getpid()

    def watch() -> None:
        with contextlib.suppress(OSError):
            os.read(0, 1)  # nothing comes but the end
        os.kill(process, signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _run(sweep: Sweep, command: list[str], folder: Path) -> int:
    is_worker = os.getpid() != sweep.process
    parent, passed_on = os.getppid(), 0
    if is_worker:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # they come by the file
    with contextlib.ExitStack() as stack:
        output = None
        if not sweep.in_turn:
            output = stack.enter_context((folder / OUTPUT_FILE).open("wb"))
        # A session of its own: a Ctrl-C of the terminal would reach it twice.
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output and subprocess.STDOUT,
            start_new_session=True,
            # Lightning would take a job of submitit for one of its processes.
            env={**os.environ, SWEPT: "1", "SLURM_JOB_NAME": "bash"},
        )
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(POLL)
            for came in _signals(sweep)[passed_on:]:
                process.send_signal(came)
                passed_on += 1
            if is_worker and os.getppid() != parent and process.stdin:
                process.stdin.close()  # it ends as if this process had


def _signals(sweep: Sweep) -> list[int]:
    try:
        return [int(word) for word in (sweep.folder / STOP_FILE).read_text().split()]
    except FileNotFoundError:
        return []


def _end_here(sweep: Sweep, number: int) -> None:
    # Elsewhere what is left to be launched comes by, and ends at once.
    if os.getpid() == sweep.process:
        raise Interrupted(number)


def _describe_end(status: int, folder: Path) -> str:
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    output = folder / OUTPUT_FILE
    lines = output.read_text(errors="replace").split("\n") if output.exists() else []
    said = [line for line in lines if line.strip()]
    return said[-1].strip() if said else f"ended with exit status {status}"


def _quoted(folder: Path) -> str:
    from speechgru.cli.overrides import quote

    if "\n" in str(folder):
        raise InputError(f"{folder}: a line break in the name of a folder")
    return quote(str(folder), literal=True)
