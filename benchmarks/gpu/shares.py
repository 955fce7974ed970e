"""Where the time of a step goes: what each part of the model has the device compute.

What runs forward is known by the module that runs it. What runs backward bears the
number of the operation that it belongs to, so it is counted where that one was. On a
GPU kernels are added up, on a CPU the operations' own time.
"""

from collections.abc import Iterable
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from sizes import Sizes
from steps import wait_for
from torch import nn
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile, record_function

from speechgru.training.task import TrainingTask

AUGMENTATION = "augmentation"
MODULES = {
    "features": "features",
    "normalize": "features",
    "spec_augment": AUGMENTATION,
    "subsampling": "convolutions",
    "encoder": "recurrent layers",
    "head": "output layer",
}
"""Parts of a model, and what their time is counted as."""

LOSS, OPTIMISER, OTHER = "CTC", "optimiser", "other"
KINDS = (*dict.fromkeys(MODULES.values()), LOSS, OPTIMISER, OTHER)
MARK = "kit: "
BACKWARD = "autograd::engine::evaluate_function: "
LOSS_NAMES = ("ctc_loss", "CtcLoss", "kl_div")
OPTIMISER_NAMES = ("Optimizer.step", "Optimizer.zero_grad", "_foreach_norm")


class Shares(Callback):
    """Take some steps apart.

    Args:
        sizes: behind which steps, and how many.
    """

    def __init__(self, sizes: Sizes) -> None:
        self._first = sizes.num_steps - sizes.num_profiled
        self._count = sizes.num_profiled
        self._device = sizes.device
        self._num_begun = self._num_done = 0
        self._profile: profile | None = None
        self._hooks: list[Any] = []
        self.seconds: dict[str, float] = {}
        self.calls: dict[str, float] = {}

    def on_train_batch_start(
        self, trainer: L.Trainer, task: TrainingTask, *_: Any, **__: Any
    ) -> None:
        """Begin, if it is time."""
        self._num_begun += 1
        if self._num_begun - 1 != self._first:
            return
        parts = {getattr(task.model, name): kind for name, kind in MODULES.items()}
        for part, kind in {**parts, task.augment: AUGMENTATION}.items():
            if part is not None:
                self._hooks += _mark(part, f"{MARK}{kind}")
        activities = [ProfilerActivity.CPU]
        if self._device == "cuda":
            activities.append(ProfilerActivity.CUDA)
        self._profile = profile(activities=activities)
        self._profile.start()

    def on_train_batch_end(self, *_: Any, **__: Any) -> None:
        """End after the last of the steps, and add up."""
        self._num_done += 1
        if self._profile is None or self._num_done < self._first + self._count:
            return
        wait_for(self._device)
        self._profile.stop()
        for hook in self._hooks:
            hook.remove()
        events = self._profile.events()
        totals = add_up(events, self._device)
        self.seconds = {kind: each / self._count for kind, each in totals.items()}
        self.calls = {
            name: sum(event.name == name for event in events) / self._count
            for name in WAITING
        }
        self._profile = None


WAITING = (
    "cudaStreamSynchronize",
    "cudaDeviceSynchronize",
    "cudaEventSynchronize",
    "aten::_local_scalar_dense",
)
"""Calls that make the host wait; the last one reads a value, also on a CPU."""


def _mark(module: nn.Module, name: str) -> list[Any]:
    """Let the profiler see a module; hooks to be removed."""
    running: list[Any] = []

    def enter(*_: Any) -> None:
        running.append(record_function(name).__enter__())

    def leave(*_: Any) -> None:
        running.pop().__exit__(None, None, None)

    return [
        module.register_forward_pre_hook(enter),
        module.register_forward_hook(leave),
    ]


def add_up(events: Iterable[FunctionEvent], device: str) -> dict[str, float]:
    """Seconds of each of KINDS."""
    on_host = [event for event in events if event.device_type.name == "CPU"]
    origins: dict[int, tuple[float, str]] = {}
    for event in on_host:
        kind = _kind_forward(event)
        number = event.sequence_nr
        if kind is None or number < 0:
            continue
        # Operations without a gradient bear the number of the next that has one:
        # it is the last of them.
        latest = origins.get(number, (-1.0, ""))
        origins[number] = max(latest, (event.time_range.start, kind))
    totals = dict.fromkeys(KINDS, 0.0)
    # The profiler may show what the host has marked once more, as if it were a kernel.
    marks = {event.name for event in on_host}
    for event in on_host:
        if device == "cuda":
            microseconds = sum(
                kernel.duration for kernel in event.kernels if kernel.name not in marks
            )
        else:
            microseconds = event.self_cpu_time_total
        if microseconds:
            totals[_kind_of(event, origins)] += microseconds / 1e6
    return totals


def _ancestors(event: FunctionEvent) -> Iterable[FunctionEvent]:
    found: FunctionEvent | None = event
    while found is not None:
        yield found
        found = found.cpu_parent


def _kind_forward(event: FunctionEvent) -> str | None:
    """What an operation is counted as, unless it runs backward; None: other."""
    kind = None
    for each in _ancestors(event):
        if each.name.startswith(BACKWARD):
            return None
        if kind is None:
            kind = _kind_by_name(each.name)
    return kind


def _kind_by_name(name: str) -> str | None:
    if name.startswith(MARK):
        return name.removeprefix(MARK)
    if any(each in name for each in LOSS_NAMES):
        return LOSS
    if any(each in name for each in OPTIMISER_NAMES):
        return OPTIMISER
    return None


def _kind_of(event: FunctionEvent, origins: dict[int, tuple[float, str]]) -> str:
    for each in _ancestors(event):
        if each.name.startswith(BACKWARD):
            _, kind = origins.get(each.sequence_nr, (0.0, OTHER))
            return kind
    return _kind_forward(event) or OTHER
