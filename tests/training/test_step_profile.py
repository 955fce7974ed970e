"""A table of where a step's time goes, and a trace."""

import json
import re

import pytest
from conftest import TINY

from speechgru.cli.config import compose_config, read_options
from speechgru.options import TrainOptions
from speechgru.training.start import train


@pytest.mark.slow
@pytest.mark.usefixtures("threads")
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
    assert {"subsampling", "optimiser", "loss and logging"} <= set(rows)
    assert sum(shares.values()) == pytest.approx(100, abs=1)
    assert shares["encoder"] > shares["head"]
    assert re.search(r"^mean of 20 +[\d.]+ +100.0%$", log, re.MULTILINE)
    events = json.loads((tmp_path / "run" / "trace.json").read_text())["traceEvents"]
    assert any("ctc_loss" in event.get("name", "") for event in events)
