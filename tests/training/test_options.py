"""Training with all that is optional: views, smoothing, lower layers, averages."""

import re
from pathlib import Path

import pytest
import torch
from conftest import TINY, run_speechgru
from torch import nn

from speechgru.checkpoint.load import load_checkpoint
from speechgru.checkpoint.storage import read_checkpoint
from speechgru.cli.config import compose_config, read_options
from speechgru.data.manifest import write_manifest
from speechgru.evaluation.posteriors import read_split
from speechgru.interfaces import InputError, Utterance
from speechgru.options import SplitOptions, TrainOptions, choose
from speechgru.score.learning import read_learning_curves
from speechgru.training.ctc import CTCTask
from speechgru.training.moving_average import MovingAverage
from speechgru.training.validation import read_splits


@pytest.fixture(scope="module")
def run(tones, tmp_path_factory):
    folder = tmp_path_factory.mktemp("options") / "run"
    run_speechgru(
        "train",
        *TINY,
        *tones.overrides,
        "augment=[speed,noise]",
        "augment.noise.low=30",
        "augment.noise.high=40",
        "task.consistency=0.1",
        "task.smoothing=0.01",
        "task.intermediate=0.3",
        "task.label_priors=0.2",
        "encoder.self_conditioned=true",
        "task.average=0.9",
        "spec_augment.frames_per_time_mask=40",
        "encoder.dropout=0",
        "data.batch_seconds=4",
        "trainer.max_epochs=18",
        "callbacks.keep_every=8",
        "logger.csv=true",
        f"hydra.run.dir={folder}",
    )
    return folder


@pytest.mark.slow
def test_it_learns(run):
    curves = read_learning_curves(run)
    assert min(row["val/wer"] for row in curves) < 0.3
    assert all(row["train/consistency"] > 0 for row in curves)
    assert curves[-1]["train/loss"] < curves[0]["train/loss"] / 4


def test_the_best_checkpoint_holds_the_average(run):
    last = read_checkpoint(run / "last.ckpt")["state_dict"]
    best = read_checkpoint(run / "best.ckpt")
    assert {name.partition(".")[0] for name in best["state_dict"]} == {"model"}
    assert (
        int(last["averaged.n_averaged"])
        == read_checkpoint(run / "last.ckpt")["global_step"]
    )
    # Both load; the average is another model than the last weights.
    averaged, raw = (
        load_checkpoint(run / name).model for name in ("best.ckpt", "last.ckpt")
    )
    assert not torch.equal(averaged.head.weight, raw.head.weight)
    distance = (averaged.head.weight - raw.head.weight).norm() / raw.head.weight.norm()
    assert distance < 0.5


def test_every_eighth_epoch_stays(run):
    kept = sorted(path.name for path in run.glob("epoch-*"))
    assert kept == ["epoch-0008.ckpt", "epoch-0016.ckpt"]
    for path, epoch in zip(sorted(run.glob("epoch-*")), (8, 16), strict=True):
        checkpoint = read_checkpoint(path)
        assert "optimizer_states" not in checkpoint
        assert load_checkpoint(path).metadata["epoch"] == epoch


def test_epochs_enough_to_learn_from_are_not_warned_of(run):
    assert "from the second epoch on" not in (run / "train.log").read_text()


