"""Every command and every snippet of the documentation runs."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE, TINY_MODEL, TINY_RUN
from docs.blocks import PAGES, ROOT, read_blocks
from transcribe.online.tone_model import teach_tones, write_live

from speechgru import read_manifest
from speechgru.lm.arpa import write_arpa
from speechgru.lm.kneser_ney import estimate_kneser_ney
from speechgru.options import Component, DataOptions, TrainerOptions, choose

REAL = re.compile(r"(corpus|recipe)=(?!manifest)\w+|rescore=LM_RUN_FOLDER")
"""A corpus or model that is not at hand: such commands are composed, not run."""

SMALL_TRAINING = [
    *TINY_MODEL,
    *TINY_RUN[1:],
    "trainer.max_epochs=1",
    "data.max_train=12",
]
FEW_TRIALS = ["lm_weights=[0.5]", "word_scores=[0.0]", "beam_sizes=[4]"]
ADDED = {
    "train": SMALL_TRAINING,
    "doctor": TINY_MODEL[:4],
    "tune": ["decoder.beam_size=4", *FEW_TRIALS],
}
"""Behind what a page says, by command, so that it takes seconds."""


def small_options():
    """What training options of a page are given besides."""
    sizes = {"n_fft": 200, "hop_length": 80, "n_mels": 20}
    return {
        "features": choose("features", "log_mel", sample_rate=SAMPLE_RATE, **sizes),
        "subsampling": choose("subsampling", "conv1d", factor=2, channels=8),
        "spec_augment": Component(None),
        "data": DataOptions(batch_seconds=10, max_train=12),
        "trainer": TrainerOptions(max_epochs=1),
    }


@pytest.fixture(scope="module")
def live_checkpoint(tmp_path_factory):
    return write_live(teach_tones(), tmp_path_factory.mktemp("live") / "live.ckpt")


@pytest.fixture
def folder(tones, trained, live_checkpoint, tmp_path, monkeypatch):
    """What the pages speak of: recordings, manifests, checkpoints, runs, results."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPEECHGRU_CACHE", str(tmp_path / "cache"))
    wavs = sorted((tones.folder / "wav").glob("test-*.wav"))
    for name in ("a.wav", "digits.wav"):
        shutil.copy(wavs[0], tmp_path / name)
    speakers = [np.resize(soundfile.read(wav)[0], 2 * SAMPLE_RATE) for wav in wavs[:2]]
    soundfile.write(tmp_path / "call.wav", np.stack(speakers, axis=1), SAMPLE_RATE)
    (tmp_path / "lm").mkdir()
    for split in ("train", "dev", "test"):
        lines = (tones.folder / f"{split}.jsonl").read_text().splitlines()
        records = [json.loads(line) for line in lines]
        for record in records:
            record["audio_filepath"] = str(tones.folder / record["audio_filepath"])
        text = "\n".join(map(json.dumps, records))
        (tmp_path / f"{split}.jsonl").write_text(text)
    for speaker, wav in zip(("ann", "bob", "cem", "dora"), wavs, strict=False):
        home = tmp_path / "recordings" / speaker
        home.mkdir(parents=True)
        shutil.copy(wav, home / "0001.wav")
        (home / "0001.txt").write_text("A B")
    run = tmp_path / "RUN_FOLDER"
    shutil.copytree(trained.folder, run)
    shutil.copytree(trained.folder, tmp_path / "runs" / "mine-before")
    for name in ("epoch-0010.ckpt", "epoch-0020.ckpt"):
        shutil.copy(run / "best.ckpt", run / name)
    shutil.copy(live_checkpoint, tmp_path)
    for name in ("best.ckpt", "other.ckpt"):
        shutil.copy(run / "best.ckpt", tmp_path / name)
    sentences = [utterance.text.split() for utterance in read_manifest("train.jsonl")]
    (tmp_path / "lm/books.txt").write_text("HE WENT\nSHE STAYED\n")
    write_arpa("lm/an4-3-words.arpa", estimate_kneser_ney(sentences, 3).ngrams)
    return tmp_path


