"""Training on a GPU: precisions, resuming, and what the loss scaler does."""

import math
import os
import signal

import pytest
import torch
from conftest import TINY
from lightning.pytorch.plugins import MixedPrecision
from lightning.pytorch.trainer.connectors import accelerator_connector

from speechgru.checkpoint.load import load_checkpoint
from speechgru.checkpoint.storage import read_checkpoint
from speechgru.cli.config import compose_config, read_options
from speechgru.interfaces import InputError
from speechgru.options import TrainOptions
from speechgru.training import ctc
from speechgru.training.optimisation import Optimisation
from speechgru.training.start import resume, train

SHORT = [*TINY, "trainer.max_epochs=2", "encoder.dropout=0.1"]
LEARNT = [*TINY, "trainer.max_epochs=15", "encoder.num_layers=1"]


def on(device):
    # The preset of a GPU is bfloat16.
    name = "gpu" if device.type == "cuda" else "cpu"
    return [f"trainer={name}", "trainer.precision=32-true"]


def options_of(tones, *overrides):
    config = compose_config("train", [*overrides, *tones.overrides])
    return read_options(config, TrainOptions)


def read_metadata(folder):
    return read_checkpoint(folder / "best.ckpt")["speechgru"]["metadata"]


@pytest.fixture
def float16(device, monkeypatch) -> list[str]:
    """Overrides for float16 with a loss scaler, on a CPU, too.

    Lightning takes bfloat16 there instead; torch has both.
    """
    if device.type == "cpu":
        monkeypatch.setattr(
            accelerator_connector._AcceleratorConnector,
            "_check_and_init_precision",
            lambda connector: MixedPrecision("16-mixed", "cpu"),
        )
    return [*on(device), "trainer.precision=16-mixed"]


@pytest.fixture(scope="module")
def losses_of_float32(tones, tmp_path_factory):
    """Of dev, by device, of two seeds: how far apart chance takes them."""
    known = {}

    def find(device):
        if device not in known:
            folder = tmp_path_factory.mktemp("float32")
            for seed in (1, 2):
                train(
                    options_of(tones, *LEARNT, *on(device), f"seed={seed}"),
                    folder / str(seed),
                )
            known[device] = [
                read_metadata(folder / str(seed))["val_loss"] for seed in (1, 2)
            ]
        return known[device]

    return find


@pytest.mark.slow
@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_mixed_precision_learns_as_much_as_float32(
    device, tones, tmp_path, request, losses_of_float32, precision
):
    exact = losses_of_float32(device)
    if precision == "16-mixed":
        request.getfixturevalue("float16")
    train(
        options_of(tones, *LEARNT, *on(device), f"trainer.precision={precision}"),
        tmp_path / "run",
    )
    metadata = read_metadata(tmp_path / "run")
    assert metadata["precision"] == precision
    # Untrained it is above 20; a hundredth of that is chance, between seeds, too.
    assert max(exact) < 0.4
    assert metadata["val_loss"] < max(exact) + 0.2


@pytest.mark.usefixtures("threads")
def test_a_run_that_was_ended_goes_on_to_the_same_weights(
    device, tones, tmp_path, monkeypatch
):
    options = options_of(tones, *SHORT, *on(device))
    train(options, tmp_path / "whole")
    seen, whole = [], ctc.ctc_losses

    def end_after_five(log_probs, output_lengths, batch):
        seen.append(batch.ids)
        if len(seen) == 5:
            os.kill(os.getpid(), signal.SIGTERM)
        return whole(log_probs, output_lengths, batch)

    with monkeypatch.context() as patch:
        patch.setattr(ctc, "ctc_losses", end_after_five)
        assert train(options, tmp_path / "ended").status == 128 + signal.SIGTERM
    assert read_checkpoint(tmp_path / "ended" / "last.ckpt")["global_step"] == 5
    assert resume(tmp_path / "ended").status == 0
    found, expected = (
        read_checkpoint(tmp_path / name / "last.ckpt") for name in ("ended", "whole")
    )
    assert found["global_step"] == expected["global_step"] > 10
    # A GPU adds up in any order, so that its runs differ in the last bits.
    tolerance = 0 if device.type == "cpu" else 1e-3
    for name, weights in expected["state_dict"].items():
        torch.testing.assert_close(
            found["state_dict"][name], weights, atol=tolerance, rtol=0
        )


