"""Runs whose data lies in shards, in a folder or at an address."""

import json
import shutil

import pytest
import torch
from conftest import TINY
from data.shards.server import serving

from speechgru.checkpoint.storage import read_checkpoint
from speechgru.cli.config import compose_config, read_options
from speechgru.data.manifest import read_manifest
from speechgru.data.shards.encoding import Encoding
from speechgru.data.shards.writer import write_shards
from speechgru.interfaces import InputError
from speechgru.options import TrainOptions
from speechgru.training.ctc import CTCTask
from speechgru.training.start import resume, train

OPTIONS = [
    *TINY,
    "corpus=shards",
    "data.window=2",
    "encoder.num_layers=1",
    "trainer.max_epochs=2",
    "callbacks.save_every=0",
]


@pytest.fixture(scope="module")
def shards(tones, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tones") / "shards"
    splits = {
        split: read_manifest(tones.folder / f"{split}.jsonl")
        for split in ("train", "dev")
    }
    report = write_shards(folder, splits, Encoding("wav"), megabytes=0.15)
    assert len(report.contents.splits["train"].shards) > 4
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SPEECHGRU_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def run(folder, corpus, *options):
    composed = compose_config("train", [*OPTIONS, f"corpus.folder={corpus}", *options])
    assert train(read_options(composed, TrainOptions), folder, named=[]).status == 0


def weights(folder):
    return read_checkpoint(folder / "last.ckpt")["state_dict"]


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


@pytest.mark.usefixtures("threads")
def test_a_run_from_an_address_that_was_cut_off_ends_as_one_from_a_folder(
    shards, cache, tmp_path, monkeypatch
):
    run(tmp_path / "near", shards)

    def power_cut(task, batch, index):
        if batch.key[0] == 1 and index == 3:
            raise KeyError("power cut")
        return step(task, batch, index)

    step = CTCTask.training_step
    with serving(shards) as host:
        with monkeypatch.context() as patched:
            patched.setattr(CTCTask, "training_step", power_cut)
            with pytest.raises(KeyError, match="power cut"):
                run(tmp_path / "far", host.address, "data.check=false")
        # Another machine, or one that has cleared its cache.
        shutil.rmtree(cache)
        assert resume(tmp_path / "far").status == 0
    assert_same(weights(tmp_path / "near"), weights(tmp_path / "far"))


def test_utterances_of_a_broken_shard_are_skipped_counted_and_listed(shards, tmp_path):
    broken = shutil.copytree(shards, tmp_path / "broken")
    path = broken / "train/000001.tar"
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(InputError, match=r"000001\.tar: cut off.*\n.*on_error=skip"):
        run(tmp_path / "refused", broken)
    options = ("data.on_error=skip", "trainer.max_epochs=1")
    run(tmp_path / "run", broken, *options)
    lines = (tmp_path / "run/skipped.jsonl").read_text().splitlines()
    listed = [json.loads(line) for line in lines]
    lost = [
        (index, utterance.id)
        for index, utterance in enumerate(read_manifest(shards / "train.jsonl"))
        if utterance.audio_path.name == "000001.tar"
    ]
    assert [(each["index"], each["id"]) for each in listed] == lost
    assert {each["kind"] for each in listed} == {"shard"}
    log = (tmp_path / "run/train.log").read_text()
    assert f"train: {61 - len(lost)} of 61 utterances left" in log
