"""Runs that are measured in steps instead of passes over the data."""

import csv
import math
import os
import signal

import pytest
import torch
from conftest import TINY

from speechgru.checkpoint.storage import read_checkpoint
from speechgru.cli.config import compose_config, read_options
from speechgru.interfaces import InputError
from speechgru.options import TrainOptions
from speechgru.training.ctc import CTCTask
from speechgru.training.start import resume, train

OPTIONS = [
    *TINY,
    "encoder.dropout=0.2",
    "data.max_dev=3",
    "data.batch_seconds=12",
    "trainer.log_every_n_steps=1",
    "logger.csv=true",
]
EVERY = 4  # steps

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("threads")]


def run(tones, folder, *overrides):
    composed = compose_config("train", [*OPTIONS, *tones.overrides, *overrides])
    return train(read_options(composed, TrainOptions), folder, named=[])


def read_scores(folder):
    """Steps at which the run was validated."""
    steps = []
    for table in sorted(folder.glob("metrics/*/metrics.csv")):
        with table.open() as file:
            rows = csv.DictReader(file)
            steps += [int(row["step"]) + 1 for row in rows if row["val/loss"]]
    return steps


def assert_same_weights(found, expected):
    found, expected = (read_checkpoint(f / "last.ckpt") for f in (found, expected))
    assert found["global_step"] == expected["global_step"]
    for name, tensor in expected["state_dict"].items():
        assert torch.equal(found["state_dict"][name], tensor), name


@pytest.fixture(scope="module")
def in_passes(tones, tmp_path_factory):
    """Three passes over the data."""
    folder = tmp_path_factory.mktemp("passes") / "run"
    assert run(tones, folder, "trainer.max_epochs=3").status == 0
    return folder


@pytest.fixture(scope="module")
def num_steps(in_passes):
    steps = read_checkpoint(in_passes / "last.ckpt")["global_step"]
    assert (steps // 3) % EVERY, "epochs shall not end with passes"
    return steps


def test_the_steps_are_those_of_passes(tones, tmp_path, in_passes, num_steps):
    limits = [f"data.steps_per_epoch={EVERY}", f"trainer.max_steps={num_steps}"]
    outcome = run(tones, tmp_path / "run", *limits)
    assert_same_weights(tmp_path / "run", in_passes)
    expected = [*range(EVERY, num_steps, EVERY), num_steps]
    assert read_scores(tmp_path / "run") == expected
    assert f"of {math.ceil(num_steps / EVERY)};" in outcome.summary


def test_a_run_that_is_ended_within_them_resumes_exactly(
    tones, tmp_path, in_passes, num_steps, monkeypatch
):
    begin, folder = CTCTask.training_step, tmp_path / "run"

    def training_step(self, batch, index):
        if self.global_step == num_steps // 2 and not folder.name.endswith("again"):
            os.kill(os.getpid(), signal.SIGTERM)
        return begin(self, batch, index)

    limits = [f"data.steps_per_epoch={EVERY}", f"trainer.max_steps={num_steps}"]
    monkeypatch.setattr(CTCTask, "training_step", training_step)
    assert run(tones, folder, *limits).status == 128 + signal.SIGTERM
    assert read_checkpoint(folder / "last.ckpt")["global_step"] == num_steps // 2 + 1
    monkeypatch.undo()
    assert resume(folder).status == 0
    assert_same_weights(folder, in_passes)
    expected = [*range(EVERY, num_steps, EVERY), num_steps]
    assert read_scores(folder) == expected

    with pytest.raises(InputError, match=f"max_steps is 3, but {num_steps} steps are"):
        resume(folder, changes={"trainer.max_steps": 3})
    longer = {"trainer.max_steps": num_steps + 5}
    assert resume(folder, changes=longer).status == 0
    assert read_checkpoint(folder / "last.ckpt")["global_step"] == num_steps + 5


def test_checkpoints_come_as_often_as_asked_for(tones, tmp_path, monkeypatch):
    saved, save = [], CTCTask.on_save_checkpoint

    def on_save_checkpoint(self, checkpoint):
        saved.append(self.global_step)
        save(self, checkpoint)

    monkeypatch.setattr(CTCTask, "on_save_checkpoint", on_save_checkpoint)
    limits = ["trainer.max_epochs=1", "callbacks.save_every_steps=3"]
    run(tones, tmp_path / "run", *limits)
    last = read_checkpoint(tmp_path / "run" / "last.ckpt")["global_step"]
    assert saved == sorted({*range(3, last, 3), last})


def test_a_run_that_is_done_stays_as_it_is(tones, tmp_path):
    limits = ["data.steps_per_epoch=4", "trainer.max_steps=6"]
    first = run(tones, tmp_path / "run", *limits)
    before = read_checkpoint(tmp_path / "run" / "last.ckpt")
    again = resume(tmp_path / "run")
    assert again.status == 0
    assert again.scores == first.scores
    assert "all 6 steps are done" in (tmp_path / "run" / "train.log").read_text()
    after = read_checkpoint(tmp_path / "run" / "last.ckpt")
    assert after["global_step"] == 6
    for name, tensor in before["state_dict"].items():
        assert torch.equal(after["state_dict"][name], tensor), name


def test_accumulated_batches_are_no_steps(tones, tmp_path):
    halves = ["trainer.accumulate=2"]
    run(tones, tmp_path / "passes", "trainer.max_epochs=2", *halves)
    steps = read_checkpoint(tmp_path / "passes" / "last.ckpt")["global_step"]
    limits = ["data.steps_per_epoch=3", f"trainer.max_steps={steps}"]
    run(tones, tmp_path / "steps", *limits, *halves)
    assert_same_weights(tmp_path / "steps", tmp_path / "passes")
    assert read_scores(tmp_path / "steps")[:2] == [3, 6]


def test_a_run_that_gets_no_better_is_stopped_within_a_pass(tones, tmp_path):
    stop = "callbacks.early_stopping_patience=1"
    limits = ["data.steps_per_epoch=2", "task.learning_rate=1e-9", stop]
    assert run(tones, tmp_path / "run", *limits, "callbacks.best=wer").status == 0
    assert read_checkpoint(tmp_path / "run" / "last.ckpt")["global_step"] == 4
