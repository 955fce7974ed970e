"""The names that users rely on, from Python."""

import subprocess
import sys
from dataclasses import replace

from conftest import SAMPLE_RATE

import speechgru
from speechgru.options import (
    Component,
    DataOptions,
    TrainerOptions,
    TrainOptions,
    choose,
)
from speechgru.training.start import named_options, resume

PUBLIC = {
    *("Transcriber", "Transcript", "train", "evaluate", "compare", "load_checkpoint"),
    *("read_manifest", "write_manifest", "Utterance", "ErrorRate", "Excerpt"),
}


def test_eleven_names_are_public():
    assert {*speechgru.__all__} == PUBLIC | {"__version__"}
    for name in PUBLIC:
        assert getattr(speechgru, name).__doc__, name
    assert set(dir(speechgru)) >= PUBLIC


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, speechgru; print('torch' in sys.modules, len(sys.modules) < 200)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["False", "True"]


def small(tones, **changes):
    """Options of a run of seconds."""
    corpus = choose(
        "corpus",
        "manifest",
        **{split: str(tones.folder / f"{split}.jsonl") for split in ("train", "dev")},
    )
    options = TrainOptions(
        corpus=corpus,
        features=choose(
            "features",
            "log_mel",
            sample_rate=SAMPLE_RATE,
            n_fft=200,
            hop_length=80,
            n_mels=20,
        ),
        subsampling=choose("subsampling", "conv1d", factor=2, channels=8),
        encoder=choose("encoder", "gru", hidden_size=8, num_layers=1),
        spec_augment=Component(None),
        data=DataOptions(batch_seconds=10, max_train=20, max_dev=5),
        trainer=TrainerOptions(max_epochs=2),
    )
    return replace(options, **changes)


def test_training_scoring_and_transcribing_take_a_few_lines(tones, tmp_path):
    outcome = speechgru.train(small(tones), tmp_path / "run")
    assert outcome.status == 0
    assert set(outcome.scores) == {"val/wer", "val/cer", "val/loss"}
    transcriber = speechgru.Transcriber.from_checkpoint(outcome.checkpoint)
    utterance = speechgru.read_manifest(tones.folder / "test.jsonl")[0]
    assert isinstance(transcriber.transcribe(utterance.audio_path).text, str)
    more = resume(tmp_path / "run", changes={"trainer.max_epochs": 3})
    assert "of 3" in more.summary


def test_options_that_differ_from_the_defaults_are_named(tones):
    named = named_options(small(tones, seed=7))
    assert {"seed", "encoder.hidden_size", "data.max_dev", "spec_augment"} <= {*named}
    assert "encoder" not in named
    assert "encoder.dropout" not in named
