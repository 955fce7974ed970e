"""A run folder as training leaves it, made without training."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from speechgru.data.folds import hold_out
from speechgru.data.inventory import record_utterances, write_inventory
from speechgru.data.manifest import read_manifest
from speechgru.options import DataOptions, TrainOptions, choose
from speechgru.training.run_folder import write_options
from speechgru.training.validation import take_part


@pytest.fixture
def corpus_folder(tones, tmp_path) -> Path:
    """The manifests of the tones, and their sound, where a test may change them."""
    return Path(shutil.copytree(tones.folder, tmp_path / "tones"))


@pytest.fixture
def make_run(checkpoint, corpus_folder, tmp_path):
    """Make the folder of a run that began in the folder of the corpus."""

    def make(name: str = "run", data: DataOptions | None = None, **splits) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(checkpoint, folder / "best.ckpt")
        paths = {split: f"{split}.jsonl" for split in ("train", "dev", "test")}
        corpus = choose("corpus", "manifest", **(paths | splits))
        options = TrainOptions(corpus=corpus, data=data or DataOptions())
        options = replace(options, text=choose("text", "characters", alphabet=" ABCD"))
        write_options(folder, options, None)
        start = {"directory": str(corpus_folder), "command": []}
        (folder / "start.json").write_text(json.dumps(start))
        train, dev = (
            read_manifest(corpus_folder / f"{role}.jsonl") for role in ("train", "dev")
        )
        cut = take_part(train, options.data, "train"), dev[: options.data.max_dev]
        if options.data.fold is not None:
            cut = hold_out(*cut, options.data.fold)
        inventory = zip(("train", "dev"), map(record_utterances, cut), strict=True)
        write_inventory(folder / "data.jsonl", dict(inventory))
        return folder

    return make


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Path:
    """Work in another folder than the run did."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert os.listdir() == []
    return folder
