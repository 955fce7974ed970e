"""Going on with a run: what may be different then, and what is refused."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
import soundfile
import torch
from conftest import SAMPLE_RATE, TINY, make_tones
from omegaconf import OmegaConf

from speechgru.checkpoint.storage import (
    DESCRIPTION_KEY,
    read_checkpoint,
    write_checkpoint,
)
from speechgru.cli.main import UsageError
from speechgru.cli.train import main
from speechgru.interfaces import InputError
from speechgru.score.learning import read_learning_curves
from speechgru.training.ctc import CTCTask

OPTIONS = [
    *TINY,
    "corpus.train=data/train.jsonl",
    "corpus.dev=data/dev.jsonl",
    "data.num_buckets=1",
    "data.batch_seconds=5",
    "encoder.num_layers=1",
    "trainer.max_epochs=2",
    "logger.csv=true",
    "callbacks.save_every=0",
]


def train(*arguments):
    """Run the command as the program does, in this process."""
    arguments = list(map(str, arguments))
    before, sys.argv = sys.argv, ["speechgru", "train", *arguments]
    try:
        return main(arguments)
    finally:
        sys.argv = before


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a corpus, a whole run, and one that a power cut ended."""
    folder = tmp_path_factory.mktemp("place")
    for seed, (name, count) in enumerate({"train": 24, "dev": 5}.items()):
        make_tones(folder / "data", name, count, seed)

    def power_cut(task, batch, index):
        if batch.key[0] == 1 and index == 3:
            raise KeyError("power cut")
        return step(task, batch, index)

    step = CTCTask.training_step
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert train(*OPTIONS, "hydra.run.dir=whole") == 0
        patch.setattr(CTCTask, "training_step", power_cut)
        with pytest.raises(KeyError, match="power cut"):
            train(*OPTIONS, "hydra.run.dir=cut")
    return folder


@pytest.fixture
def here(place, tmp_path, monkeypatch):
    """The same place, to be spoilt; the working directory is another."""
    copy = tmp_path / "place"
    shutil.copytree(place, copy)
    for name in ("whole", "cut"):
        start = json.loads((copy / name / "start.json").read_text())
        assert start["directory"] == str(place)
        start["directory"] = str(copy)
        (copy / name / "start.json").write_text(json.dumps(start))
    monkeypatch.chdir(tmp_path)
    return copy


def test_what_is_logged_after_a_resume_is_what_would_have_been_logged(here):
    assert train(f"resume={here}/cut") == 0
    last = [read_checkpoint(here / name / "last.ckpt") for name in ("whole", "cut")]
    for name, tensor in last[0]["state_dict"].items():
        assert torch.equal(last[1]["state_dict"][name], tensor), name
    curves = [read_learning_curves(here / name) for name in ("whole", "cut")]
    assert len(curves[0]) == 2
    for expected, found in zip(*curves, strict=True):
        assert expected.keys() == found.keys()
        for key in expected.keys() - {"train/cpu_seconds", "train/wall_seconds"}:
            assert found[key] == expected[key], key
    best = [read_checkpoint(here / name / "best.ckpt") for name in ("whole", "cut")]
    scores = [checkpoint[DESCRIPTION_KEY]["metadata"] for checkpoint in best]
    assert scores[0]["val_loss"] == scores[1]["val_loss"]


def lines_of(here, split="train"):
    path = here / "data" / f"{split}.jsonl"
    return path, [json.loads(line) for line in path.read_text().splitlines()]


