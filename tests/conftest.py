"""A corpus of tones, and one tiny model trained on it that all tests share."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import nn

from speechgru.checkpoint.models import build_model
from speechgru.checkpoint.storage import describe, write_checkpoint
from speechgru.cli.main import main
from speechgru.data.manifest import write_manifest
from speechgru.interfaces import BLANK, Utterance
from speechgru.text.tokenizer import CharacterTokenizer

SAMPLE_RATE = 8000  # Hz
LETTERS = "ABCD"
TINY_MODEL = [
    "features.sample_rate=8000",
    "features.n_fft=200",
    "features.hop_length=80",
    "features.n_mels=20",
    "subsampling.factor=2",
    "subsampling.channels=24",
    "encoder.hidden_size=32",
    "encoder.num_layers=2",
]
TINY_RUN = [
    "corpus=manifest",
    "spec_augment.max_freq_width=3",
    "spec_augment.max_time_width=3",
    "task.learning_rate=1e-2",
    "task.clip_norm=5",
    "data.batch_seconds=4",
    "data.num_buckets=3",
    "logger=none",
]
TINY = TINY_MODEL + TINY_RUN
"""Overrides that make a model of a few thousand weights for the tones."""

SMALL_MODEL = {
    "features": {
        "_target_": "speechgru.features.log_mel.LogMel",
        "sample_rate": SAMPLE_RATE,
        "n_fft": 200,
        "hop_length": 80,
        "n_mels": 8,
    },
    "normalize": {
        "_target_": "speechgru.features.normalize.GlobalNorm",
        "_partial_": True,
    },
    "spec_augment": None,
    "subsampling": {
        "_target_": "speechgru.model.frontends.conv1d.Conv1dSubsampling",
        "_partial_": True,
        "factor": 2,
        "channels": 8,
        "kernel_size": 3,
    },
    "encoder": {
        "_target_": "speechgru.model.encoders.gru.GRUEncoder",
        "_partial_": True,
        "hidden_size": 6,
        "num_layers": 2,
    },
}
"""What `build_model` takes for a model that need not learn."""


def sing(text: str, seed: int, noise: float = 0.01) -> np.ndarray:
    """A tone per letter and a pause per space, in white noise."""
    generator = np.random.default_rng(seed)
    time = np.arange(int(0.12 * SAMPLE_RATE)) / SAMPLE_RATE
    pieces = []
    for character in text:
        if character in LETTERS:
            frequency = 400 * 1.75 ** LETTERS.index(character)  # at any speed apart
            pieces.append(0.3 * np.sin(2 * np.pi * frequency * time))
        pieces.append(np.zeros(int(0.04 * SAMPLE_RATE)))
        if character == " ":
            pieces.append(np.zeros(int(0.1 * SAMPLE_RATE)))
    waveform = np.concatenate(pieces)
    return waveform + noise * generator.standard_normal(len(waveform))


def make_tones(
    folder: Path, name: str, count: int, seed: int = 0, noise: float = 0.01
) -> Path:
    """Write a manifest of tone utterances and their files; return the manifest."""
    generator = np.random.default_rng([seed, count])
    utterances = []
    for index in range(count):
        words = [
            "".join(generator.choice(list(LETTERS), size=generator.integers(1, 4)))
            for _ in range(generator.integers(1, 4))
        ]
        text = " ".join(words)
        path = folder / "wav" / f"{name}-{index:03d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        waveform = sing(text, 1000 * seed + index, noise)
        soundfile.write(path, waveform, SAMPLE_RATE)
        utterances.append(
            Utterance(path.stem, path, len(waveform) / SAMPLE_RATE, text, "tone")
        )
    write_manifest(folder / f"{name}.jsonl", utterances)
    return folder / f"{name}.jsonl"


@dataclass(frozen=True)
class Tones:
    """The corpus: 61 training utterances (a prime number), 13 dev, 11 test."""

    folder: Path

    @property
    def overrides(self) -> list[str]:
        """What makes `corpus=manifest` this corpus."""
        return [
            f"corpus.{split}={self.folder / split}.jsonl"
            for split in ("train", "dev", "test")
        ]


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Tones:
    folder = tmp_path_factory.mktemp("tones")
    for seed, (name, count) in enumerate({"train": 61, "dev": 13, "test": 11}.items()):
        make_tones(folder, name, count, seed)
    return Tones(folder)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained model that hears some letter at every frame."""
    torch.manual_seed(3)
    tokenizer = CharacterTokenizer(" ABCD")
    model = build_model(SMALL_MODEL, len(tokenizer.tokens))
    nn.init.normal_(model.head.weight, std=5.0)
    model.head.bias.data[BLANK] = -1000.0
    weights = {f"model.{name}": value for name, value in model.state_dict().items()}
    metadata = {"corpus": "noise", "seed": 3}
    content = describe(SMALL_MODEL, tokenizer.config(), metadata)
    path = tmp_path_factory.mktemp("model") / "tiny.v2.ckpt"
    write_checkpoint(content | {"state_dict": weights}, path)
    return path


@pytest.fixture
def threads():
    """Leave other tests the processor as it was."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
    torch.set_flush_denormal(False)


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the program in this process; return exit code, output and errors."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["speechgru", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as exit:
            code = exit.code or 0
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return run


def run_speechgru(*arguments: object, check: bool = True, **options):
    """Run the program as a user would, in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-m", "speechgru", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **options.pop("env", {})},
        **options,
    )
    if check:
        assert result.returncode == 0, result.stdout + result.stderr
    return result


@dataclass(frozen=True)
class TrainedRun:
    """A finished run on the tones."""

    folder: Path
    stdout: str
    stderr: str

    @property
    def checkpoint(self) -> Path:
        return self.folder / "best.ckpt"


@pytest.fixture(scope="session")
def trained(tones: Tones, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    folder = tmp_path_factory.mktemp("runs")
    result = run_speechgru(
        "train",
        *TINY,
        *tones.overrides,
        "augment=speed",
        "encoder.dropout=0",
        "logger=default",
        "trainer.max_epochs=25",
        f"runs_dir={folder}",
    )
    (run,) = (folder / "no_recipe").iterdir()
    return TrainedRun(run, result.stdout, result.stderr)
