"""Processes that are started together, and what becomes of them when one is killed."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import TINY

from speechgru.checkpoint.storage import read_checkpoint

FAKE_SRUN = Path(__file__).with_name("fake_srun.py")
TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]
MODULE = ["-m", "speechgru"]
NEW_STORES = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
"""Lets a node of torchrun come back: it would ask for a store that is no more."""


def train(tones, folder, *overrides):
    return [
        *("train", *TINY, *tones.overrides, "callbacks.save_every=0"),
        *("encoder.num_layers=1", f"hydra.run.dir={folder}", *overrides),
    ]


def start(command, **told):
    return subprocess.Popen(
        command,
        env={**os.environ, "OMP_NUM_THREADS": "1", **told},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def find_ranks(folder):
    """The processes that train in a folder, by rank."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode().split("\0")
            environment = (process / "environ").read_bytes().decode().split("\0")
        except (OSError, ValueError):
            continue  # it has just ended, or is another user's
        told = dict(each.partition("=")[::2] for each in environment)
        rank = told.get("RANK", told.get("LOCAL_RANK"))
        if rank is not None and f"hydra.run.dir={folder}" in command:
            found[int(rank)] = int(process.name)
    return found


def wait_for_checkpoint(process, folder):
    while not (folder / "last.ckpt").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)


def wait_for_end(folder):
    while find_ranks(folder):
        time.sleep(0.1)


def epochs(folder):
    loops = read_checkpoint(folder / "last.ckpt")["loops"]
    return loops["fit_loop"]["epoch_progress"]["current"]["processed"]


@pytest.mark.slow
def test_one_line_names_the_process_that_was_killed(tones, tmp_path):
    folder = tmp_path / "run"
    options = train(tones, folder, "trainer=ddp_cpu", "trainer.max_epochs=10000")
    process = start([sys.executable, *MODULE, *options])
    wait_for_checkpoint(process, folder)
    os.kill(find_ranks(folder)[1], signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode == 1
    assert "Traceback" not in errors
    (line,) = re.findall(r"^speechgru train: .*", errors, re.MULTILINE)
    assert "process 1 of 2 (rank 1) was killed by signal 9" in line
    assert f"speechgru train resume={folder}" in line
    assert "gloo" not in errors


@pytest.mark.slow
def test_no_process_outlives_the_first(tones, tmp_path):
    folder = tmp_path / "run"
    options = train(tones, folder, "trainer=ddp_cpu", "trainer.max_epochs=10000")
    process = start([sys.executable, *MODULE, *options])
    wait_for_checkpoint(process, folder)
    process.kill()
    errors = process.stderr.read()  # until the last process has closed it
    wait_for_end(folder)
    assert "Traceback" not in errors
    assert "(rank 0), which has started the others, is no more" in errors


@pytest.mark.slow
def test_torchrun_starts_again_and_the_run_goes_on(tones, tmp_path):
    folder = tmp_path / "run"
    options = train(
        *(tones, folder, "trainer=torchrun", "trainer.accelerator=cpu"),
        "trainer.max_epochs=40",
    )
    several = ["--standalone", "--max-restarts=1", "--nproc-per-node=2"]
    process = start([*TORCHRUN, *several, *MODULE, *options])
    wait_for_checkpoint(process, folder)
    # The first, which keeps the folder; of another node: the test below.
    os.kill(find_ranks(folder)[0], signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "resuming behind step" in errors
    assert epochs(folder) == 40


@pytest.mark.slow
def test_a_node_that_was_lost_comes_back(tones, tmp_path):
    folder = tmp_path / "run"
    options = train(
        *(tones, folder, "trainer=torchrun", "trainer.accelerator=cpu"),
        "trainer.max_epochs=40",
    )
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    node = [
        *(*TORCHRUN, "--nnodes=2", "--nproc-per-node=1", "--max-restarts=3"),
        *("--rdzv-backend=c10d", f"--rdzv-endpoint=localhost:{port}"),
        *("--rdzv-id=some", "--local-addr=localhost", *MODULE, *options),
    ]
    first = start(node, **NEW_STORES)
    time.sleep(1)  # the first to come keeps the store, which must survive
    other = start(node, **NEW_STORES)
    wait_for_checkpoint(first, folder)
    ranks = find_ranks(folder)
    children = Path(f"/proc/{other.pid}/task/{other.pid}/children").read_text().split()
    (lost,) = [pid for pid in ranks.values() if str(pid) in children]
    other.kill()
    os.kill(lost, signal.SIGKILL)
    other.communicate()
    again = start(node, **NEW_STORES)
    errors = [process.communicate()[1] for process in (first, again)]
    assert [first.returncode, again.returncode] == [0, 0], errors
    assert "resuming behind step" in "".join(errors)
    assert epochs(folder) == 40


@pytest.mark.slow
def test_slurm_starts_a_run_and_goes_on_with_it(tones, tmp_path):
    folder = tmp_path / "run"
    srun = [sys.executable, str(FAKE_SRUN), "2", sys.executable, *MODULE]
    for max_epochs in (1, 2):
        options = train(
            *(tones, folder, "trainer=slurm", "trainer.accelerator=cpu"),
            f"trainer.max_epochs={max_epochs}",
        )
        process = start([*srun, *options])
        _, errors = process.communicate()
        assert process.returncode == 0, errors
        assert epochs(folder) == max_epochs
    assert "resuming behind step" in errors
    process = start([*srun, *options, "encoder.dropout=0.5"])
    _, errors = process.communicate()
    assert process.returncode != 0
    assert "Traceback" not in errors
    (line,) = re.findall(r"^speechgru train: .*", errors, re.MULTILINE)
    assert "encoder.dropout was" in line
