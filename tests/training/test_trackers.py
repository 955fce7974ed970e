"""Runs are listed by Weights & Biases and by MLflow, without any network."""

import json
import socket
from pathlib import Path

import pytest
from conftest import TINY

from speechgru.cli.config import compose_config, read_options
from speechgru.interfaces import InputError
from speechgru.options import LoggerOptions, TrainOptions
from speechgru.ranges import OptionError
from speechgru.score.learning import read_learning_curves
from speechgru.training.resuming import apply_changes, describe_going_on
from speechgru.training.start import resume, train
from speechgru.training.trackers import TRACKERS_FILE, read_ids


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """A working directory, and no way to any other machine; the addresses tried."""
    tried = []
    connect = socket.socket.connect

    def connect_here(self, address):
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1"):
            tried.append(address)
            raise OSError("no network")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.setenv("WANDB_API_KEY", "0123456789secret" * 3)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "0123456789secret")
    monkeypatch.chdir(tmp_path)
    return tried


def options_of(*overrides):
    return read_options(compose_config("train", [*TINY, *overrides]), TrainOptions)


def train_twice(tones, folder, *overrides):
    """One epoch, and one more of the run resumed."""
    options = options_of(
        *tones.overrides,
        "trainer.max_epochs=1",
        "trainer.log_every_n_steps=1",
        "logger.csv=true",
        *overrides,
    )
    assert train(options, folder).status == 0
    first = read_ids(folder / TRACKERS_FILE)
    assert resume(folder, changes={"trainer.max_epochs": 2}).status == 0
    assert read_ids(folder / TRACKERS_FILE) == first
    return first


def everything_in(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_mlflow_has_the_metrics_of_the_csv(tones, tmp_path, offline):
    tracking = pytest.importorskip(
        "mlflow.tracking", reason='pip install ".[mlflow]" to test logger=mlflow'
    )
    folder = tmp_path / "run"
    ids = train_twice(tones, folder, "logger.mlflow=lists/mlruns")
    client = tracking.MlflowClient("file:lists/mlruns")
    run = client.get_run(ids["mlflow"])
    for name in ("val/wer", "train/loss", "train/cpu_seconds"):
        logged = client.get_metric_history(ids["mlflow"], name)
        expected = [row[name] for row in read_learning_curves(folder)]
        assert [metric.value for metric in logged] == pytest.approx(expected), name
    assert run.info.status == "FINISHED"
    assert run.data.params["encoder.hidden_size"] == "32"
    assert "data_dir" not in run.data.params
    assert run.info.user_id == "unknown"
    assert run.data.tags["mlflow.source.name"] == "speechgru"
    assert not run.data.tags["mlflow.source.git.commit"]
    experiment = client.get_experiment(run.info.experiment_id)
    assert experiment.name == "speechgru"
    assert "WARNING Experiment" not in (folder / "train.log").read_text()
    assert {path.name for path in folder.iterdir()} >= {TRACKERS_FILE, "metrics"}
    assert b"0123456789secret" not in everything_in(folder)
    assert offline == []


def test_wandb_has_one_run_of_both_parts(tones, tmp_path, offline):
    pytest.importorskip("wandb", reason='pip install ".[wandb]" to test logger=wandb')
    folder = tmp_path / "run"
    ids = train_twice(tones, folder, "logger.wandb=offline")
    parts = sorted((tmp_path / "wandb").glob(f"offline-run-*-{ids['wandb']}"))
    assert parts
    written = everything_in(tmp_path / "wandb")
    for name in (b"val/wer", b"train/loss_per_token", b"encoder.hidden_size"):
        assert name in written, name
    assert b"data_dir" not in written
    assert not (folder / "wandb").exists()
    assert b"0123456789secret" not in everything_in(folder) + written
    assert offline == []


@pytest.mark.parametrize(
    ("option", "module"), [("wandb", "wandb"), ("mlflow", "mlflow")]
)
def test_a_missing_package_names_what_to_install(
    tones, tmp_path, monkeypatch, option, module
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    options = options_of(*tones.overrides, f"logger={option}")
    with pytest.raises(InputError, match=rf'pip install "speechgru\[{module}\]"'):
        train(options, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_folder_opens_no_connection():
    for name, address in (("wandb", "online"), ("mlflow", "https://evil.example")):
        options = options_of(
            "corpus.train=a", "corpus.dev=b", f"logger.{name}={address}"
        )
        with pytest.raises(InputError, match="not done because a run folder says so"):
            apply_changes(options, {})
        assert apply_changes(options, {f"logger.{name}": None})
        assert apply_changes(options, {f"logger.{name}": address}) == options
        assert f"logger.{name}={address}" in describe_going_on(options, Path("run"))


@pytest.mark.parametrize(
    "place", ["mlruns", "file:mlruns", "sqlite:///mlflow.db", None]
)
def test_what_lies_on_this_machine_needs_no_word_of_the_user(place):
    logger = LoggerOptions(mlflow=place, wandb="offline")
    options = options_of("corpus.train=a", "corpus.dev=b")
    plain = {**options.to_plain(), "logger": logger.to_plain()}
    assert apply_changes(TrainOptions.read(plain), {}).logger == logger


def test_a_password_is_kept_in_no_run_folder():
    with pytest.raises(OptionError, match="MLFLOW_TRACKING_PASSWORD"):
        LoggerOptions(mlflow="https://me:secret@host")


@pytest.mark.parametrize(
    "content", ["[]", '{"wandb": "../../x"}', '{"mlflow": 3}', "{"]
)
def test_ids_of_a_stranger_are_held_to_what_ids_are(tmp_path, content):
    path = tmp_path / TRACKERS_FILE
    path.write_text(content)
    with pytest.raises(InputError, match="expected ids of runs"):
        read_ids(path)
    path.write_text(json.dumps({"wandb": "1a2b3c4d"}))
    assert read_ids(path) == {"wandb": "1a2b3c4d"}
