"""Run folders of older versions go on as if this one had begun them."""

import shutil
from pathlib import Path

import torch
import yaml
from conftest import TINY

from speechgru.checkpoint.renamed import RENAMED
from speechgru.checkpoint.storage import (
    DESCRIPTION_KEY,
    read_checkpoint,
    write_checkpoint,
)
from speechgru.cli.config import compose_config, read_options
from speechgru.options import TrainOptions
from speechgru.training.callbacks import CONFIG_KEY
from speechgru.training.start import resume, train
from speechgru.training.stored import read_stored

OLD_NAMES = {new: old for old, new in RENAMED.items()}
SINCE = {"data": ["wordless"], "callbacks": ["best"]}
"""Options that version 0.1.0 had not from its beginning."""


def as_before(value):
    """Plain values with the names of classes that 0.1.0 wrote."""
    if isinstance(value, dict):
        return {key: as_before(each) for key, each in value.items()}
    if isinstance(value, str) and value.startswith("speechgru."):
        module, _, name = value.rpartition(".")
        return OLD_NAMES.get(value, f"{OLD_NAMES.get(module, module)}.{name}")
    return value


def without_later(config):
    """A configuration of before some options were there."""
    return {
        group: {key: each[key] for key in each if key not in SINCE[group]}
        if group in SINCE
        else each
        for group, each in as_before(config).items()
    }


def make_old(folder):
    """Rewrite a run folder as 0.1.0 would have left it."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(without_later(yaml.safe_load(path.read_text()))))
    content = read_checkpoint(folder / "last.ckpt")
    content[CONFIG_KEY] = without_later(content[CONFIG_KEY])
    description = content[DESCRIPTION_KEY]
    description["model"] = as_before(description["model"])
    write_checkpoint(content, folder / "last.ckpt")
    assert "speechgru.model.gru.GRUEncoder" in path.read_text()
    assert "speechgru.task.ctc.CTCTask" in path.read_text()
    assert "wordless" not in path.read_text()


def test_a_run_of_an_older_version_goes_on_with_the_same_weights(tones, tmp_path):
    overrides = [*TINY, *tones.overrides, "encoder.num_layers=1", "data.max_train=20"]
    composed = compose_config("train", [*overrides, "trainer.max_epochs=1"])
    train(read_options(composed, TrainOptions), tmp_path / "new", named=[])
    shutil.copytree(tmp_path / "new", tmp_path / "old")
    make_old(tmp_path / "old")
    weights = []
    for name in ("new", "old"):
        assert resume(tmp_path / name, changes={"trainer.max_epochs": 2}).status == 0
        weights.append(read_checkpoint(tmp_path / name / "last.ckpt")["state_dict"])
    assert weights[0].keys() == weights[1].keys()
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name


def test_a_configuration_that_0_1_0_wrote_is_read_as_the_recipe_is_now(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("SPEECHGRU_DATA", raising=False)
    shutil.copy(
        Path(__file__).with_name("version_0_1_0.yaml"), tmp_path / "config.yaml"
    )
    options, recipe = read_stored(tmp_path, [])
    overrides = ["data.max_train=64", "data.max_dev=20", "trainer.max_epochs=2"]
    newer = [
        "data.num_buckets=8",
        "data.num_workers=0",
        "~encoder.gradient_checkpointing",
        "~decoder.blank_penalty",
        "~encoder.self_conditioned",
        "~task.label_priors",
        "~task.mmi",
        "~features.vocal_tract",
        "~spec_augment.max_time_warp",
        "~spec_augment.same_time_warp",
    ]
    composed = compose_config("train", [f"recipe={recipe}", *overrides, *newer])
    assert recipe == "synth_digits/bigru"
    assert options == read_options(composed, TrainOptions)
