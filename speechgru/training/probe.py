"""Probing how large a batch may be, by steps of the training itself."""

import gc
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor
from torch.utils.data import DataLoader

from speechgru.data.plan import PlannedBatch
from speechgru.interfaces import Batch, InputError
from speechgru.options.probing import ProbeOptions
from speechgru.options.training import TrainerOptions, TrainOptions
from speechgru.process_memory import (
    forget_peak,
    memory_for_process,
    peak_memory,
)
from speechgru.progress import say_line
from speechgru.threads import is_out_of_memory, set_up_cpu
from speechgru.training.batch_search import Found, Trial, advise, search
from speechgru.training.build import build_speech, trains_on_texts
from speechgru.training.fine_tuning import adopt_model
from speechgru.training.length import Length
from speechgru.training.run_described import Run
from speechgru.training.speech_data import SpeechDataModule
from speechgru.training.start import named_options
from speechgru.training.task import TrainingTask
from speechgru.training.trial import make_trial_trainer, quiet
from speechgru.training.validation import read_splits


def probe(options: ProbeOptions) -> str:
    """Find the largest batch that fits, and say what is best, in lines.

    Raises:
        InputError: not even one utterance fits, or the options or data do not do.
    """
    training = options.training
    if trains_on_texts(training):
        raise InputError(
            "probe is for acoustic models; lower data.batch_tokens until a language "
            "model fits"
        )
    if training.init_from is not None:
        training = adopt_model(training, named_options(training))
    set_up_cpu(training.trainer.num_threads)
    with quiet():
        L.seed_everything(training.seed, verbose=False)
        # No folder: nothing is examined or written.
        run = Run(Path(os.devnull), None, None, False, Length(training.trainer))
        task, data = build_speech(training, read_splits(training), run)
        assert isinstance(data, SpeechDataModule)
        steps = ProbedSteps(options, task, data)
        found = search(
            steps.attempt, steps.count(options.max_seconds), options.max_time
        )
    return report(found, options, steps)


class ProbedSteps:
    """Takes steps on the longest utterances, as many at once as is wanted.

    Args:
        options: of the training, and of what is tried.
        task, data: of the training.
    """

    def __init__(
        self, options: ProbeOptions, task: TrainingTask, data: SpeechDataModule
    ) -> None:
        self.options, self.task, self.data = options, task, data
        self.num_views = getattr(task, "num_views", 1)
        sizes = np.asarray(data.train_sizes)
        self._longest_first = np.argsort(-sizes, kind="stable")
        self.longest = float(sizes[self._longest_first[0]])
        self.device = make_trial_trainer(options.trainer, 1, []).strategy.root_device
        self._most = options.margin * memory_for_process() if self.is_cpu else 0
        self._known: list[tuple[int, int]] = [(0, peak_memory())]  # utterances, bytes

    @property
    def is_cpu(self) -> bool:
        """Whether the memory is that of the machine, which must not run out."""
        return self.device.type == "cpu"

    def count(self, seconds: float) -> int:
        """Utterances, of the longest, in so many s."""
        return max(1, int(seconds / (self.longest * self.num_views)))

    def attempt(self, count: int) -> Trial | None:
        """Take steps on so many utterances; None: they do not fit."""
        said = f"probe: {count} utterances of up to {self.longest:.1f} s"
        expected = self._expect(count)
        if self.is_cpu and expected > self._most:
            share = f"{expected / 1e9:.2f} GB of {self._most / 1e9:.2f}"
            say_line(f"{said}: would take {share}, not tried")
            return None
        forget_peak()
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        try:
            trial = self._take_steps(count)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            trial = None
        # Here, where the error no longer holds the tensors of the step.
        self.task.forget_step()
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if trial is None:
            say_line(f"{said}: memory ran out")
            return None
        self._known.append((count, trial.memory))
        say_line(f"{said}: {trial.memory / 1e9:.2f} GB, {trial.step_seconds:.2f} s")
        return trial

    def _expect(self, count: int) -> float:
        """Bytes that so many utterances will take, in a line through the last two."""
        if len(self._known) < 2:
            return 0
        (few, less), (many, more) = sorted(self._known)[-2:]
        return more + max(0, more - less) / (many - few) * (count - many)

    def _take_steps(self, count: int) -> Trial:
        indices = np.resize(self._longest_first, count)
        planned = PlannedBatch(tuple(int(i) for i in indices), 0, 0, 0, count)
        batch = self.data.train_data[planned]
        watch = Stopwatch()
        same = SameBatch(batch, self.options.steps + 1)
        trainer = make_trial_trainer(self.options.trainer, same.num_steps, [watch])
        trainer.fit(self.task, datamodule=same)
        memory = (
            torch.cuda.max_memory_reserved(self.device)
            if self.device.type == "cuda"
            else peak_memory()
        )
        rate = self.data.train_data.sample_rate
        return Trial(
            num_utterances=len(batch.ids),
            batch_seconds=batch.waveforms.numel() / rate,
            step_seconds=statistics.median(watch.seconds[1:]),
            audio_seconds=int(batch.waveform_lengths.sum()) / rate,
            memory=memory,
        )


