"""A run ends with its time; its length can be changed; all is exactly resumed."""

import json
import shutil
import time
from types import SimpleNamespace

import pytest
import torch
import yaml
from conftest import TINY

from speechgru.checkpoint.storage import DESCRIPTION_KEY, read_checkpoint
from speechgru.cli.config import compose_config, read_options
from speechgru.interfaces import InputError
from speechgru.options import TrainOptions
from speechgru.training import length, run, time_budget
from speechgru.training.ctc import CTCTask
from speechgru.training.start import resume, train

SMALL = [
    *TINY,
    *("encoder.num_layers=1", "encoder.hidden_size=8", "encoder.dropout=0.2"),
    *("data.batch_seconds=10", "data.max_dev=3"),
]

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("threads")]


class Machine:
    """Time goes by with steps and validation only."""

    def __init__(self):
        self.now = 1000.0
        self.cut_at = None  # a step in which power fails
        self.slow_from = 10**9  # steps take twice as long from then on
        self.validation = 2.5  # s, a batch
        self.gain_at = None  # a step behind which there is more time than was thought

    def monotonic(self):
        return self.now

    def gain(self, step):
        if step == self.gain_at:
            self.gain_at = None
            self.now -= 40.0

    def take_step(self, step):
        if step == self.cut_at:
            self.cut_at = None
            raise KeyError("power cut")
        self.now += 2.0 if step >= self.slow_from else 1.0


@pytest.fixture
def machine(monkeypatch):
    machine = Machine()
    clock = SimpleNamespace(
        monotonic=machine.monotonic,
        time=time.time,
        localtime=time.localtime,
        strftime=time.strftime,
    )
    for module in (length, run, time_budget):
        monkeypatch.setattr(module, "time", clock)
    train_on, validate = CTCTask.training_step, CTCTask.validation_step

    def training_step(task, batch, index):
        machine.take_step(task.global_step)
        return train_on(task, batch, index)

    def validation_step(task, batch, index):
        machine.now += machine.validation
        machine.gain(task.global_step)
        return validate(task, batch, index)

    monkeypatch.setattr(CTCTask, "training_step", training_step)
    monkeypatch.setattr(CTCTask, "validation_step", validation_step)
    return machine


def begin(tones, folder, *overrides, named=()):
    composed = compose_config("train", [*SMALL, *tones.overrides, *overrides])
    return train(read_options(composed, TrainOptions), folder, named=named)


def turns_of(folder):
    return json.loads((folder / "length.json").read_text())


def last_of(folder):
    return read_checkpoint(folder / "last.ckpt")


def assert_same(found, expected):
    found, expected = last_of(found), last_of(expected)
    assert found["global_step"] == expected["global_step"]
    for name, tensor in expected["state_dict"].items():
        assert torch.equal(found["state_dict"][name], tensor), name


def repeat(folder, copy):
    """Train from the start what a run was told, and how its length was fixed."""
    copy.mkdir()
    for name in ("config.yaml", "length.json"):
        shutil.copy(folder / name, copy / name)
    assert resume(copy).status == 0


def test_a_run_ends_with_its_time(tones, tmp_path, machine):
    folder = tmp_path / "run"
    began = machine.now
    assert begin(tones, folder, "trainer.max_time=2m").status == 0
    assert 0.95 * 120 <= machine.now - began <= 1.01 * 120
    (turn, *others) = turns_of(folder)
    assert (turn["reason"], turn["max_time"]) == ("measured", 120.0)
    assert all(turn["reason"] == "corrected" for turn in others)
    last = last_of(folder)
    assert last["global_step"] == turns_of(folder)[-1]["num_steps"]
    assert last["lr_schedulers"][0]["_last_lr"][0] < 1e-4, "of a peak of 1e-2"
    metadata = read_checkpoint(folder / "best.ckpt")[DESCRIPTION_KEY]["metadata"]
    assert 0 < metadata["wall_seconds"] <= 121
    log = (folder / "train.log").read_text()
    assert "trainer.max_time is 2:00 min: 1 s a step and" in log
    assert "epochs of 11 steps" in log
    assert "of the 100 epochs of trainer.max_epochs, which would take 18:" in log
    # Nothing is left to be done, and more time goes on from there.
    assert resume(folder).status == 0
    assert "the time of the run is over" in (folder / "train.log").read_text()
    assert last_of(folder)["global_step"] == last["global_step"]
    began = machine.now
    assert resume(folder, changes={"trainer.max_time": "4m"}).status == 0
    assert turns_of(folder)[-1]["max_time"] == 240.0
    assert any(turn["reason"] == "asked" for turn in turns_of(folder))
    assert 0.9 * 120 <= machine.now - began <= 1.05 * 120
    with pytest.raises(InputError, match="1:00 min, but the run has taken 3:"):
        resume(folder, changes={"trainer.max_time": "60s"})


