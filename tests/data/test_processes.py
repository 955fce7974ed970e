"""Processes that work for another one end with it, however it ends."""

import os
import signal
import subprocess
import sys
import time

import pytest

START = """
import os, time
from speechgru.data.processes import processes
with processes(2) as pool:
    ids = {pool.submit(os.getpid).result() for _ in range(20)}
    ids |= set(pool._processes)
    print(*ids, flush=True)
    time.sleep(600)
"""


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{process}/stat", encoding="utf-8") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_processes_end_with_one_that_is_killed(number):
    parent = subprocess.Popen(
        [sys.executable, "-c", START], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    workers = [int(word) for word in parent.stdout.readline().split()]
    assert workers
    assert all(map(is_running, workers))
    parent.send_signal(number)
    parent.wait()
    while any(map(is_running, workers)):
        time.sleep(0.05)
