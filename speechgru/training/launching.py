"""Who starts the processes of a run, and how many of them."""

import os

from lightning.fabric.plugins.environments import (
    ClusterEnvironment,
    SLURMEnvironment,
    TorchElasticEnvironment,
)

from speechgru.interfaces import InputError
from speechgru.options.training import TrainerOptions

FROM_OUTSIDE = {"torchrun": TorchElasticEnvironment, "slurm": SLURMEnvironment}
"""Programs that start all processes of a run; torchrun may itself run inside SLURM."""


def find_launcher() -> ClusterEnvironment | None:
    """What torchrun or SLURM has told this process; None: it was started alone.

    Raises:
        InputError: SLURM was asked for processes in a way that says too little.
    """
    for kind in FROM_OUTSIDE.values():
        if kind.detect():
            return _build(kind)
    return None


def count_devices(
    asked: TrainerOptions, launcher: ClusterEnvironment | None
) -> tuple[int | str | list[int], int]:
    """The devices of a node, as Lightning takes them, and the number of nodes.

    Args:
        asked: what the user wants.
        launcher: what has started the processes from outside, if they were.

    Raises:
        InputError: that is not what was started.
    """
    devices = list(asked.devices) if isinstance(asked.devices, tuple) else asked.devices
    nodes = asked.num_nodes
    if asked.launcher is not None and not isinstance(
        launcher, FROM_OUTSIDE[asked.launcher]
    ):
        raise InputError(
            f"trainer.launcher is {asked.launcher}, but this process was not started "
            f"by it; start it by {_START[asked.launcher]}, or choose another trainer, "
            "e.g. trainer=ddp"
        )
    if launcher is None:
        if nodes not in ("auto", 1):
            raise InputError(
                f"trainer.num_nodes is {nodes}, but nothing starts the processes of "
                "the other nodes; start the run on each of them by torchrun, or by "
                "srun"
            )
        return devices, 1
    name = _name(launcher)
    num_processes = launcher.world_size()
    if num_processes > 1 and asked.strategy == "auto" and devices in ("auto", 1):
        raise InputError(
            f"{name} has started {num_processes} processes, but trainer.strategy is "
            f"auto, for one alone; add trainer={name}"
        )
    found = _count_nodes(launcher)
    if nodes not in ("auto", found):
        raise InputError(
            f"trainer.num_nodes is {nodes}, but {name} has started processes on "
            f"{found}; set it to auto"
        )
    here = num_processes // found
    if here * found != num_processes:
        raise InputError(
            f"{name} has started {num_processes} processes on {found} nodes, expected "
            "as many on each of them"
        )
    if devices in ("auto", -1, "-1"):
        return here, found
    wanted = _count(devices)
    if wanted != here:
        raise InputError(
            f"trainer.devices is {asked.devices!r}, but {name} has started {here} "
            "processes on each node; set it to auto"
        )
    return devices, found


def _build(kind: type[ClusterEnvironment]) -> ClusterEnvironment:
    try:
        if kind is SLURMEnvironment:
            # Lightning's own requeueing would save in the middle of a step, on one
            # process after the other. `Interruption` takes its signal instead.
            return SLURMEnvironment(auto_requeue=False)
        return kind()
    except RuntimeError as error:
        raise InputError(f"slurm: {error}") from error


def _name(launcher: ClusterEnvironment) -> str:
    return next(n for n, kind in FROM_OUTSIDE.items() if isinstance(launcher, kind))


def _count_nodes(launcher: ClusterEnvironment) -> int:
    if isinstance(launcher, SLURMEnvironment):
        return int(os.environ.get("SLURM_NNODES", "1"))
    return launcher.world_size() // int(os.environ["LOCAL_WORLD_SIZE"])


def _count(devices: int | str | list[int]) -> int:
    if isinstance(devices, list):
        return len(devices)
    parts = str(devices).split(",")
    return len(parts) if len(parts) > 1 else int(parts[0])


_START = {
    "torchrun": "torchrun --nproc-per-node N -m speechgru train ...",
    "slurm": "srun --ntasks-per-node N speechgru train ...",
}
