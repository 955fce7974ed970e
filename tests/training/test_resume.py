"""Killed and resumed, a run ends with the very weights it would have had."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from conftest import TINY, run_speechgru

from speechgru.checkpoint.storage import read_checkpoint
from speechgru.cli.config import compose_config, read_options
from speechgru.interfaces import InputError
from speechgru.options import TrainOptions
from speechgru.training.start import resume, train

RANDOM = [
    *TINY,
    "augment=[speed,gain,silence,join,noise,reverb]",
    "augment.silence.most=0.5",
    "augment.join.most=3",
    "data.wordless=0.1",
    "text=subwords",
    "text.vocabulary_size=14",
    "text.sampling=0.3",
    "features.vocal_tract=0.1",
    "spec_augment.max_time_warp=20",
    "encoder.dropout=0.3",
    "encoder.self_conditioned=true",
    "task.intermediate=0.3",
    "task.label_priors=0.3",
    "encoder.weight_dropout=0.1",
    "task.consistency=0.2",
    "task.average=0.9",
    "data.batch_seconds=8",
    "data.num_workers=2",
    "trainer.accumulate=2",
    "trainer.max_epochs=3",
    "callbacks.save_every=0",
    "logger.csv=true",
]
"""All that is random, with workers and accumulation."""


def start(tones, folder, *overrides, stderr=subprocess.DEVNULL):
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "speechgru", "train", *RANDOM, *tones.overrides),
            *(f"hydra.run.dir={folder}", *overrides),
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        start_new_session=True,
    )


def wait_for_step(process, path, epoch, step):
    """Return once a checkpoint of that epoch and at least that step is there."""
    seen = None
    while process.poll() is None:
        if path.exists() and path.stat().st_mtime_ns != seen:
            seen = path.stat().st_mtime_ns
            checkpoint = read_checkpoint(path)
            if checkpoint["epoch"] >= epoch and checkpoint["global_step"] >= step:
                return
        time.sleep(0.01)
    pytest.fail("the run ended before it could be killed")


def run_whole(tones, folder, options):
    """Train without an interruption, on one process in this one: it is not killed."""
    if "trainer=cpu" not in options:
        arguments = [*RANDOM, *tones.overrides, *options, f"hydra.run.dir={folder}"]
        run_speechgru("train", *arguments)
        return
    composed = compose_config("train", [*RANDOM, *tones.overrides, *options])
    assert train(read_options(composed, TrainOptions), folder, named=[]).status == 0


def go_on(folder, options):
    """Resume a run, on one process in this one."""
    if "trainer=cpu" not in options:
        run_speechgru("train", f"resume={folder}")
    else:
        assert resume(folder).status == 0


@pytest.mark.slow
@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(
    ("trainer", "optimizer"), [("cpu", "adamw"), ("ddp_cpu", "adamw"), ("cpu", "muon")]
)
def test_a_run_that_is_killed_within_an_epoch_resumes_exactly(
    tones, tmp_path, trainer, optimizer
):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    options = (f"trainer={trainer}", f"task.optimizer={optimizer}")
    run_whole(tones, whole, options)
    expected = read_checkpoint(whole / "last.ckpt")
    steps_per_epoch = expected["global_step"] // 3
    assert steps_per_epoch > 6

    process = start(tones, killed, *options)
    wait_for_step(process, killed / "last.ckpt", epoch=1, step=steps_per_epoch + 3)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    found = read_checkpoint(killed / "last.ckpt")
    assert found["epoch"] == 1
    assert found["global_step"] % steps_per_epoch != 0, "not within the epoch"

    go_on(killed, options)
    resumed = read_checkpoint(killed / "last.ckpt")
    assert resumed["global_step"] == expected["global_step"]
    for name, tensor in expected["state_dict"].items():
        assert torch.equal(resumed["state_dict"][name], tensor), name
    moments = [c["optimizer_states"][0]["state"] for c in (expected, resumed)]
    for index, state in moments[0].items():
        for name, moment in state.items():
            assert torch.equal(moments[1][index][name], moment), name
    best = [read_checkpoint(folder / "best.ckpt") for folder in (whole, killed)]
    assert (
        best[0]["speechgru"]["metadata"]["step"]
        == (best[1]["speechgru"]["metadata"]["step"])
    )
    # The log and the metrics of the first part are still there.
    assert len(list(killed.glob("metrics/*/metrics.csv"))) == 2
    assert "epoch 1/3" in (killed / "train.log").read_text()
    assert "epoch 3/3" in (killed / "train.log").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_ends_the_run_after_the_step(tones, tmp_path, number):
    # To all processes, as Ctrl-C in a terminal and schedulers do; two of them load.
    folder, errors = tmp_path / "run", tmp_path / "errors"
    options = ("callbacks.save_every=1e9", "trainer.max_epochs=1000")
    with errors.open("w") as stderr:
        process = start(tones, folder, *options, stderr=stderr)
    wait_for_step(process, folder / "last.ckpt", epoch=0, step=1)
    before = read_checkpoint(folder / "last.ckpt")["global_step"]
    os.killpg(process.pid, number)
    assert process.wait() == 128 + number
    assert "Traceback" not in errors.read_text()
    assert read_checkpoint(folder / "last.ckpt")["global_step"] > before
    assert "go on with: speechgru train resume=" in (folder / "train.log").read_text()


def test_a_resume_that_finds_nothing_is_an_error(tmp_path):
    from speechgru.cli.resume import go_on as resume

    with pytest.raises(
        InputError, match=r"nothing to resume, there is no config\.yaml"
    ):
        resume([f"resume={tmp_path}"])
