"""A table of where a step's time goes, and a trace."""

import json
import re
import time

import pytest
from conftest import TINY

from speechgru.cli.config import compose_config, read_options
from speechgru.options import TrainOptions
from speechgru.training.ctc import CTCTask
from speechgru.training.start import train

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("threads")]


def test_shares_add_up_and_a_step_is_traced(tones, tmp_path):
    overrides = [*TINY, *tones.overrides, "debug=profile", "augment=noise_on_device"]
    options = read_options(compose_config("train", overrides), TrainOptions)
    train(options, tmp_path / "run", named=[])
    log = (tmp_path / "run" / "train.log").read_text()
    rows = dict(re.findall(r"^([a-z_ ]+?) +[\d.]+ +([\d.]+)%$", log, re.MULTILINE))
    shares = {name: float(share) for name, share in rows.items()}
    assert {"loading", "augment", "features", "encoder", "head", "backward"} <= set(
        rows
    )
    assert {"subsampling", "optimiser", "loss and metrics"} <= set(rows)
    assert sum(shares.values()) == pytest.approx(100, abs=1)
    assert shares["encoder"] > shares["head"]
    assert re.search(r"^mean of 20 +[\d.]+ +100.0%$", log, re.MULTILINE)
    events = json.loads((tmp_path / "run" / "trace.json").read_text())["traceEvents"]
    names = {event.get("name", "") for event in events}
    assert any("ctc_loss" in name for name in names)
    assert {"features", "encoder", "head"} <= names
    assert "Warning" not in log


def test_what_lies_between_epochs_is_no_part_of_a_step(tones, tmp_path, monkeypatch):
    # With a validation of a second between two steps that are timed.
    validate = CTCTask.validation_step

    def validation_step(self, batch, index):
        time.sleep(1.0)
        validate(self, batch, index)

    monkeypatch.setattr(CTCTask, "validation_step", validation_step)
    overrides = [*TINY, *tones.overrides, "debug=profile", "data.max_dev=1"]
    sizes = ["data.steps_per_epoch=6", "trainer.max_steps=11"]
    few = ["callbacks.profile_steps=6"]
    composed = compose_config("train", [*overrides, *sizes, *few])
    train(read_options(composed, TrainOptions), tmp_path / "run", named=[])
    log = (tmp_path / "run" / "train.log").read_text()
    (milliseconds,) = re.findall(r"^mean of 6 +([\d.]+) ", log, re.MULTILINE)
    assert float(milliseconds) < 1000 / 6
