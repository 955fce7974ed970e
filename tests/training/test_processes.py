"""The same steps and the same scores on one process or many."""

import csv
import resource

import pytest
import soundfile
import torch
from conftest import TINY_RUN, make_tones, run_speechgru

from speechgru.checkpoint.load import load_checkpoint
from speechgru.checkpoint.storage import DESCRIPTION_KEY, read_checkpoint

EPOCHS = 2
EXACT = [
    *TINY_RUN,
    # All that is random is keyed by utterance, so the same on every process.
    "augment=[speed,noise,noise_on_device]",
    "encoder.dropout=0.2",
    "encoder.input_dropout=0.1",
    "encoder.weight_dropout=0.1",
    "encoder.piece_range=[5,50]",
    "subsampling.dropout=0.1",
    "spec_augment.num_freq_masks=1",
    "spec_augment.frames_per_time_mask=30",
    "spec_augment.max_freq_warp=2",
    "spec_augment.max_time_warp=20",
    "features.vocal_tract=0.1",
    "task.learning_rate=1e-3",
    "task.mmi=0.5",
    "data.batch_seconds=10",  # enough utterances for every part of a step
    f"trainer.max_epochs={EPOCHS}",
    "trainer.log_every_n_steps=1",
    "logger.csv=true",
]

METRICS = (
    "train/gradient_norm", "train/loss", "train/cpu_seconds",
    "val/loss", "val/wer", "val/cer", "train/loss_per_token", "val/loss_per_token",
)  # fmt: skip


def train(tones, folder, *overrides):
    """Run and read back: the folder, the last checkpoint, and the metrics."""
    run_speechgru(
        "train", *EXACT, *tones.overrides, f"hydra.run.dir={folder}", *overrides
    )
    (table,) = folder.glob("metrics/*/metrics.csv")
    with table.open() as file:
        rows = list(csv.DictReader(file))
    metrics = {
        name: [float(row[name]) for row in rows if row[name]] for name in METRICS
    }
    return folder, read_checkpoint(folder / "last.ckpt"), metrics


def children_cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="module")
def noise(tones, trained, tmp_path_factory):
    """Start from a trained model and score it where it errs: there is something
    to count."""
    noisy = make_tones(tmp_path_factory.mktemp("noisy"), "dev", 13, noise=0.012)
    return [f"init_from={trained.checkpoint}", f"corpus.dev={noisy}"]


@pytest.fixture(scope="module")
def one_process(tones, noise, tmp_path_factory):
    return train(tones, tmp_path_factory.mktemp("one") / "run", *noise)


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        ["trainer=ddp_cpu", "trainer.devices=4"],
        ["trainer=ddp_cpu", "trainer.accumulate=2", "data.num_workers=1"],
    ],
    ids=["four processes", "two processes, accumulated, with workers"],
)
def test_steps_and_scores_do_not_depend_on_how_they_are_dealt_out(
    tones, noise, tmp_path, one_process, overrides
):
    # 61 and 13 utterances: nothing divides evenly.
    expected_folder, expected_checkpoint, expected = one_process
    before = children_cpu_seconds()
    _, checkpoint, metrics = train(tones, tmp_path / "run", *noise, *overrides)
    # All processes but workers are counted.
    counted = checkpoint[DESCRIPTION_KEY]["metadata"]["cpu_seconds"]
    assert counted > 0.5 * (children_cpu_seconds() - before)
    assert checkpoint["global_step"] == expected_checkpoint["global_step"]
    # Of every step the gradient, before Adam: it would take a weight without
    # a gradient (behind a dead ReLU) as far as any, by the sign of a rounding error.
    assert len(expected["train/gradient_norm"]) == checkpoint["global_step"]
    assert metrics["train/gradient_norm"] == pytest.approx(
        expected["train/gradient_norm"], rel=2e-3
    )
    assert len(metrics["val/wer"]) == EPOCHS
    assert len(metrics["train/cpu_seconds"]) == EPOCHS
    assert sorted(metrics["train/cpu_seconds"]) == metrics["train/cpu_seconds"]
    for name in METRICS:
        if "loss" not in name:
            continue
        assert metrics[name] == pytest.approx(expected[name], rel=1e-4), name
    # And what the weights do.
    samples = soundfile.read(tones.folder / "wav" / "dev-000.wav", dtype="float32")[0]
    waveforms, lengths = torch.tensor(samples)[None], torch.tensor([len(samples)])
    with torch.inference_mode():
        torch.testing.assert_close(
            *(
                load_checkpoint(folder / "last.ckpt").model(waveforms, lengths)[0].exp()
                for folder in (tmp_path / "run", expected_folder)
            ),
            atol=1e-3,
            rtol=0,
        )
    # Sums of integers: equal, not close.
    assert all(0 < wer < 1 for wer in expected["val/wer"]), expected["val/wer"]
    assert metrics["val/wer"] == expected["val/wer"]
    assert metrics["val/cer"] == expected["val/cer"]
