"""Training runs in this process: what ends them, what they leave behind."""

import json
import math
import shutil
import sys

import pytest
import torch
from conftest import TINY, TINY_RUN

from speechgru import Transcriber
from speechgru.audio import load_audio
from speechgru.checkpoint.load import load_checkpoint
from speechgru.checkpoint.storage import read_checkpoint
from speechgru.cli.config import compose_config, read_options
from speechgru.cli.program import flags_first
from speechgru.cli.resume import go_on as resume
from speechgru.cli.train import main
from speechgru.data.inventory import read_inventory
from speechgru.data.manifest import read_manifest
from speechgru.interfaces import InputError
from speechgru.options import TrainOptions
from speechgru.ranges import OptionError
from speechgru.score.learning import read_learning_curves
from speechgru.training.ctc import CTCTask
from speechgru.training.fine_tuning import adopt_model
from speechgru.training.run import run_training
from speechgru.training.run_folder import write_options
from speechgru.training.validation import SKIPPED_FILE


def run(folder, *overrides):
    """Run as `speechgru train` does once Hydra has made the folder."""
    config = read_options(compose_config("train", overrides), TrainOptions)
    folder.mkdir()
    assert run_training(config, folder, recipe=None).status == 0
    return read_checkpoint(folder / "best.ckpt")["speechgru"]["metadata"]


def break_utterance(tones, folder, **changes):
    """Copy the training manifest with the fourth utterance changed."""
    shutil.copytree(tones.folder / "wav", folder / "wav")
    lines = (tones.folder / "train.jsonl").read_text().splitlines()
    lines[3] = json.dumps({**json.loads(lines[3]), **changes})
    manifest = folder / "train.jsonl"
    manifest.write_text("\n".join(lines))
    return [
        f"corpus.train={manifest}",
        f"corpus.dev={tones.folder / 'dev.jsonl'}",
        f"corpus.test={tones.folder / 'test.jsonl'}",
    ]


def test_two_utterances_are_learnt_by_heart(tones, tmp_path):
    metadata = run(
        tmp_path / "run", *TINY, *tones.overrides, "debug=overfit",
        "trainer.max_epochs=200", "callbacks.early_stopping_patience=100",
    )  # fmt: skip
    assert metadata["val_wer"] == 0


