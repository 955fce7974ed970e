"""Where the time of a training step goes."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.profilers import Profiler
from torch import nn
from torch.profiler import ProfilerActivity, profile, record_function

from speechgru.run_files import TRACE
from speechgru.training.task import TrainingTask

log = logging.getLogger(__name__)

WARM_UP = 3  # steps, in which caches are filled and kernels chosen

PARTS = ("features", "normalize", "spec_augment", "subsampling", "encoder", "head")
"""Of the model, in the order in which frames pass them."""

AROUND = "callbacks and logging"

ORDER = (
    *("loading", "to the device", "augment", *PARTS),
    *("loss and metrics", "backward", "optimiser", AROUND),
)
"""Of the table."""


class LoadingProfiler(Profiler):
    """Tells when training begins and ends to wait for a batch.

    Args:
        mark: is told what has gone by since it was last told.
    """

    def __init__(self, mark: Callable[[str], None]) -> None:
        super().__init__()
        self._mark = mark

    def start(self, action_name: str) -> None:
        """Training wants a batch."""
        if action_name.endswith("train_dataloader_next"):
            self._mark(AROUND)

    def stop(self, action_name: str) -> None:
        """It has one."""
        if action_name.endswith("train_dataloader_next"):
            self._mark("loading")


class StepProfile(Callback):
    """Time the parts of some steps, and write a trace of one.

    Every part of the time of a step belongs to one name, so shares add up to all of
    it; what lies between epochs is left out. On a GPU each part is waited for: the
    steps take longer than they would, and the parts as long as they do.

    Attributes:
        profiler: of the trainer that this is a callback of.
        seconds: of the steps that were timed, by the names of their parts.

    Args:
        folder: of the run, for the trace.
        num_steps: that are timed, behind a few that are not.
    """

    def __init__(self, folder: str | Path, num_steps: int) -> None:
        self.folder = Path(folder)
        self.num_steps = num_steps
        self.profiler = LoadingProfiler(self._mark)
        self.seconds: dict[str, float] = defaultdict(float)
        self._num_done = 0
        self._marked_at = 0.0
        self._is_between_epochs = False
        self._device = torch.device("cpu")
        self._hooks: list[Any] = []
        self._ranges: list[record_function] = []
        self._tracing: profile | None = None

    def on_train_start(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """Begin to listen to the parts of the model."""
        self._device = trainer.strategy.root_device
        named = {name: getattr(task.model, name, None) for name in PARTS}
        named["augment"] = getattr(task, "augment", None)
        for name, part in named.items():
            if isinstance(part, nn.Module):
                self._listen(name, part)

    def _listen(self, name: str, part: nn.Module) -> None:
        self._hooks += [
            part.register_forward_pre_hook(lambda *_: self._enter(name)),
            part.register_forward_hook(lambda *_: self._leave(name)),
        ]

    def _enter(self, name: str) -> None:
        self._mark("loss and metrics")
        if self._tracing is not None:
            named = record_function(name)
            named.__enter__()
            self._ranges.append(named)

    def _leave(self, name: str) -> None:
        self._mark(name)
        if self._ranges:
            self._ranges.pop().__exit__(None, None, None)

    def on_train_epoch_start(self, *_: Any) -> None:
        """The first batch is wanted next."""
        self._mark("")
        self._is_between_epochs = False

    def on_train_batch_start(
        self, trainer: L.Trainer, task: TrainingTask, batch: Any, index: int
    ) -> None:
        """A batch was loaded and is on its device."""
        self._mark("to the device")
        if self._num_done == WARM_UP + self.num_steps and trainer.is_global_zero:
            kinds = [ProfilerActivity.CPU]
            if self._device.type == "cuda":
                kinds.append(ProfilerActivity.CUDA)
            self._tracing = profile(activities=kinds, acc_events=True)
            self._tracing.start()

    def on_before_backward(self, *_: Any) -> None:
        """The loss is known."""
        self._mark("loss and metrics")

    def on_after_backward(self, *_: Any) -> None:
        """The gradient is known."""
        self._mark("backward")

    def on_train_batch_end(
        self, trainer: L.Trainer, task: TrainingTask, *_: Any, **__: Any
    ) -> None:
        """The weights are changed."""
        self._mark("optimiser")
        self._num_done += 1
        if self._num_done == WARM_UP:
            self.seconds.clear()
        elif self._num_done == WARM_UP + self.num_steps:
            if trainer.is_global_zero:
                log.info("%s", self.table())
        elif self._tracing is not None:
            self._tracing.stop()
            self._tracing.export_chrome_trace(str(self.folder / TRACE))
            self._tracing = None
            log.info("a trace of one step: %s", self.folder / TRACE)
        if self._num_done > WARM_UP + self.num_steps:
            while self._hooks:
                self._hooks.pop().remove()
        loop = trainer.fit_loop.epoch_loop
        self._is_between_epochs = loop.batch_progress.is_last_batch

    def _mark(self, name: str) -> None:
        """What has gone by since the last mark belongs to this name."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        now = time.perf_counter()
        if self._num_done < WARM_UP + self.num_steps and not self._is_between_epochs:
            self.seconds[name] += now - self._marked_at
        self._marked_at = now

    def table(self) -> str:
        """Milliseconds and shares of a step, part by part."""
        whole = sum(self.seconds.values())
        lines = [f"{'part of a step':22} {'ms':>8} {'share':>7}"]
        for name in ORDER:
            seconds = self.seconds.get(name, 0.0)
            if seconds:
                milliseconds = 1000 * seconds / self.num_steps
                lines.append(f"{name:22} {milliseconds:8.2f} {seconds / whole:7.1%}")
        milliseconds = 1000 * whole / self.num_steps
        lines.append(f"{f'mean of {self.num_steps}':22} {milliseconds:8.2f} {1:7.1%}")
        return "\n".join(lines)
