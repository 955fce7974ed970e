"""Training on a device, simulated on a CPU: the same steps, and nobody waits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import TINY

from speechgru.checkpoint.storage import read_checkpoint

TESTS = Path(__file__).parents[1]
SHORT = [
    *TINY,
    "data.max_train=24",
    "data.max_dev=2",
    "trainer.max_epochs=1",
    "encoder.hidden_size=8",
    "trainer.log_every_n_steps=1000",  # what is written down is waited for
    "task.learning_rate=1e-3",
]
MUCH = [
    "augment=[noise_on_device,reverb_on_device]",
    "encoder.norm=batch",
    "encoder.residual=true",
    "encoder.variational=true",
    "encoder.input_dropout=0.1",
    "encoder.output_dropout=0.1",
    "encoder.piece_range=[3,12]",
    "subsampling.norm=batch",
    "subsampling.dropout=0.1",
    "normalize=utterance",
    "spec_augment.max_freq_warp=2",
    "spec_augment.max_time_warp=20",
    "features.vocal_tract=0.1",
    "spec_augment.frames_per_time_mask=20",
    "task.average=0.99",
    "task.consistency=0.1",
    "task.smoothing=0.01",
    "task.intermediate=0.3",
    "task.mmi=0.5",
    "trainer.max_epochs=2",  # the first counts what follows what
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [[], ["encoder.dropout=0", "normalize=active"], MUCH],
    ids=["default", "layers in one call", "much"],
)
def test_a_device_takes_the_steps_of_a_cpu_and_lets_nobody_wait(
    tones, tmp_path, overrides
):
    script = TESTS / "train_on_simulated_device.py"
    result = subprocess.run(
        [sys.executable, script, tmp_path, *SHORT, *tones.overrides, *overrides],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    steps = json.loads(result.stdout.rpartition("STEPS ")[2])
    assert len(steps) >= 3
    for waits in steps:
        assert len(waits) <= 2, waits
    assert any(steps)  # that of the gradient's norm is seen, at least
    expected, found = (
        read_checkpoint(tmp_path / where / "last.ckpt")["state_dict"]
        for where in ("cpu", "device")
    )
    assert expected.keys() == found.keys()
    # A bias in front of a batch norm has no gradient, and Adam takes it anywhere.
    adrift = ("convolutions.0.bias", "subsampling.norms.0.running_mean")
    for name, weights in expected.items():
        if overrides is MUCH and name.endswith(adrift):
            continue
        assert torch.allclose(found[name], weights, atol=1e-4, rtol=1e-3), name