def write(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def remove(here):
    path, records = lines_of(here)
    write(path, records[:4] + records[14:])


def add(here):
    path, records = lines_of(here, "dev")
    write(path, [*records, {**records[0], "id": "more"}])


def reorder(here):
    path, records = lines_of(here)
    write(path, [records[0], *records[:0:-1]])


def reword(here):
    path, records = lines_of(here)
    write(path, [*records[:3], {**records[3], "text": "É"}, *records[4:]])


def lengthen(here):
    path, records = lines_of(here)
    write(path, [*records[:3], {**records[3], "duration": 9}, *records[4:]])


def alter(here):
    path = here / "data/wav/train-003.wav"
    samples, rate = soundfile.read(path)
    soundfile.write(path, -samples, rate)


def resample(here):
    path = here / "data/wav/train-003.wav"
    samples, _ = soundfile.read(path)
    soundfile.write(path, samples[::2], SAMPLE_RATE // 2)


def delete(here):
    (here / "data/wav/train-003.wav").unlink()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            remove,
            "train: 24 when the run began, 14 now; missing: train-004, train-005, "
            "train-006, train-007, train-008 and 5 more",
        ),
        (add, "dev: 5 when the run began, 6 now; new: more"),
        (reorder, "train: the same 24, in another order from train-001 on"),
        (reword, "train: 1 of 24 changed: train-003 (text was '"),
        (lengthen, "train: 1 of 24 changed: train-003 (duration was "),
        (alter, "train: 1 of 24 changed: train-003 (other audio in the file)"),
        (resample, "train: 1 of 24 changed: train-003 (the file had "),
        (delete, "train-003.wav is missing)"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_other_data_than_the_run_began_with_is_refused(here, change, message):
    change(here)
    before = (here / "cut/last.ckpt").read_bytes()
    with pytest.raises(InputError) as caught:
        train(f"resume={here}/cut")
    assert message in str(caught.value)
    assert f"init_from={here}/cut/last.ckpt" in str(caught.value)
    assert (here / "cut/last.ckpt").read_bytes() == before


def test_copied_files_are_the_same_data(here, capsys):
    for path in (here / "data/wav").iterdir():
        os.utime(path, (1, 1))
    assert train(f"resume={here}/cut", "trainer.max_epochs=2") == 0


@pytest.mark.parametrize("option", ["task.learning_rate=1", "data=default", "seed=2"])
def test_an_option_that_makes_another_run_is_refused(here, option):
    with pytest.raises(UsageError, match="a run goes on as it began"):
        train(f"resume={here}/cut", option)


def edit_config(folder: Path, **options):
    config = OmegaConf.load(folder / "config.yaml")
    for key, value in options.items():
        OmegaConf.update(config, key.replace("__", "."), value)
    OmegaConf.save(config, folder / "config.yaml")


def test_an_edited_configuration_is_refused_as_well(here):
    edit_config(here / "cut", task__learning_rate=1.0)
    with pytest.raises(InputError, match=r"task\.learning_rate was 0\.01 when .* 1\.0"):
        train(f"resume={here}/cut")


def test_more_epochs_go_on_along_the_longer_schedule_and_say_so(here, capsys):
    assert train(f"resume={here}/whole", "trainer.max_epochs=4") == 0
    errors = capsys.readouterr().err
    assert "trainer.max_epochs: 4 from here on, was 2" in errors
    assert "the schedule now ends after" in errors
    curves = read_learning_curves(here / "whole")
    assert [row["epoch"] for row in curves] == [0, 1, 2, 3]
    assert OmegaConf.load(here / "whole/config.yaml").trainer.max_epochs == 4
    # And from there on exactly, as any run; nothing is left to be done.
    assert train(f"resume={here}/whole") == 0
    assert "all 4 epochs are done; to train on" in capsys.readouterr().err
    with pytest.raises(InputError, match="max_epochs is 3, but 4 epochs are done"):
        train(f"resume={here}/whole", "trainer.max_epochs=3")
    assert OmegaConf.load(here / "whole/config.yaml").trainer.max_epochs == 4


def test_a_run_folder_of_an_older_version_goes_on_with_a_note(
    here, capsys, monkeypatch
):
    folder = here / "cut"
    for name in ("start.json", "data.jsonl", ".lock"):
        (folder / name).unlink()
    checkpoint = read_checkpoint(folder / "last.ckpt")
    for key in ("config", "steps_per_epoch", "train_losses"):
        del checkpoint[key]
    write_checkpoint(checkpoint, folder / "last.ckpt")
    config = OmegaConf.load(folder / "config.yaml")
    del config.callbacks.best, config.data.wordless
    OmegaConf.save(config, folder / "config.yaml")
    monkeypatch.chdir(here)
    assert train(f"resume={folder}") == 0
    errors = capsys.readouterr().err
    assert "the run does not say what data it began with" in errors
    assert "24 of train, 5 of dev" in errors


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_run_of_a_gpu_goes_on_without_one_if_told_to(here, capsys):
    edit_config(here / "cut", trainer__accelerator="gpu", trainer__devices=1)
    with pytest.raises(InputError, match=r"trainer=cpu, also beside resume="):
        train(f"resume={here}/cut")
    assert train(f"resume={here}/cut", "trainer=cpu") == 0
    assert OmegaConf.load(here / "cut/config.yaml").trainer.max_epochs == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_told_before_any_file_is_read(here, monkeypatch):
    monkeypatch.chdir(here)
    shutil.rmtree(here / "data")
    with pytest.raises(InputError, match=r"trainer\.accelerator is 'gpu'"):
        train(*OPTIONS, "trainer=gpu", "hydra.run.dir=new")
    assert not (here / "new").exists()


def test_a_start_that_fails_leaves_no_folder_but_what_was_in_it(here, monkeypatch):
    monkeypatch.chdir(here)
    delete(here)
    with pytest.raises(InputError, match="train-003"):
        train(*OPTIONS, "hydra.run.dir=new")
    assert not (here / "new").exists()
    (here / "mine").mkdir()
    (here / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="train-003"):
        train(*OPTIONS, "hydra.run.dir=mine")
    assert os.listdir(here / "mine") == ["notes.txt"]


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_anew(
    here, monkeypatch, capsys
):
    folder = here / "cut"
    (folder / "last.ckpt").unlink()
    (folder / ".last.ckpt.0123abcd").write_text("half")
    (folder / "skipped.jsonl").write_text('{"split": "train", "id": "train-001"}\n')
    assert (
        read_checkpoint(folder / "best.ckpt")[DESCRIPTION_KEY]["metadata"]["epoch"] == 1
    )
    assert train(f"resume={folder}") == 0
    assert "no checkpoint was saved; it begins anew" in capsys.readouterr().err
    assert not (folder / ".last.ckpt.0123abcd").exists()
    whole, anew = (read_checkpoint(here / f / "last.ckpt") for f in ("whole", "cut"))
    for name, tensor in whole["state_dict"].items():
        assert torch.equal(anew["state_dict"][name], tensor), name


def test_a_best_checkpoint_without_a_last_one_is_not_written_over(here, monkeypatch):
    monkeypatch.chdir(here)
    before = (here / "whole/best.ckpt").read_bytes()
    (here / "whole/last.ckpt").unlink()
    with pytest.raises(InputError, match=r"holds best\.ckpt of an earlier run, but no"):
        train(*OPTIONS, "hydra.run.dir=whole")
    assert (here / "whole/best.ckpt").read_bytes() == before
    assert (here / "whole/config.yaml").exists()


def test_a_run_that_stopped_early_stays_stopped(here, monkeypatch, capsys):
    monkeypatch.chdir(here)
    options = [*OPTIONS, "trainer.max_epochs=9", "task.learning_rate=1e-9"]
    options += ["callbacks.early_stopping_patience=1", "hydra.run.dir=early"]
    assert train(*options) == 0
    steps = read_checkpoint(here / "early/last.ckpt")["global_step"]
    assert train("resume=early") == 0
    assert "no lower val/wer in 1 epochs: stopped" in capsys.readouterr().err
    assert read_checkpoint(here / "early/last.ckpt")["global_step"] == steps
    assert train("resume=early", "callbacks.early_stopping_patience=2") == 0
    assert read_checkpoint(here / "early/last.ckpt")["global_step"] > steps


def test_the_best_checkpoint_can_be_chosen_by_characters(here, monkeypatch):
    monkeypatch.chdir(here)
    train(*OPTIONS, "callbacks.best=cer", "hydra.run.dir=by_cer", "logger=none")
    callbacks = read_checkpoint(here / "by_cer/last.ckpt")["callbacks"]
    best = next(state["best"] for state in callbacks.values() if "best" in state)
    metadata = read_checkpoint(here / "by_cer/best.ckpt")[DESCRIPTION_KEY]["metadata"]
    names = ("val_cer", "val_wer", "val_loss")
    assert best == pytest.approx([metadata[name] for name in names], abs=1e-6)
    with pytest.raises(InputError, match=r"callbacks\.best is 'bleu', expected one of"):
        train(*OPTIONS, "callbacks.best=bleu", "hydra.run.dir=by_bleu")
