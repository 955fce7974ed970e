"""`speechgru new` makes a project that works, and never writes over anything."""

from pathlib import Path

import pytest
import soundfile
from conftest import SAMPLE_RATE, sing

from speechgru.cli.config import compose_config, read_options
from speechgru.data.manifest import read_manifest
from speechgru.interfaces import InputError, Utterance
from speechgru.options import NewOptions, TrainOptions
from speechgru.project.division import divide
from speechgru.project.make import make_project, name_project

SHARES = {"test": 0.1, "dev": 0.1}


@pytest.fixture
def recordings(tmp_path, monkeypatch):
    """Four speakers with three recordings each, in names that need quotes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPEECHGRU_CACHE", str(tmp_path / "cache"))
    for speaker in ("ann", "bob", "cem", "dörte"):
        home = tmp_path / "my voices é" / speaker
        home.mkdir(parents=True)
        for number in range(3):
            text = "AB CD"[: 2 + number]
            waveform = sing(text, number)
            soundfile.write(home / f"take {number}.wav", waveform, SAMPLE_RATE)
            (home / f"take {number}.txt").write_text(text)
    return tmp_path / "my voices é"


def speakers_of(path):
    return {utterance.speaker for utterance in read_manifest(path)}


def test_a_folder_becomes_a_project_whose_recipe_is_found_in_it(
    recordings, tmp_path, monkeypatch
):
    lines = make_project(Path("my project"), NewOptions(source=str(recordings)))
    assert "divided by speakers: nobody is heard in two splits" in lines
    data = tmp_path / "my project" / "data"
    splits = [speakers_of(data / f"{name}.jsonl") for name in ("train", "dev", "test")]
    assert set.union(*splits) == {"ann", "bob", "cem", "dörte"}
    assert sum(map(len, splits)) == 4
    for utterance in read_manifest(data / "train.jsonl"):
        assert utterance.audio_path.is_file()
    monkeypatch.chdir("my project")
    composed = compose_config("train", ["recipe=my_project"])
    options = read_options(composed, TrainOptions)
    assert options.corpus.options["name"] == "my_project"
    assert options.data.resample
    assert options.data.fold is None
    # All recordings are of 8 kHz.
    assert options.features.options["sample_rate"] == SAMPLE_RATE


def test_a_project_that_speaks_to_hydra_is_refused(recordings, monkeypatch):
    make_project(Path("mine"), NewOptions(source=str(recordings)))
    bad = "hydra:\n  callbacks:\n    a:\n      _target_: os.system\n"
    Path("mine/conf/recipe/evil.yaml").write_text(f"# @package _global_\n{bad}")
    monkeypatch.chdir("mine")
    with pytest.raises(InputError, match="says something to Hydra itself"):
        compose_config("train", ["recipe=mine"])


def test_nothing_is_written_over(recordings):
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("dear")
    with pytest.raises(InputError, match="nothing is ever written over"):
        make_project(Path("mine"), NewOptions(source=str(recordings)))
    assert [path.name for path in Path("mine").iterdir()] == ["notes.txt"]


def test_a_recording_without_a_text_leaves_nothing_behind(recordings, tmp_path):
    (recordings / "ann" / "take 0.txt").unlink()
    before = set(tmp_path.iterdir())
    with pytest.raises(InputError, match="no text beside it"):
        make_project(Path("mine"), NewOptions(source=str(recordings)))
    assert set(tmp_path.iterdir()) - before <= {tmp_path / "cache"}


def test_folders_that_are_splits_are_no_speakers(recordings):
    (recordings / "ann").rename(recordings / "train")
    with pytest.raises(InputError, match="look like splits"):
        make_project(Path("mine"), NewOptions(source=str(recordings)))


@pytest.mark.parametrize("name", ["an4", "mini_librispeech", "manifest"])
def test_a_name_of_ours_is_refused(name):
    with pytest.raises(InputError, match="is a corpus of speechgru itself"):
        name_project(Path(name), None)


def some(speakers, texts=None, files=None):
    return [
        Utterance(
            f"u{i}",
            Path(f"{files[i] if files else i}.wav"),
            2.0,
            texts[i] if texts else f"text {i}",
            speaker,
        )
        for i, speaker in enumerate(speakers)
    ]


def parts_of(values, division):
    return [{values[i] for i in part.tolist()} for part in division.splits.values()]


def test_no_speaker_is_in_two_splits_and_nothing_is_lost():
    speakers = [f"s{i % 20}" for i in range(200)]
    division = divide(some(speakers), SHARES)
    train, test, dev = parts_of(speakers, division)
    assert train.isdisjoint(test | dev)
    assert test.isdisjoint(dev)
    assert (len(train), len(test), len(dev)) == (16, 2, 2)
    assert sum(map(len, division.splits.values())) == 200


def test_without_speakers_no_text_and_no_recording_is_in_two_splits():
    texts = [f"text {i % 50}" for i in range(100)]
    files = [i // 2 if i % 2 else f"own {i}" for i in range(100)]
    division = divide(some([None] * 100, texts, files), SHARES)
    train, test, dev = parts_of(texts, division)
    assert train.isdisjoint(test | dev)
    assert test.isdisjoint(dev)
    assert "no speakers are known" in " ".join(division.notes)


def test_one_speaker_is_said_to_be_one():
    division = divide(some(["ann"] * 20), SHARES)
    assert "one speaker: scores tell of this voice alone" in division.notes


def test_utterances_without_a_speaker_are_trained_on():
    speakers = ["a", "b", "c", "d", None, None]
    division = divide(some(speakers), SHARES)
    assert None not in set.union(*parts_of(speakers, division)[1:])
    assert any("2 utterances without a speaker" in note for note in division.notes)


def test_three_utterances_are_one_for_each_split_and_two_are_refused():
    division = divide(some([None] * 3), SHARES)
    assert [len(part) for part in division.splits.values()] == [1, 1, 1]
    with pytest.raises(InputError, match="2 utterances, expected at least 3"):
        divide(some([None] * 2), SHARES)