@pytest.mark.slow
@pytest.mark.usefixtures("threads")
def test_a_checkpoint_of_a_device_goes_on_elsewhere_and_is_heard_there(
    device, tones, tmp_path
):
    folder = tmp_path / "run"
    train(options_of(tones, *SHORT, *on(device), "trainer.max_epochs=1"), folder)
    saved = read_checkpoint(folder / "last.ckpt")["state_dict"]
    assert {value.device.type for value in saved.values()} == {"cpu"}
    waveforms = 0.1 * torch.randn(1, 8000)
    model = load_checkpoint(folder / "last.ckpt").model.eval()
    with torch.inference_mode():
        here, _ = model(waveforms, torch.tensor([8000]))
        there, _ = model.to(device)(waveforms.to(device), torch.tensor([8000]))
    torch.testing.assert_close(there.cpu(), here, atol=1e-3, rtol=0)
    for epochs, where in ((2, "cpu"), (3, "cuda" if device.type == "cuda" else "cpu")):
        changes = {
            "trainer.max_epochs": epochs,
            "trainer.accelerator": {"cpu": "cpu", "cuda": "gpu"}[where],
        }
        resume(folder, changes=changes)
        assert read_checkpoint(folder / "last.ckpt")["epoch"] == epochs - 1


@pytest.mark.usefixtures("threads")
def test_a_loss_that_is_no_number_is_named_beside_a_loss_scaler(
    device, tones, tmp_path, monkeypatch, float16
):
    poisoned = []
    whole = ctc.ctc_losses

    def poison(log_probs, output_lengths, batch):
        losses = whole(log_probs, output_lengths, batch)
        if len(poisoned) == 3:
            poisoned.append(batch.ids[-1])
            return torch.cat([losses[:-1], losses[-1:] * math.nan])
        if len(poisoned) < 3:
            poisoned.append(None)
        return losses

    monkeypatch.setattr(ctc, "ctc_losses", poison)
    options = options_of(tones, *SHORT, *float16)
    with pytest.raises(InputError, match=r"loss is nan in epoch 1, step 4, ") as caught:
        train(options, tmp_path / "run")
    assert f"utterances: {poisoned[-1]};" in str(caught.value)


@pytest.mark.usefixtures("threads")
def test_an_overflow_lowers_the_scale_and_training_goes_on(
    device, tones, tmp_path, monkeypatch, float16
):
    scales, norms = [], []
    clip = Optimisation.configure_gradient_clipping

    def raise_and_watch(task, optimizer, *args, **kwargs):
        clip(task, optimizer, *args, **kwargs)
        scaler = task.trainer.precision_plugin.scaler
        norms.append(float(task.trainer.callback_metrics["train/gradient_norm"]))
        if not scales:
            # So large that the first gradients overflow, until it has been halved.
            scaler._scale.fill_(2.0**40)
        scales.append(scaler.get_scale())

    monkeypatch.setattr(Optimisation, "configure_gradient_clipping", raise_and_watch)
    options = options_of(tones, *SHORT, *float16, "trainer.max_epochs=4")
    train(options, tmp_path / "run")
    overflowed = [not math.isfinite(norm) for norm in norms]
    assert any(overflowed[1:])
    assert not overflowed[-1]
    assert scales[1:] == sorted(scales[1:], reverse=True)
    assert scales[-1] < scales[0] == 2.0**40
    weights = read_checkpoint(tmp_path / "run" / "last.ckpt")["state_dict"]
    assert all(value.isfinite().all() for value in weights.values())
