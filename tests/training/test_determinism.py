"""A run that asks for the same sums every time."""

import os

import pytest
import torch
from conftest import TINY

from speechgru.cli.config import compose_config, read_options
from speechgru.interfaces import Batch
from speechgru.options import TrainOptions
from speechgru.training.ctc import CTCTask
from speechgru.training.determinism import restoring_determinism
from speechgru.training.losses import ctc_losses
from speechgru.training.start import train


@pytest.mark.slow
@pytest.mark.usefixtures("threads")
def test_it_is_asked_for_before_the_device_and_for_this_run_alone(
    tones, tmp_path, monkeypatch
):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    seen = []
    step = CTCTask.training_step

    def training_step(self, batch, index):
        seen.append(torch.are_deterministic_algorithms_enabled())
        return step(self, batch, index)

    monkeypatch.setattr(CTCTask, "training_step", training_step)
    overrides = [*TINY, *tones.overrides, "trainer.max_steps=2"]
    for folder, option in (("asked", "true"), ("not_asked", "false")):
        asked = [*overrides, f"trainer.deterministic={option}"]
        options = read_options(compose_config("train", asked), TrainOptions)
        assert train(options, tmp_path / folder, named=[]).status == 0
    assert seen == [True, True, False, False]
    assert not torch.are_deterministic_algorithms_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_host_adds_up_the_gradient_of_ctc(recwarn):
    torch.manual_seed(0)
    lengths, target_lengths = torch.full((8,), 90), torch.full((8,), 20)
    targets = torch.randint(1, 5, (8, 20), device="cuda")
    waveforms = torch.zeros(8, 1, device="cuda")
    texts = [""] * 8
    batch = Batch(
        texts, waveforms, lengths, targets, target_lengths, texts, 1, 8, (0, 0, 0)
    )
    logits = torch.randn(8, 90, 5, device="cuda", requires_grad=True)
    with restoring_determinism():
        torch.use_deterministic_algorithms(True, warn_only=True)
        losses = ctc_losses(logits.log_softmax(dim=-1), lengths, batch)
        losses.sum().backward()
    assert losses.device == logits.device
    assert logits.grad.isfinite().all()
    assert not [each for each in recwarn if "deterministic" in str(each.message)]
