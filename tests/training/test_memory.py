"""Memory that runs out in training is an error that names the batch and the remedy."""

from types import SimpleNamespace

import pytest
import torch
from conftest import TINY

from speechgru.cli.config import compose_config, read_options
from speechgru.data.loading import NamedFailures
from speechgru.interfaces import InputError, TextBatch
from speechgru.options import TrainOptions
from speechgru.threads import is_out_of_memory
from speechgru.training.ctc import CTCTask
from speechgru.training.memory import BatchInHand
from speechgru.training.start import train

CPU_ERROR = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory: "
    "you tried to allocate 4000000000000 bytes. Error code 12 (Cannot allocate memory)"
)


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (CPU_ERROR, True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (OSError("out of memory"), False),
    ],
)
def test_memory_that_runs_out_is_told_from_other_errors(error, is_one):
    assert is_out_of_memory(error) == is_one


def test_what_the_cpu_really_says_is_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def run(tones, folder, *overrides):
    overrides = [*TINY, *tones.overrides, "trainer.max_epochs=1", *overrides]
    options = read_options(compose_config("train", overrides), TrainOptions)
    return train(options, folder, named=[])


@pytest.mark.usefixtures("threads")
def test_a_step_names_its_batch_and_what_to_set(tones, tmp_path, monkeypatch):
    seen = []
    whole = CTCTask.training_step

    def step(self, batch, index):
        seen.append(batch)
        if len(seen) == 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return whole(self, batch, index)

    monkeypatch.setattr(CTCTask, "training_step", step)
    with pytest.raises(InputError) as caught:
        run(tones, tmp_path / "run", "trainer.accumulate=2", "data.batch_seconds=12")
    message = str(caught.value)
    lengths = seen[-1].waveform_lengths
    longest = seen[-1].ids[int(lengths.argmax())]
    padding = 1 - lengths.sum() / (len(lengths) * lengths.max())
    assert message == (
        f"memory ran out in epoch 1, step 2: {len(lengths)} utterances, the longest of "
        f"{lengths.max() / 8000:.1f} s ({longest}), {padding:.0%} of the batch is "
        "padding; lower data.batch_seconds (12), set trainer.accumulate=4, "
        "encoder.gradient_checkpointing=true, or let speechgru probe find out what "
        "fits (CUDA out of memory. Tried to allocate 2 GiB)"
    )


@pytest.mark.usefixtures("threads")
def test_validation_says_that_it_was_validation(tones, tmp_path, monkeypatch):
    def step(self, batch, index):
        raise CPU_ERROR

    monkeypatch.setattr(CTCTask, "validation_step", step)
    with pytest.raises(InputError, match="ran out in validation, batch 1: ") as caught:
        run(tones, tmp_path / "run")
    assert "accumulate" not in str(caught.value)


def test_memory_that_runs_out_in_loading_is_no_traceback():
    class Failing:
        def __getitem__(self, planned):
            raise CPU_ERROR

    class Planned:
        indices = (1, 2)

    failure = NamedFailures(Failing())[Planned()]
    assert "a batch of 2 utterances cannot be loaded: memory ran out" in failure.message


def test_a_language_model_is_told_of_tokens(tones):
    overrides = [*TINY, *tones.overrides]
    options = read_options(compose_config("train", overrides), TrainOptions)
    in_hand = BatchInHand(options)
    assert str(in_hand.explain(MemoryError())) == (
        "memory ran out before the first step; lower data.batch_seconds (4), set "
        "trainer.accumulate=2, encoder.gradient_checkpointing=true (MemoryError)"
    )
    lengths = torch.tensor([30, 10])
    batch = TextBatch(["a", "b"], torch.zeros(2, 30), lengths, 2, (0, 0, 0))
    progress = SimpleNamespace(current_epoch=1, global_step=9)
    in_hand.on_train_batch_start(progress, None, batch, 0)
    message = str(in_hand.explain(MemoryError("no memory")))
    assert message.startswith(
        "memory ran out in epoch 2, step 10: 2 texts, the longest of 30 tokens (a), "
        "33% of the batch is padding; lower data.batch_tokens (2000), set "
    )