def test_what_validates_on_train_validates_on_the_same_when_it_goes_on(tones, tmp_path):
    # NEL in an id ends a line for str.splitlines, but not in skipped.jsonl.
    overrides = break_utterance(tones, tmp_path, id="a\x85", audio_filepath="b.wav")
    folder = tmp_path / "run"
    options = [
        "data.on_error=skip", "data.dev_split=train", "data.max_train=9",
        "data.max_dev=3", "trainer.max_epochs=1", f"hydra.run.dir={folder}",
    ]  # fmt: skip
    assert main([*TINY, *overrides, *options]) == 0
    inventory = read_inventory(folder / "data.jsonl")
    ids = {split: [each["id"] for each in inventory[split]] for split in inventory}
    assert ids["dev"] == ["train-000", "train-001", "train-002"]
    assert ids["train"] == [f"train-{i:03}" for i in range(9) if i != 3]
    assert main([f"resume={folder}", "trainer.max_epochs=2"]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_mixed_precision_learns_on_a_cpu(tones, tmp_path, precision):
    metadata = run(
        tmp_path / "run",
        *TINY,
        *tones.overrides,
        f"trainer.precision={precision}",
        "encoder.num_layers=1",
        "trainer.max_epochs=15",
    )
    assert metadata["precision"] == precision
    assert metadata["val_cer"] < 0.2


def test_bad_data_ends_the_run_before_it_begins(tones, tmp_path):
    overrides = break_utterance(tones, tmp_path, text="")
    with pytest.raises(InputError, match="train-003") as caught:
        run(tmp_path / "run", *TINY, *overrides)
    assert "data.on_error=skip" in str(caught.value)
    assert not list((tmp_path / "run").glob("*.ckpt"))


def test_bad_data_is_skipped_counted_and_listed_if_asked_to(tones, tmp_path):
    overrides = break_utterance(tones, tmp_path, audio_filepath="wav/missing.wav")
    folder = tmp_path / "run"
    run(folder, *TINY, *overrides, "data.on_error=skip", "trainer.max_epochs=1")
    (problem,) = map(json.loads, (folder / SKIPPED_FILE).read_text().splitlines())
    assert (problem["split"], problem["id"]) == ("train", "train-003")
    assert "problems: 1; see" in (folder / "train.log").read_text()
    assert "train: 60 of 61 utterances left" in (folder / "train.log").read_text()


def test_an_infinite_loss_names_its_utterance_and_keeps_the_last_good_checkpoint(
    tones, tmp_path
):
    # Five hundred letters in a second: no alignment exists.
    overrides = break_utterance(tones, tmp_path, text="A" * 500)
    folder = tmp_path / "run"
    with pytest.raises(InputError, match=r"loss is inf .* utterances: train-003; of"):
        run(
            folder, *TINY, *overrides, "data.check=false", "callbacks.save_every=0",
            "seed=3",
        )  # fmt: skip
    model = load_checkpoint(folder / "last.ckpt").model
    assert all(weights.isfinite().all() for weights in model.parameters())


def test_a_gradient_that_is_not_finite_ends_the_run(tones, tmp_path, monkeypatch):
    monkeypatch.setattr(
        torch.nn.utils, "clip_grad_norm_", lambda *_: torch.tensor(float("nan"))
    )
    with pytest.raises(InputError, match="gradient norm is nan in epoch 1, step 1"):
        run(tmp_path / "run", *TINY, *tones.overrides)
    assert not (tmp_path / "run" / "last.ckpt").exists()


def test_fine_tuning_lists_new_tokens_and_keeps_the_old_ones(tones, trained, tmp_path):
    overrides = break_utterance(tones, tmp_path, text="É")
    folder = tmp_path / "run"
    config = adopt_model(
        read_options(
            compose_config(
                "train",
                [
                    *TINY_RUN,
                    *overrides,
                    f"init_from={trained.checkpoint}",
                    "encoder.dropout=0.25",
                    "task.learning_rate=1e-6",
                    "trainer.max_epochs=1",
                ],
            ),
            TrainOptions,
        ),
        ["encoder.dropout"],
    )
    folder.mkdir()
    run_training(config, folder, recipe=None)
    assert "new head rows for 1 tokens: 'É'" in (folder / "train.log").read_text()
    old, new = (
        load_checkpoint(trained.checkpoint),
        load_checkpoint(folder / "best.ckpt"),
    )
    assert new.tokenizer.tokens == (*old.tokenizer.tokens, "É")
    assert new.model_config["encoder"] == {
        **old.model_config["encoder"],
        "dropout": 0.25,
    }
    known = len(old.tokenizer.tokens)
    torch.testing.assert_close(
        new.model.head.weight[:known], old.model.head.weight, atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("option", ["text.case", "encoder"])
def test_fine_tuning_takes_no_other_tokens_or_encoder(tones, trained, option):
    config = read_options(
        compose_config(
            "train",
            [*TINY_RUN, *tones.overrides, f"init_from={trained.checkpoint}"],
        ),
        TrainOptions,
    )
    with pytest.raises(OptionError, match=f"{option}: init_from brings text"):
        adopt_model(config, [option])


def test_the_skip_option_needs_the_check(tones, tmp_path):
    with pytest.raises(InputError, match=r"skip needs data\.check=true"):
        run(
            tmp_path / "run", *TINY, *tones.overrides, "data.check=false",
            "data.on_error=skip",
        )  # fmt: skip


def test_the_smoke_run_takes_a_handful_of_utterances(tones, tmp_path):
    metadata = run(tmp_path / "run", *TINY, *tones.overrides, "debug=fast")
    assert metadata["epoch"] <= 2
    assert "16 of 61 utterances" in (tmp_path / "run" / "train.log").read_text()


def test_mfcc_and_normalisation_by_utterance_train_as_well(tones, tmp_path):
    run(
        tmp_path / "run", *TINY, *tones.overrides, "debug=fast", "features=mfcc",
        "features.n_mfcc=13", "normalize=utterance",
    )  # fmt: skip
    loaded = load_checkpoint(tmp_path / "run" / "best.ckpt")
    assert loaded.model.features.output_size == 13


@pytest.mark.slow
def test_a_model_learns_words_and_to_hear_none_in_silence(tones, tmp_path):
    run(
        tmp_path / "run", *TINY, *tones.overrides, "normalize=active",
        "augment=[speed,silence]", "augment.silence.most=1", "data.wordless=0.3",
        "encoder.dropout=0", "trainer.max_epochs=16", "logger=default",
    )  # fmt: skip
    transcriber = Transcriber.from_checkpoint(tmp_path / "run" / "best.ckpt")
    dev = read_manifest(tones.folder / "dev.jsonl")
    waveforms = [load_audio(u.audio_path, 8000, False) for u in dev]
    quiet = torch.zeros(8000)
    alone = [transcriber.transcribe(w, 8000).text for w in waveforms]
    for parts in ([quiet, None], [None, quiet]):
        texts = [
            transcriber.transcribe(
                torch.cat([w if part is None else part for part in parts]), 8000
            ).text
            for w in waveforms
        ]
        assert sum(map(str.__eq__, texts, alone)) >= 9, (texts, alone)
    assert transcriber.transcribe(quiet, 8000).text == ""
    (row, *_) = read_learning_curves(tmp_path / "run")
    assert math.isfinite(row["train/loss_per_token"])


@pytest.mark.slow
def test_a_sweep_gives_every_run_a_folder_of_its_own(
    tones, tmp_path, monkeypatch, capsys
):
    # Also where a run has several processes.
    arguments = [*TINY, *tones.overrides, "trainer.max_epochs=1"]
    arguments += ["-m", "trainer=cpu,ddp_cpu", f"runs_dir={tmp_path}"]
    monkeypatch.setattr(sys, "argv", ["speechgru", "train", *arguments])
    assert main(arguments) == 0
    (sweep,) = tmp_path.glob("sweeps/*")
    assert "best" in capsys.readouterr().out
    for number in "01":
        metadata = read_checkpoint(sweep / number / "best.ckpt")["speechgru"]
        assert metadata["metadata"]["seed"] == 1
    # The command line is whole again.
    assert sys.argv == ["speechgru", "train", *arguments]


def test_flags_may_stand_anywhere():
    found = flags_first(["a=1", "-m", "b=1,2", "--config-dir", "x", "c=3"])
    assert found == ["-m", "--config-dir", "x", "a=1", "b=1,2", "c=3"]


def test_a_run_that_ends_right_behind_an_epoch_resumes_exactly(
    tones, tmp_path, monkeypatch
):
    # Killed within an epoch: tests/training/test_resume.py.
    options = [*TINY, *tones.overrides, "augment=speed", "trainer.max_epochs=3"]
    run(tmp_path / "whole", *options)
    expected = read_checkpoint(tmp_path / "whole" / "last.ckpt")

    def end_in_epoch_3(task, batch, index):
        if batch.key[0] == 2 and index == 1:
            raise KeyError("power cut")
        return step(task, batch, index)

    step = CTCTask.training_step
    monkeypatch.setattr(CTCTask, "training_step", end_in_epoch_3)
    folder = tmp_path / "cut"
    with pytest.raises(KeyError, match="power cut"):
        run(folder, *options)
    monkeypatch.undo()
    found = read_checkpoint(folder / "last.ckpt")
    assert found["global_step"] == expected["global_step"] * 2 // 3

    config = read_options(compose_config("train", options), TrainOptions)
    write_options(folder, config, None)
    assert resume([f"resume={folder}"]) == 0
    resumed = read_checkpoint(folder / "last.ckpt")
    assert resumed["global_step"] == expected["global_step"]
    for name, tensor in expected["state_dict"].items():
        assert torch.equal(resumed["state_dict"][name], tensor), name


def test_of_equal_error_rates_the_lower_loss_is_kept(tones, tmp_path):
    # No learning to speak of: the WER is 100 % in every epoch.
    metadata = run(
        tmp_path / "run",
        *TINY,
        *tones.overrides,
        "task.learning_rate=3e-4",
        "trainer.max_epochs=3",
    )
    assert metadata["val_wer"] == 1
    assert metadata["epoch"] == 3
    log = (tmp_path / "run" / "train.log").read_text()
    assert "no word was recognised" in log
