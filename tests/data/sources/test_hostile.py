"""What strangers and accidents put in the place of the files of a source."""

import os
from pathlib import Path

import pytest
from data.sources.sounds import put
from data.sources.test_nemo import line, pack, write_manifest

from speechgru.audio import AudioError, inspect_audio
from speechgru.data.sources.csv import CsvCorpus
from speechgru.data.sources.folder import FolderCorpus
from speechgru.data.sources.kaldi import KaldiCorpus
from speechgru.data.sources.lhotse import LhotseCorpus
from speechgru.data.sources.nemo import NemoCorpus
from speechgru.data.sources.reading import LONGEST_PROBLEM
from speechgru.interfaces import InputError

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
    pack(folder / "audio_0.tar", {"a.wav": audio.read_bytes()})
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


def test_a_recording_that_is_a_pipe_is_not_waited_for(tmp_path):
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
    record = {**line("a.wav", 0), "audio_filepath": value}
    write_manifest(folder / "manifest.json", record)
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
