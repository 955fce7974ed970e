"""The part `waits`: how often a step makes the host wait for the device."""

import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from record import Record
from shares import Shares
from sizes import Sizes
from speech import repeat, write_recordings
from speed_part import RECIPE
from steps import End, plain_options, recipe_options, train_a_while

from speechgru.options import TrainOptions
from speechgru.training.task import TrainingTask


class WaitCounter(Callback):
    """Let torch say what makes the host wait, and count it step by step.

    Args:
        sizes: behind which steps, and how many.
    """

    def __init__(self, sizes: Sizes) -> None:
        self._warmup = sizes.warmup
        self._last = sizes.num_steps - sizes.num_profiled
        self._on_gpu = sizes.device == "cuda"
        self._num_begun = self._num_done = 0
        self._catching: warnings.catch_warnings[Any] | None = None
        self._caught: list[warnings.WarningMessage] | None = None
        self.steps: list[int] = []
        self.lines: Counter[str] = Counter()

    def on_train_batch_start(
        self, trainer: L.Trainer, task: TrainingTask, *_: Any, **__: Any
    ) -> None:
        """Listen from here to the start of the next step, the loading included."""
        self._settle()
        self._num_begun += 1
        if self._warmup < self._num_begun <= self._last:
            self._catching = warnings.catch_warnings(record=True)
            self._caught = self._catching.__enter__()
            warnings.simplefilter("always")
            if self._on_gpu:
                torch.cuda.set_sync_debug_mode("warn")

    def _settle(self) -> None:
        if self._catching is None:
            return
        if self._on_gpu:
            torch.cuda.set_sync_debug_mode("default")
        self._catching.__exit__(None, None, None)
        self._catching = None
        caught = self._caught or []
        waits = [each for each in caught if is_wait(str(each.message))]
        self.steps.append(len(waits))
        for each in waits:
            self.lines[f"{Path(each.filename).name}:{each.lineno}"] += 1


def is_wait(message: str) -> bool:
    """Whether a warning is what torch says of a wait."""
    return "synchronizing CUDA operation" in message


def measure_waits(record: Record, sizes: Sizes) -> None:
    """Count for the default model and for AN4's recipe."""
    with tempfile.TemporaryDirectory() as name:
        recordings = write_recordings(Path(name), 0.4 * sizes.longest, sizes.num_files)
        precision = sizes.half_precision
        hidden_size, batch = sizes.hidden_sizes[-1], sizes.batches[0]
        plain = plain_options(sizes, "gru", hidden_size, batch, precision)
        for title, options in (
            (f"default model, {sizes.num_layers}x{hidden_size}", plain),
            (RECIPE, recipe_options(sizes, RECIPE, precision)),
        ):
            seconds = 2 * sizes.num_steps * options.data.batch_seconds
            counted = count_waits(sizes, options, repeat(recordings, seconds))
            record.add(model=title, precision=precision, **counted)
    record.end()


def count_waits(sizes: Sizes, options: TrainOptions, utterances: Any) -> dict[str, Any]:
    """Waits of a step, by torch's warnings, and the driver's calls, by the profiler."""
    counter, shares = WaitCounter(sizes), Shares(sizes)
    train_a_while(options, utterances, [counter, shares, End(sizes.num_steps)])
    return {
        "most": max(counter.steps),
        "mean": round(sum(counter.steps) / len(counter.steps), 2),
        "num_steps": len(counter.steps),
        "lines": dict(counter.lines.most_common(10)),
        "calls": {name: round(count, 2) for name, count in shares.calls.items()},
    }
