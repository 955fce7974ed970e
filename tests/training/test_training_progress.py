"""What a run says while it trains."""

import io
import re
import sys

import pytest
import torch
from conftest import TINY

from speechgru import progress
from speechgru.cli.config import compose_config, read_options
from speechgru.data.manifest import read_manifest
from speechgru.data.randomness import keyed_seed
from speechgru.options import TrainOptions
from speechgru.training import progress as module
from speechgru.training.clock import TrainingClock
from speechgru.training.ctc import CTCTask
from speechgru.training.progress import peak_memory, warn_of_length
from speechgru.training.run import run_training

SMALL = ["encoder.num_layers=1", "encoder.hidden_size=8", "data.batch_seconds=10"]


def start(tones, folder, *overrides, resume=False):
    options = [*TINY, *SMALL, *tones.overrides, "trainer.max_epochs=3", *overrides]
    folder.mkdir(exist_ok=True)
    config = read_options(compose_config("train", options), TrainOptions)
    assert run_training(config, folder, recipe=None, resume=resume).status == 0
    return (folder / "train.log").read_text()


@pytest.fixture
def talkative(monkeypatch):
    """Say something at every step."""
    monkeypatch.setattr(progress.Pace, "is_due", lambda *_: True)


def test_the_first_steps_tell_how_long_the_run_will_last(tones, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ENOUGH_STEPS", 10)
    log = start(tones, tmp_path / "run")
    (said,) = re.findall(r"INFO (\d+ steps an epoch.*)", log)
    assert re.fullmatch(
        r"11 steps an epoch, \S+ s each: about \d+ s an epoch, \d+ s for 3 "
        r"epochs; \d+\.\d\d GB of memory at the peak so far",
        said,
    )
    assert "loss" not in said
    assert re.search(
        r"epoch 2/3: train/loss .* per token \S+ \(dev \S+\), \d+ s, \d+ s left\n", log
    )
    assert re.search(r"epoch 3/3: .* \d+ s\n", log)
    assert "would take" not in log


def test_short_epochs_show_what_is_heard_at_first_and_in_the_end(
    tones, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "SAMPLES_EVERY", 1e9)
    options = ["trainer.max_epochs=4", "data.max_train=16", "data.batch_seconds=60"]
    log = start(tones, tmp_path / "run", *options)
    first, second, third, fourth = log.split("/4: ")[1:]
    assert first.count("| heard:") == fourth.count("| heard:") == 3
    assert second.count("| heard:") == third.count("| heard:") == 0


def test_the_samples_are_drawn_from_all_of_dev_and_stay_the_same(tones, tmp_path):
    options = ["trainer.max_epochs=1", "data.max_train=8", "data.batch_seconds=4"]
    log = start(tones, tmp_path / "run", *options, "seed=5")
    dev = read_manifest(tones.folder / "dev.jsonl")
    by_key = sorted(dev, key=lambda each: keyed_seed("sample", 5, each.id))
    drawn = by_key[:3]
    assert re.findall(r"  (dev-\d+): (.*) \| heard: ", log) == [
        (each.id, each.text) for each in drawn
    ]
    # Not those of the first batch, which are the shortest.
    assert (
        max(drawn, key=lambda each: each.duration).duration
        > sorted(each.duration for each in dev)[len(dev) // 2]
    )


def test_a_line_within_an_epoch_counts_steps_not_batches_also_behind_a_resume(
    tones, tmp_path, talkative, monkeypatch
):
    options = ["trainer.accumulate=2", "callbacks.save_every=0"]

    def end_in_epoch_2(task, batch, index):
        if batch.key[0] == 1 and index == 10:
            raise KeyError("power cut")
        return step(task, batch, index)

    step = CTCTask.training_step
    monkeypatch.setattr(CTCTask, "training_step", end_in_epoch_2)
    with pytest.raises(KeyError):
        start(tones, tmp_path / "run", *options)
    monkeypatch.undo()
    monkeypatch.setattr(progress.Pace, "is_due", lambda *_: True)
    log = start(tones, tmp_path / "run", *options, resume=True)
    found = [
        tuple(map(int, numbers))
        for numbers in re.findall(r"epoch (\d)/3: (\d+) of (\d+) steps", log)
    ]
    steps = found[0][-1]
    assert found == [
        (epoch, done, steps) for epoch in (1, 2, 3) for done in range(1, steps)
    ]
    _, after = log.split("resuming behind step")
    assert "for 3 epochs" not in after
    assert re.search(
        r"epoch 2/3: 6 of 11 steps, \d+ s gone, about \d+ s left; loss", after
    )


def test_validation_is_counted_as_well(tones, tmp_path, talkative):
    log = start(tones, tmp_path / "run", "trainer.max_epochs=1", "data.batch_seconds=1")
    assert re.search(r"epoch 1/1, validation: 5 of \d+ batches", log)


def test_a_terminal_has_a_bar_instead_of_lines(tones, tmp_path, talkative, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(progress, "BAR_DELAY", 0.0)
    log = start(tones, tmp_path / "run", "trainer.max_epochs=1")
    assert not re.search(r" of \d steps", log)
    assert " steps [" in sys.stderr.getvalue()
    assert "epoch 1/1: train/loss" in sys.stderr.getvalue()


def test_a_long_run_is_warned_of_with_what_to_change():
    clock = TrainingClock(100, 100, 0)
    for epoch in range(2):
        clock.begin_epoch(epoch, 0, epoch * 324.0)
        for step in range(100):
            clock.end_step(epoch * 324.0 + 3.24 * (step + 1))
    warning = warn_of_length(clock, "cpu")
    assert "would take about 8:49 h; trainer.max_epochs=33 takes 3:00 h" in warning
    assert "trainer=gpu" in warning
    assert "trainer=gpu" not in warn_of_length(clock, "cuda")
    assert "trainer.max_steps=3333 takes 3:00 h" in warn_of_length(clock, "cpu", True)


def test_a_run_that_ends_within_an_epoch_is_reckoned_to_its_end(
    tones, tmp_path, monkeypatch
):
    steps_left = []

    def warn_of_length(clock, *_):
        steps_left.append(clock.seconds_left / clock.seconds_per_step)

    monkeypatch.setattr(module, "ENOUGH_STEPS", 1)  # behind the first, which is slow
    monkeypatch.setattr(module, "warn_of_length", warn_of_length)
    monkeypatch.setattr(module, "LONG_RUN", -1.0)
    start(tones, tmp_path / "run", "trainer.max_steps=3", "data.fold=all")
    assert steps_left == [pytest.approx(1.0)]


def test_a_run_that_takes_long_names_an_allocator_once(tones, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ENOUGH_STEPS", 1)
    said = "begins with LD_PRELOAD=libtcmalloc_minimal.so.4; see docs/how-to/slow"
    monkeypatch.setattr(
        module.process_memory, "suggest_allocator", lambda: said.split()[2].strip(";")
    )
    options = ["trainer.max_epochs=1", "data.max_train=16"]
    assert said not in start(tones, tmp_path / "short", *options)
    monkeypatch.setattr(module, "WORTH_A_WORD", 0.0)
    assert start(tones, tmp_path / "long", *options).count(said) == 1
    monkeypatch.setattr(module.process_memory, "suggest_allocator", lambda: None)
    assert "LD_PRELOAD" not in start(tones, tmp_path / "other", *options)


def test_memory_is_that_of_this_process():
    assert 1e8 < peak_memory(torch.device("cpu")) < 1e11
