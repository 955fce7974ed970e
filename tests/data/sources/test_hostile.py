"""What strangers and accidents put in the place of the files of a source."""

import json
import os
from pathlib import Path

import pytest
from data.sources.sounds import put
from data.tars import make_tar

from speechgru import bounded
from speechgru.audio import AudioError, inspect_audio
from speechgru.data.manifest import write_manifest
from speechgru.data.shards.encoding import Encoding
from speechgru.data.shards.writer import write_shards
from speechgru.data.sources.csv import CsvCorpus
from speechgru.data.sources.folder import FolderCorpus
from speechgru.data.sources.kaldi import KaldiCorpus
from speechgru.data.sources.lhotse import LhotseCorpus
from speechgru.data.sources.nemo import NemoCorpus
from speechgru.data.sources.reading import LONGEST_PROBLEM
from speechgru.interfaces import InputError, Utterance

TEXTS = {
    "table.csv": "path,text\na.wav,GO\n",
    "cuts.jsonl": "{}\n",
    "wav.scp": "u a.wav\n",
    "text": "u GO\n",
    "manifest.json": '{"audio_filepath": "a.wav", "duration": 0.1, "text": "GO"}\n',
}
READERS = {
    "table.csv": lambda folder: CsvCorpus("c", str(folder / "table.csv"), None, None),
    "cuts.jsonl": lambda folder: LhotseCorpus(
        "l", str(folder / "cuts.jsonl"), None, None
    ),
    "wav.scp": lambda folder: KaldiCorpus("k", str(folder), None, None),
    "text": lambda folder: KaldiCorpus("k", str(folder), None, None),
    "manifest.json": lambda folder: NemoCorpus(
        "n", str(folder / "manifest.json"), None, None
    ),
}


@pytest.fixture
def folder(tmp_path) -> Path:
    """Files of several sources."""
    folder = tmp_path / "data"
    audio = put(folder / "a.wav")
    make_tar(folder / "audio_0.tar", {"a.wav": audio.read_bytes()}, "w")
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    return folder


def read(folder: Path, name: str) -> list:
    return list(READERS[name](folder).read("train"))


@pytest.mark.parametrize("name", TEXTS)
def test_a_pipe_that_nobody_writes_to_is_not_waited_for(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(InputError, match=rf"{name}: cannot be read \(a pipe, not a f"):
        read(folder, name)


def test_a_tar_that_is_a_pipe_is_not_waited_for(folder):
    (folder / "audio_0.tar").unlink()
    os.mkfifo(folder / "audio_0.tar")
    with pytest.raises(
        InputError, match=r"audio_0\.tar: not a whole tar \(a pipe, not"
    ):
        read(folder, "manifest.json")


def test_a_recording_that_is_a_pipe_is_not_waited_for_without_end(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(bounded, "MOST_WAITING", 0.1)
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(AudioError, match="a pipe that nobody writes to"):
        inspect_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_text_of_two_bytes_a_character_is_named(folder, name, encoding):
    (folder / name).write_bytes(TEXTS[name].encode(encoding))
    with pytest.raises(InputError, match="UTF-16") as caught:
        read(folder, name)
    assert "\0" not in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize("value", [[], {}, 5, None])
def test_a_file_in_a_tar_has_a_name(folder, value):
    record = {"audio_filepath": value, "duration": 0.1, "text": "GO", "shard_id": 0}
    (folder / "manifest.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"manifest\.json:1: audio_filepath is"):
        read(folder, "manifest.json")


def test_a_link_to_itself_is_named(tmp_path):
    put(tmp_path / "b.wav")
    (tmp_path / "b.txt").write_text("GO")
    os.symlink("a.wav", tmp_path / "a.wav")
    (tmp_path / "a.txt").write_text("GO")
    with pytest.raises(InputError, match=r"a\.wav: cannot be opened \(Too many levels"):
        FolderCorpus("f", str(tmp_path), None, None).read("train")


@pytest.mark.parametrize("name", ["table.csv", "text", "wav.scp"])
def test_a_message_has_an_end(folder, name):
    (folder / name).write_text("x" * 1_000_000)
    with pytest.raises(InputError) as caught:
        read(folder, name)
    assert len(str(caught.value)) < 2 * LONGEST_PROBLEM + 500


def test_names_of_other_encodings_are_told_with_the_remedy(tmp_path):
    for name in (b"a\xe9.wav", b"b\xff.wav"):
        path = Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/" + name))
        put(path.with_name("c.wav")).rename(path)
        path.with_suffix(".txt").write_text("GO")
    with pytest.raises(InputError, match="2 problems") as caught:
        FolderCorpus("f", str(tmp_path / "in"), None, None).read("train")
    assert "/in/a\\xe9.wav: file name is not UTF-8" in str(caught.value)
    assert "convmv" in str(caught.value)


def test_what_no_manifest_can_hold_is_not_written(tmp_path):
    path = put(tmp_path / "a.wav")
    for utterance in (
        Utterance("u\udce9", path, 0.1, "GO"),
        Utterance("u", path, 0.1, "GO \ud800"),
        Utterance("u", path.with_name("\udcff.wav"), 0.1, "GO"),
    ):
        with pytest.raises(InputError, match="is not UTF-8"):
            write_manifest(tmp_path / "m.jsonl", [utterance])
        with pytest.raises(InputError, match="is not UTF-8"):
            write_shards(tmp_path / "s", {"a": [utterance]}, Encoding("wav"))
    assert not (tmp_path / "m.jsonl").exists()