def run_script(words):
    words = [word for word in words if not word.startswith("trainer.max_time=")]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    added = [f"features.sample_rate={SAMPLE_RATE}", *SMALL_TRAINING]
    ran = subprocess.run(
        [*words, *added],
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, f"{' '.join(words)}\n{ran.stdout}\n{ran.stderr}"


def run_command(call, words, is_run):
    words = [word for word in words if word != "PYTHONPATH=."]
    program, command, *arguments = words
    if is_run and program == "cd":
        os.chdir(command)
        return
    if is_run and program == "bash":
        run_script(words)
        return
    assert program == "speechgru", words
    arguments = [word.replace("max_epochs=200", "max_epochs=26") for word in arguments]
    if not is_run or any(REAL.match(word) for word in arguments):
        # One of the values of a sweep.
        arguments = [
            word if "[" in word else word.split(",")[0]
            for word in arguments
            if word != "-m"
        ]
        added = ["--cfg", "job"]
    elif any(word.startswith("resume=") for word in arguments):
        added = []
    else:
        added = ADDED.get(command, [])
        if "encoder=mean" in arguments:
            added = [word for word in added if not word.startswith("encoder.")]
    code, out, err = call(command, *arguments, *added)
    assert code == 0, f"{' '.join(words)}\n{out}\n{err}"


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_says_can_be_done(page, folder, call, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    if "best-manifest-test.jsonl" in page.read_text():
        arguments = ["corpus=manifest", "corpus.test=test.jsonl"]
        assert call("evaluate", "best.ckpt", *arguments)[0] == 0
        shutil.copy("best-manifest-test.jsonl", "other.jsonl")
    names = {"SMALL": small_options()}
    for block in read_blocks(page):
        if block.file is not None:
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        elif block.kind == "sh":
            os.chdir(folder)  # each block starts where the page does
            for words in block.commands:
                if block.is_run or words[0] == "speechgru":
                    run_command(call, words, block.is_run)
        elif block.kind == "python":
            code = block.text.replace(
                "TrainOptions(corpus", "TrainOptions(**SMALL, corpus"
            )
            code = code.replace("hidden_size=256", "hidden_size=8, num_layers=1")
            exec(compile(code, str(page), "exec"), names)


PLACES = ("docs", "recipes", "benchmarks")
EVERY_PAGE = [
    *ROOT.glob("*.md"),
    *(p for place in PLACES for p in (ROOT / place).rglob("*.md")),
]


@pytest.mark.parametrize(
    "page", EVERY_PAGE, ids=lambda page: str(page.relative_to(ROOT))
)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize(
    "page", EVERY_PAGE, ids=lambda page: str(page.relative_to(ROOT))
)
def test_lines_are_short(page):
    for number, line in enumerate(page.read_text().splitlines(), 1):
        is_cell_or_link = line.startswith(("|", "[")) or "](http" in line
        assert len(line) <= 120 or is_cell_or_link, f"{page}:{number}"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_bytes()) <= 8192


def test_what_is_not_run_says_why():
    unrun = {
        page.name for page in PAGES for block in read_blocks(page) if not block.is_run
    }
    # The commands of speechgru among them are composed.
    assert unrun == {"digits.md", "live.md", "many-gpus.md", "on-a-gpu.md", "sweeps.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_block_escapes_by_its_language(page):
    pieces = re.split(r"^\s*(?:```|~~~)(.*)\n", page.read_text(), flags=re.MULTILINE)
    for kind, text in zip(pieces[1::4], pieces[2::4], strict=True):
        assert kind in ("", "sh", "python", "yaml", "json")
        assert kind or "speechgru " not in text, text


def test_every_page_is_in_the_menu():
    menu = (ROOT / "mkdocs.yml").read_text()
    for page in PAGES[2:]:
        assert str(page.relative_to(ROOT / "docs")) in menu