def test_the_curves_are_a_picture(run):
    assert (run / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_an_average_forgets_how_it_began():
    model = nn.BatchNorm1d(2)
    average = MovingAverage(model, 0.99)
    nn.init.constant_(model.weight, 5.0)
    average.update(model, 0)  # the first step is taken as it is
    assert average.module.weight.tolist() == [5, 5]
    nn.init.constant_(model.weight, 1.0)
    kept = 1.0
    for step in range(1, 2000):
        model.running_mean.fill_(step)
        average.update(model, step)
        kept *= min(0.99, (1 + step) / (10 + step))
        if step in (1, 10, 100):
            torch.testing.assert_close(
                average.module.weight.data, torch.full((2,), 1 + 4 * kept)
            )
    assert average.module.weight.tolist() == pytest.approx([1, 1], abs=1e-6)
    assert average.module.running_mean.tolist() == [1999, 1999]
    assert average.n_averaged == 2000
    assert not average.module.weight.requires_grad


@pytest.mark.parametrize(
    "option",
    [
        {"consistency": -0.1},
        {"smoothing": -1.0},
        {"intermediate": 1.0},
        {"average": 1.0},
        {"average": -0.5},
    ],
)
def test_weights_that_mean_nothing_are_refused(option):
    (name,) = option
    with pytest.raises(InputError, match=f"{name} {option[name]}|{name} is"):
        CTCTask(
            nn.Linear(1, 1), None, None, model_config={}, metadata={}, seed=1,
            learning_rate=1e-3, weight_decay=0.0, schedule="one_cycle", warmup=0.1,
            clip_norm=1.0, **option,
        )  # fmt: skip


@pytest.mark.usefixtures("threads")
def test_everything_is_trained_on_if_nobody_is_held_out(call, tones, tmp_path):
    folder = tmp_path / "run"
    train = ["train", *TINY, *tones.overrides, f"hydra.run.dir={folder}"]
    code, out, err = call(*train, "data.fold=all", "trainer.max_epochs=2")
    assert code == 0, err
    assert re.search(r"^train +74 ", err, re.MULTILINE)
    assert "dev" not in err
    assert out.startswith("not validated; 2 epochs; ")
    best, last = (read_checkpoint(folder / name) for name in ("best.ckpt", "last.ckpt"))
    for name, weights in best["state_dict"].items():
        assert torch.equal(weights, last["state_dict"][name])


def test_a_corpus_of_one_manifest_is_cut_by_its_speakers(tmp_path):
    path = tmp_path / "all.jsonl"
    write_manifest(
        path,
        (Utterance(f"u{n}", Path("a.wav"), 1.0, "A", f"s{n % 4}") for n in range(6)),
    )
    options = [*TINY, f"corpus.train={path}"]

    def read(*overrides):
        composed = compose_config("train", [*options, *overrides])
        return read_splits(read_options(composed, TrainOptions))

    with pytest.raises(InputError, match=r"set corpus.dev=PATH, or hold .*fold=1/4"):
        read()
    cut = read("data.fold=1/4")
    assert [each.id for each in cut["train"]] == ["u1", "u2", "u3", "u5"]
    assert [each.id for each in cut["dev"]] == ["u0", "u4"]
    part = read("data.fold=1/4", "data.train_hours=0.0005", "data.max_train=9")
    assert len(part["train"]) == 2
    assert {each.id for each in part["train"]} < {each.id for each in cut["train"]}
    assert part["dev"] == cut["dev"]
    with pytest.raises(InputError, match=r"train_hours is 1, but train has 0.001 h"):
        read("data.fold=1/4", "data.train_hours=1")
    asked = SplitOptions(
        corpus=choose("corpus", "manifest", train=str(path)), fold="2/4"
    )
    assert [each.id for each in read_split(asked).utterances] == ["u1", "u5"]


def test_stopping_early_needs_somebody_held_out(call, tones, tmp_path):
    code, _, err = call(
        "train", *TINY, *tones.overrides, f"hydra.run.dir={tmp_path / 'run'}",
        "data.fold=all", "callbacks=early_stopping",
    )  # fmt: skip
    assert code == 1
    assert "nothing is held out to validate on" in err


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(
    ("option", "length"),
    [("mmi", "max_epochs"), ("label_priors", "max_epochs"), ("mmi", "max_steps")],
)
def test_one_epoch_does_not_use_what_epochs_learn(
    call, tones, tmp_path, option, length
):
    code, _, err = call(
        "train",
        *TINY,
        *tones.overrides,
        f"task.{option}=0.5",
        f"trainer.{length}=1",
        f"hydra.run.dir={tmp_path}",
    )
    assert code == 0, err
    assert f"task.{option} counts from the second epoch on" in err