class SameBatch(L.LightningDataModule):
    """One batch, over and over; what `SpeechDataModule` is to a task.

    Args:
        batch: on the host.
        num_steps: of the run.
    """

    def __init__(self, batch: Batch, num_steps: int) -> None:
        super().__init__()
        self.batch = batch
        self.length = Length(TrainerOptions(max_steps=num_steps))
        self.length.settle(0, 0, 0, num_steps)
        self.num_steps = self.steps_per_epoch = num_steps
        self.train_sizes = [1.0]

    def train_dataloader(self) -> DataLoader:
        """The batch of every step."""
        return DataLoader([self.batch] * self.num_steps, batch_size=None)

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch:
        """Send it to the device, as in training."""
        return batch.to(device, non_blocking=True)

    def sample_waveforms(self, num_utterances: int) -> Iterator[tuple[Tensor, Tensor]]:
        """One utterance: how features are normalised does not matter here."""
        lengths = self.batch.waveform_lengths[:1]
        yield self.batch.waveforms[:1, : int(lengths[0])], lengths


class Stopwatch(Callback):
    """Times steps, waiting for the device.

    Attributes:
        seconds: of every step.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._began_at = 0.0

    def on_train_batch_start(self, *_: Any) -> None:
        """Begin."""
        self._began_at = time.perf_counter()

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        """End, when the device has done its work."""
        device = trainer.strategy.root_device
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        self.seconds.append(time.perf_counter() - self._began_at)


def report(found: Found, options: ProbeOptions, steps: ProbedSteps) -> str:
    """A table of what fitted, and advice.

    Raises:
        InputError: nothing fitted.
    """
    # On a CPU nothing was tried that takes more of the memory than it may.
    best = advise(found, 1.0 if steps.is_cpu else options.margin)
    if best is None:
        raise InputError(
            f"one utterance of {steps.longest:.1f} s does not fit the memory of "
            f"{steps.device}; leave out such long ones, choose a smaller model, or set "
            "encoder.gradient_checkpointing=true"
        )
    lines = [
        f"{'batch_seconds':>13} {'utterances':>10} {'s a step':>9} "
        f"{'ms for 1 s of audio':>20} {'GB':>7}"
    ]
    lines += [
        f"{each.batch_seconds:13.1f} {each.num_utterances:10} {each.step_seconds:9.3f} "
        f"{1000 * each.cost:20.2f} {each.memory / 1e9:7.2f}"
        for each in found.trials
    ]
    largest = found.trials[-1].batch_seconds
    if found.too_large is not None:
        beyond = found.too_large * steps.num_views
        lines.append(f"{beyond} utterances of {steps.longest:.1f} s do not fit")
    elif found.in_time:
        lines.append(f"no limit up to max_seconds={options.max_seconds:g}")
    else:
        lines.append(
            f"no limit within max_time={options.max_time:g}, up to {largest:.0f} s"
        )
    lines.append(_advise_in_words(best, options))
    return "\n".join(lines)


def _advise_in_words(best: Trial, options: TrainOptions) -> str:
    # Rounded up, so that as many of the longest fit into it.
    seconds = float(np.ceil(best.batch_seconds))
    accumulate = options.trainer.accumulate
    if options.data.per_process or accumulate == 1:
        each = " for each process" if options.data.per_process else ""
        also = "" if each else "; with N processes N times as much"
        return f"advice: data.batch_seconds={seconds:g}{each}{also}"
    return (
        f"advice: data.batch_seconds={accumulate * seconds:g}, in "
        f"trainer.accumulate={accumulate} batches; with N processes N times as much"
    )
