"""Sweeps: refused before a folder is made, and what becomes of their runs."""

import contextlib
import os
import signal
import sys

import pytest
from conftest import TINY

from speechgru.cli import swept_run
from speechgru.report.sweep import read_sweep, read_swept_run


@pytest.fixture
def sweep_of(call, tones, tmp_path, monkeypatch):
    """Sweep in a folder of its own; return what `call` does."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return call("train", *TINY, *tones.overrides, "-m", *arguments)

    return run


@pytest.fixture
def folder(tmp_path):
    return lambda: next((tmp_path / "runs/sweeps").iterdir())


@pytest.fixture
def runs(monkeypatch):
    """Take the place of the processes of runs; what was to be run."""
    commands = []

    def run(sweep, command, folder):
        commands.append(command)
        with swept_run.recording(folder) as finish:
            seed = next(word for word in command if word.startswith("seed="))
            if seed == "seed=2":
                raise ValueError("out of luck")
            if seed == "seed=9":
                return -signal.SIGKILL
            finish({"val/wer": int(seed[5:]) / 10, "val/cer": 0.0})
        return 0

    def main(sweep, command, folder):
        with contextlib.suppress(ValueError):
            return run(sweep, command, folder)
        return 1

    monkeypatch.setattr(swept_run, "_run", main)
    return commands


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["encoder.hiden_size=1,2"], "did you mean encoder.hidden_size?"),
        (["seed=1", "trainer.max_epochs=1,-2"], "trainer.max_epochs is -2"),
        (["encoder=gru,gur"], "did you mean gru?"),
        (["seed=1,two"], "seed is 'two'"),
        (["hydra/launcher=joblb", "seed=1,2"], "hydra/launcher"),
    ],
)
def test_a_mistake_in_any_run_is_told_before_a_folder_is_made(
    sweep_of, tmp_path, runs, arguments, message
):
    code, _, err = sweep_of(*arguments)
    assert (code, runs, os.listdir(tmp_path)) == (2, [], [])
    assert message in err


def test_a_run_that_fails_ends_no_other_and_is_named(sweep_of, folder, runs):
    code, out, err = sweep_of("seed=1,2,9,3", "encoder.num_layers=1")
    assert (code, len(runs)) == (1, 4)
    [*_, head, first, second] = err.splitlines()
    assert head == "speechgru train: 2 of 4 runs failed:"
    assert first == f"  seed=2 in {folder()}/1: out of luck"
    assert second == f"  seed=9 in {folder()}/2: ended by SIGKILL"
    rows = [line.split() for line in out.splitlines()]
    assert ["0", "1", "-", "10.00", "best"] in rows
    assert ["1", "2", "-", "-", "failed:", "out", "of", "luck"] in rows
    names = {path.name for path in folder().iterdir()}
    assert names == {"0", "1", "2", "3", "multirun.yaml"}


def test_a_run_is_given_its_values_as_they_were_meant(sweep_of, folder, runs):
    # Commas and quotes in values; a choice of a group; more than one process.
    texts = "runs_dir=runs", "seed=1", "callbacks.best=wer,cer", "trainer=ddp_cpu"
    assert sweep_of(*texts, "data.train_split='a,b','it\\'s'")[0] == 0
    values = [run.overrides["data.train_split"] for run in read_sweep(folder())]
    assert values == ["'a,b'", "'it\\'s'"] * 2
    assert all("trainer=ddp_cpu" in command for command in runs)
    assert runs[1][-1] == f"hydra.run.dir='{folder()}/1'"
    assert runs[1][:4] == [sys.executable, "-m", "speechgru", "train"]


def test_processes_from_outside_begin_no_sweep(sweep_of, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    code, _, err = sweep_of("seed=1,2")
    assert (code, os.listdir(tmp_path)) == (2, [])
    assert "start -m once" in err


def test_a_folder_that_holds_a_sweep_takes_no_other(sweep_of, runs):
    assert sweep_of("seed=1,3", "hydra.sweep.dir=here")[0] == 0
    code, _, err = sweep_of("seed=1,3", "hydra.sweep.dir=here")
    assert (code, len(runs)) == (1, 2)
    assert "here: holds a sweep already, expected a new folder" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_and_begins_no_further_one(
    sweep_of, folder, monkeypatch, number
):
    seen = []

    def run(sweep, command, folder):
        os.kill(os.getpid(), number)
        seen.extend(swept_run._signals(sweep))
        return 128 + number

    monkeypatch.setattr(swept_run, "_run", run)
    assert sweep_of("seed=1,2,3")[0] == 128 + number
    assert seen == [number]
    assert {path.name for path in folder().iterdir()} == {"0", "multirun.yaml"}
    assert read_swept_run(folder() / "0").state == "unfinished"


@pytest.mark.parametrize("stopped", [True, False])
def test_a_process_gets_the_signals_and_ends_with_its_launcher(tmp_path, stopped):
    from speechgru.cli.sweep import STOP_FILE, Sweep

    sweep = Sweep(tmp_path, None, os.getpid(), (), (), True)
    script = "import os, signal, sys, time\n"
    script += "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
    if stopped:
        (tmp_path / STOP_FILE).write_text(str(int(signal.SIGTERM)))
        script += "time.sleep(60)"
    else:
        script += "assert os.environ['SPEECHGRU_SWEPT']; sys.exit(3)"
    # The signal may come before the handler is there; then it kills.
    status = swept_run._run(sweep, [sys.executable, "-c", script], tmp_path)
    assert status in ((7, -signal.SIGTERM) if stopped else (3,))


def test_optuna_lowers_the_score(sweep_of, folder, runs):
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="extra sweep")
    arguments = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=8"]
    code, out, _ = sweep_of(*arguments, "seed=choice(1,2,3)")
    assert len(runs) == 8  # those of seed=2 fail, and the others go on
    states = {run.state for run in read_sweep(folder())}
    assert code == ("failed" in states)
    results = (folder() / "optimization_results.yaml").read_text()
    lowest = min(run.score for run in read_sweep(folder()) if run.ended)
    assert f"best_value: {lowest}" in results
    assert "best" in out


@pytest.mark.slow
@pytest.mark.parametrize(
    "launcher", [["joblib", "hydra.launcher.n_jobs=2"], ["submitit_local"]]
)
def test_every_launcher_names_what_failed(sweep_of, folder, launcher):
    module = f"hydra_plugins.hydra_{launcher[0].partition('_')[0]}_launcher"
    pytest.importorskip(module, reason="extra sweep")
    arguments = ["trainer.max_epochs=1", "data.max_train=12", "seed=1"]
    code, _, err = sweep_of(
        f"hydra/launcher={launcher[0]}", *launcher[1:], *arguments,
        "init_from=none.ckpt,null",
    )  # fmt: skip
    assert code == 1
    assert "1 of 2 runs failed:" in err
    assert f"  init_from=none.ckpt in {folder()}/0: none.ckpt: no such" in err
    assert [run.state for run in read_sweep(folder())] == ["failed", "finished"]
