"""The same steps and the same scores on one process or two."""

import csv

import pytest
import torch
from conftest import TINY_RUN, make_tones, run_speechgru

from speechgru.model.checkpoint import read_checkpoint

EPOCHS = 2
EXACT = [
    *TINY_RUN,
    "augment=speed",  # keyed by utterance, so the same on every process
    "encoder.dropout=0",  # dropout and masks are keyed by process
    "spec_augment.num_freq_masks=0",
    "spec_augment.num_time_masks=0",
    "task.learning_rate=1e-3",
    "data.batch_seconds=10",  # enough utterances for every part of a step
    f"trainer.max_epochs={EPOCHS}",
    "trainer.log_every_n_steps=1",
    "logger.csv=true",
]


def train(tones, folder, *overrides):
    """Run and read back: the weights, and the metrics of each epoch."""
    run_speechgru(
        "train", *EXACT, *tones.overrides, f"hydra.run.dir={folder}", *overrides
    )
    (table,) = folder.glob("metrics/*/metrics.csv")
    with table.open() as file:
        rows = list(csv.DictReader(file))
    metrics = {
        name: [float(row[name]) for row in rows if row[name]]
        for name in ("train/loss", "val/loss", "val/wer", "val/cer")
    }
    return read_checkpoint(folder / "last.ckpt"), metrics


@pytest.fixture(scope="module")
def noise(tones, trained, tmp_path_factory):
    """Start from a trained model and score it where it errs: there is something
    to count."""
    noisy = make_tones(tmp_path_factory.mktemp("noisy"), "dev", 13, noise=0.0115)
    return [f"init_from={trained.checkpoint}", f"corpus.dev={noisy}"]


@pytest.fixture(scope="module")
def one_process(tones, noise, tmp_path_factory):
    return train(tones, tmp_path_factory.mktemp("one") / "run", *noise)


@pytest.mark.parametrize(
    "overrides",
    [
        ["trainer=ddp_cpu"],
        ["trainer=ddp_cpu", "trainer.accumulate=2", "data.num_workers=1"],
    ],
    ids=["two processes", "two processes, accumulated, with workers"],
)
def test_steps_and_scores_do_not_depend_on_how_they_are_dealt_out(
    tones, noise, tmp_path, one_process, overrides
):
    # 61 and 13 utterances: nothing divides evenly.
    expected_checkpoint, expected = one_process
    checkpoint, metrics = train(tones, tmp_path / "run", *noise, *overrides)
    assert checkpoint["global_step"] == expected_checkpoint["global_step"]
    for name, tensor in expected_checkpoint["state_dict"].items():
        torch.testing.assert_close(
            checkpoint["state_dict"][name], tensor, atol=2e-4, rtol=1e-3, msg=name
        )
    assert len(metrics["val/wer"]) == EPOCHS
    for name in ("train/loss", "val/loss"):
        assert metrics[name] == pytest.approx(expected[name], rel=1e-3), name
    # Sums of integers: equal, not close.
    assert all(0 < wer < 1 for wer in expected["val/wer"])
    assert metrics["val/wer"] == expected["val/wer"]
    assert metrics["val/cer"] == expected["val/cer"]