def test_a_run_that_becomes_slower_keeps_its_time_and_resumes_exactly(
    tones, tmp_path, machine
):
    folder = tmp_path / "run"
    machine.slow_from, machine.cut_at = 40, 62
    began = machine.now
    with pytest.raises(KeyError, match="power cut"):
        begin(tones, folder, "trainer.max_time=2m")
    before = turns_of(folder)
    assert before[-1]["reason"] == "corrected"
    assert before[-1]["num_steps"] < before[0]["num_steps"]
    assert last_of(folder)["global_step"] <= 55, "before the power cut"
    # Some turns were taken behind the last checkpoint: they are taken again.
    assert resume(folder).status == 0
    lost = 62 - last_of(folder)["global_step"]
    assert turns_of(folder)[: len(before)] == before
    assert machine.now - began <= 1.05 * 120 + 2 * max(lost, 11)
    repeat(folder, tmp_path / "again")
    assert_same(tmp_path / "again", folder)
    assert turns_of(tmp_path / "again") == turns_of(folder)


def test_a_time_of_less_than_an_epoch_ends_within_it(tones, tmp_path, machine):
    folder = tmp_path / "run"
    began = machine.now
    machine.validation = 0.2  # what no epoch has shown is reckoned from its length
    options = ("data.batch_seconds=2", "trainer.max_time=30s", "data.num_workers=1")
    assert begin(tones, folder, *options).status == 0
    assert machine.now - began <= 30.5
    last = last_of(folder)
    assert 20 <= last["global_step"] == turns_of(folder)[-1]["num_steps"]
    assert last["global_step"] < last["steps_per_epoch"]
    assert (folder / "best.ckpt").exists(), "it was validated"


def test_a_run_that_is_lengthened_behind_a_shorter_epoch_resumes_exactly(
    tones, tmp_path, machine
):
    folder = tmp_path / "run"
    machine.gain_at = 102
    assert begin(tones, folder, "trainer.max_time=130s").status == 0
    turns = turns_of(folder)
    assert turns[-2]["num_steps"] == 102, "3 of 11 steps of the last epoch"
    assert (turns[-1]["step"], turns[-1]["reason"]) == (102, "corrected")
    assert last_of(folder)["global_step"] == turns[-1]["num_steps"] > 102
    machine.gain_at = 102
    repeat(folder, tmp_path / "again")
    assert_same(tmp_path / "again", folder)


def test_one_length_is_asked_for(tones, tmp_path):
    with pytest.raises(InputError, match=r"max_time is '1h' and trainer\.max_epochs 7"):
        begin(
            tones,
            tmp_path / "run",
            *("trainer.max_time=1h", "trainer.max_epochs=7"),
            named=["trainer.max_time", "trainer.max_epochs"],
        )


def test_a_finished_run_that_is_lengthened_warms_up_again_and_resumes_exactly(
    tones, tmp_path, machine
):
    folder = tmp_path / "run"
    begin(tones, folder, "trainer.max_epochs=2")
    shutil.copytree(folder, tmp_path / "whole")
    changes = {"trainer.max_epochs": 4}
    assert resume(tmp_path / "whole", changes=changes).status == 0
    machine.cut_at = 40
    with pytest.raises(KeyError, match="power cut"):
        resume(folder, changes=changes)
    assert last_of(folder)["global_step"] == 33
    assert resume(folder).status == 0
    assert_same(folder, tmp_path / "whole")
    log = (folder / "train.log").read_text()
    assert "the learning rate rises over" in log
    assert log.count("the schedule now ends after 44 steps") == 1
    assert [turn["reason"] for turn in turns_of(folder)] == ["begun", "asked"]
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["trainer"]["max_epochs"] == 4
    assert config["was"] == [{"until_step": 22, "trainer.max_epochs": 2}]
    # By steps, by time, and what was named last counts.
    assert resume(folder, changes={"trainer.max_steps": 50}).status == 0
    assert resume(folder, changes={"trainer.max_epochs": 6}).status == 0
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["trainer"]["max_steps"] is None
    assert last_of(folder)["global_step"] == turns_of(folder)[-1]["num_steps"]
    assert [entry["until_step"] for entry in config["was"]] == [22, 44, 50]
    assert "in all: 6 epochs, 61 steps" in (folder / "train.log").read_text()


def test_totals_go_along_the_chain_of_runs(tones, tmp_path, machine):
    begin(tones, tmp_path / "first", "trainer.max_epochs=2")
    first = last_of(tmp_path / "first")[DESCRIPTION_KEY]["metadata"]
    checkpoint = f"init_from={tmp_path / 'first' / 'last.ckpt'}"
    begin(tones, tmp_path / "second", "trainer.max_epochs=1", checkpoint)
    assert resume(tmp_path / "second", changes={"trainer.max_epochs": 2}).status == 0
    second = last_of(tmp_path / "second")[DESCRIPTION_KEY]["metadata"]
    assert second["before"] == {
        "cpu_seconds": first["cpu_seconds"],
        "wall_seconds": first["wall_seconds"],
        "epochs": 2,
        "steps": 22,
    }
    log = (tmp_path / "second" / "train.log").read_text()
    assert "in all: 3 epochs, 33 steps" in log
    assert "in all: 4 epochs, 44 steps" in log
