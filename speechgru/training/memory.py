"""What to say when there was not enough memory."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lightning as L
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from speechgru.interfaces import Batch, InputError, TextBatch
from speechgru.options.training import TrainOptions
from speechgru.threads import is_out_of_memory
from speechgru.training.task import TrainingTask

LOST_PROCESS = re.compile(r"DataLoader worker.*(killed by signal|exited unexp).*")
"""What torch says of a loading process that is no more."""


class BatchInHand(Callback):
    """Remembers how large the batch is that is computed, for an error to say.

    Args:
        options: of the run.
    """

    def __init__(self, options: TrainOptions) -> None:
        self.options = options
        self._what = ""
        self._ids: list[str] = []
        self._lengths: Tensor | None = None  # on the host; not the batch itself
        self._rate: int | None = None

    def on_train_batch_start(
        self, trainer: L.Trainer, task: TrainingTask, batch: Batch | TextBatch, _: int
    ) -> None:
        """A step, or a part of it, begins."""
        where = f"in epoch {trainer.current_epoch + 1}, step {trainer.global_step + 1}"
        self._see(task, batch, where)

    def on_validation_batch_start(
        self,
        trainer: L.Trainer,
        task: TrainingTask,
        batch: Batch | TextBatch,
        index: int,
    ) -> None:
        """A batch of validation begins."""
        self._see(task, batch, f"in validation, batch {index + 1}")

    def _see(self, task: TrainingTask, batch: Batch | TextBatch, where: str) -> None:
        self._what, self._ids = where, batch.ids
        if isinstance(batch, Batch):
            self._lengths = batch.waveform_lengths
            self._rate = int(task.model.sample_rate)
        else:
            self._lengths = batch.lengths

    def explain(self, error: BaseException) -> InputError:
        """What to say of memory that ran out.

        Args:
            error: of the library that wanted it.
        """
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        return InputError(
            f"memory ran out {self._describe()}; {self._remedies()} ({reason[:300]})"
        )

    def _describe(self) -> str:
        if self._lengths is None:
            return "before the first step"
        lengths = self._lengths.tolist()
        longest = max(lengths)
        padding = 1 - sum(lengths) / (longest * len(lengths))
        size, kind = f"{longest} tokens", "texts"
        if self._rate is not None:
            size, kind = f"{longest / self._rate:.1f} s", "utterances"
        return (
            f"{self._what}: {len(lengths)} {kind}, the longest of {size} "
            f"({self._ids[lengths.index(longest)]}), {padding:.0%} of the batch is "
            "padding"
        )

    def _remedies(self) -> str:
        data, trainer = self.options.data, self.options.trainer
        lower = (
            f"lower data.batch_tokens ({data.batch_tokens})"
            if self._lengths is not None and self._rate is None
            else f"lower data.batch_seconds ({data.batch_seconds:g})"
        )
        alone = self._lengths is not None and len(self._ids) == 1
        remedies = ["leave out what is so long" if alone else lower]
        if not self._what.startswith("in validation"):  # which keeps nothing to go back
            if not alone:
                remedies.append(f"set trainer.accumulate={2 * trainer.accumulate}")
            if self.options.encoder.options.get("gradient_checkpointing") is False:
                remedies.append("encoder.gradient_checkpointing=true")
            if str(trainer.precision).startswith("32") and trainer.accelerator != "cpu":
                remedies.append("trainer.precision=bf16-mixed")
        if self._rate is not None and not alone:
            remedies.append("or let speechgru probe find out what fits")
        return ", ".join(remedies)


@contextmanager
def explaining_memory(trainer: L.Trainer, last: Path) -> Iterator[None]:
    """Within, name the batch for which memory runs out, and the remedy.

    Args:
        trainer: has a `BatchInHand`.
        last: checkpoint from which the run can go on, if there is one.

    Raises:
        InputError: memory ran out, here or in a loading process.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            in_hand = next(c for c in trainer.callbacks if isinstance(c, BatchInHand))
            raise in_hand.explain(error) from error
        lost = LOST_PROCESS.search(str(error))
        if lost is None:
            raise
        go_on = f"; go on with: speechgru train resume={last.parent.absolute()}"
        raise InputError(
            f"a loading process ended ({lost[0].strip().rstrip('.')}), most often "
            f"because memory ran out; lower data.num_workers or data.batch_seconds"
            f"{go_on if last.exists() else ''}"
        ) from error
