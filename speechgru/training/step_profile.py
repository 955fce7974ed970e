"""Where the time of a training step goes."""

import logging
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import nn
from torch.profiler import ProfilerActivity, profile

from speechgru.training.run_files import TRACE
from speechgru.training.task import TrainingTask

log = logging.getLogger(__name__)

WARM_UP = 3  # steps, in which caches are filled and kernels chosen

PARTS = ("features", "normalize", "spec_augment", "subsampling", "encoder", "head")
"""Of the model, in the order in which frames pass them."""

OTHERS = ("loading", "loss and logging", "backward", "optimiser")


class StepProfile(Callback):
    """Time the parts of some steps, and write a trace of one.

    Every part of the time between two steps belongs to one name, so shares add up
    to all of it. On a GPU each part is waited for: the steps take longer than
    they would, and the parts as long as they do.

    Args:
        folder: of the run, for the trace.
        num_steps: that are timed, behind a few that are not.
    """

    def __init__(self, folder: str | Path, num_steps: int) -> None:
        self.folder = Path(folder)
        self.num_steps = num_steps
        self.seconds: dict[str, float] = defaultdict(float)
        self._num_done = 0
        self._marked_at = 0.0
        self._device = torch.device("cpu")
        self._hooks: list[Any] = []
        self._tracing: profile | None = None

    def on_train_start(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """Begin to listen to the parts of the model."""
        self._device = trainer.strategy.root_device
        named = {name: getattr(task.model, name, None) for name in PARTS}
        named["augment"] = getattr(task, "augment", None)
        for name, part in named.items():
            if isinstance(part, nn.Module):
                self._listen(name, part)
        self._mark("")

    def _listen(self, name: str, part: nn.Module) -> None:
        self._hooks += [
            part.register_forward_pre_hook(lambda *_: self._mark("loss and logging")),
            part.register_forward_hook(lambda *_: self._mark(name)),
        ]

    def on_train_batch_start(
        self, trainer: L.Trainer, task: TrainingTask, batch: Any, index: int
    ) -> None:
        """A batch was loaded and is on its device."""
        self._mark("loading")
        if self._num_done == WARM_UP + self.num_steps and trainer.is_global_zero:
            kinds = [ProfilerActivity.CPU]
            if self._device.type == "cuda":
                kinds.append(ProfilerActivity.CUDA)
            self._tracing = profile(activities=kinds)
            self._tracing.start()

    def on_before_backward(self, *_: Any) -> None:
        """The loss is known."""
        self._mark("loss and logging")

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
            for hook in self._hooks:
                hook.remove()
            if trainer.is_global_zero:
                log.info("%s", self.table())
        elif self._tracing is not None:
            self._tracing.stop()
            self._tracing.export_chrome_trace(str(self.folder / TRACE))
            self._tracing = None
            log.info("a trace of one step: %s", self.folder / TRACE)

    def _mark(self, name: str) -> None:
        """What has gone by since the last mark belongs to this name."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        now = time.perf_counter()
        if self._num_done < WARM_UP + self.num_steps:
            self.seconds[name] += now - self._marked_at
        self._marked_at = now

    def table(self) -> str:
        """Milliseconds and shares of a step, part by part."""
        whole = sum(self.seconds.values())
        order = ("loading", "augment", *PARTS, *OTHERS[1:])
        lines = [f"{'part of a step':18} {'ms':>8} {'share':>7}"]
        for name in order:
            seconds = self.seconds.get(name, 0.0)
            if seconds:
                milliseconds = 1000 * seconds / self.num_steps
                lines.append(f"{name:18} {milliseconds:8.2f} {seconds / whole:7.1%}")
        milliseconds = 1000 * whole / self.num_steps
        lines.append(f"{f'mean of {self.num_steps}':18} {milliseconds:8.2f} {1:7.1%}")
        return "\n".join(lines)
