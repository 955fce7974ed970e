"""What was started from outside, held against what is wanted."""

import pytest
from lightning.fabric.plugins.environments import SLURMEnvironment

from speechgru.interfaces import InputError
from speechgru.options.training import TrainerOptions
from speechgru.training.launching import count_devices, find_launcher

TOLD = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "TORCHELASTIC_RUN_ID", "SLURM_NTASKS")


@pytest.fixture
def alone(monkeypatch):
    for name in TOLD:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLURM_JOB_NAME", "training")
    return monkeypatch


@pytest.fixture
def torchrun(alone):
    """Two nodes of three processes, as torchrun tells them."""
    alone.setenv("TORCHELASTIC_RUN_ID", "some")
    alone.setenv("WORLD_SIZE", "6")
    alone.setenv("LOCAL_WORLD_SIZE", "3")
    return find_launcher()


@pytest.fixture
def slurm(alone):
    """Two nodes of four processes, as srun tells them."""
    alone.setenv("SLURM_NTASKS", "8")
    alone.setenv("SLURM_NTASKS_PER_NODE", "4")
    alone.setenv("SLURM_NNODES", "2")
    return find_launcher()


def test_a_process_alone_has_no_launcher(alone):
    assert find_launcher() is None
    assert count_devices(TrainerOptions(devices=(0, 1)), None) == ([0, 1], 1)


def test_devices_and_nodes_are_those_that_were_started(torchrun):
    asked = TrainerOptions(strategy="ddp")
    assert count_devices(asked, torchrun) == (3, 2)


def test_slurm_says_how_many_processes_a_node_has(slurm):
    assert isinstance(slurm, SLURMEnvironment)
    assert not slurm.auto_requeue
    asked = TrainerOptions(strategy="ddp", devices=-1, launcher="slurm")
    assert count_devices(asked, slurm) == (4, 2)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"devices": 2}, "devices is 2, but torchrun has started 3 processes on each"),
        ({"num_nodes": 3}, "num_nodes is 3, but torchrun has started processes on 2"),
        ({"strategy": "auto"}, "started 6 processes.*add trainer=torchrun"),
        ({"launcher": "slurm"}, "launcher is slurm, but this process was not started"),
    ],
)
def test_what_was_not_started_is_refused(torchrun, asked, message):
    with pytest.raises(InputError, match=message):
        count_devices(TrainerOptions(**{"strategy": "ddp", **asked}), torchrun)


def test_other_nodes_do_not_start_by_themselves(alone):
    with pytest.raises(InputError, match="num_nodes is 2, but nothing starts"):
        count_devices(TrainerOptions(strategy="ddp", num_nodes=2), None)


def test_slurm_needs_processes_by_node(slurm, alone):
    alone.delenv("SLURM_NTASKS_PER_NODE")
    with pytest.raises(InputError, match=r"slurm: .*ntasks-per-node"):
        find_launcher()
