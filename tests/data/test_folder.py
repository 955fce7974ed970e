"""Every recording below a folder is found, and nothing that is none."""

import os
import socket
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechgru.data.augment.recordings import Recordings
from speechgru.data.folder import list_recordings, without_repeats
from speechgru.interfaces import InputError


def touch(folder: Path, *names: str) -> list[str]:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return sorted(str(folder / name) for name in names)


def test_recordings_of_every_kind_and_case_are_found(tmp_path):
    endings = (
        "wav FLAC Mp3 ogg opus aiff sph w64 caf M4A mp4 webm amr aac wma mka 3gp MOV"
    )
    names = touch(tmp_path, *(f"deep/er/x.{ending}" for ending in endings.split()))
    touch(tmp_path, "x.txt", "x.json", "x", "wav", "x.wav.txt", "Thumbs.db")
    assert list_recordings(tmp_path).files == names


def test_what_is_hidden_is_none(tmp_path):
    names = touch(tmp_path, "a.wav", "b/a.wav")
    touch(tmp_path, "._a.wav", ".DS_Store", "b/._a.wav", ".git/x.wav", "desktop.ini")
    listing = list_recordings(tmp_path)
    assert (listing.files, listing.problems) == (names, {})


def test_linked_folders_are_entered_once_and_links_in_circles_end(tmp_path):
    touch(tmp_path / "elsewhere", "far.wav", "sub/farther.wav")
    root = tmp_path / "root"
    touch(root, "a.wav", "z/b.wav")
    (root / "link").symlink_to(tmp_path / "elsewhere")
    (root / "again").symlink_to(root / "z")  # its real name comes later
    (root / "z" / "up").symlink_to(root)
    (tmp_path / "elsewhere" / "back").symlink_to(root)
    (root / "twin.wav").symlink_to(root / "a.wav")  # another name, another text
    expected = ["a.wav", "link/far.wav", "link/sub/farther.wav", "twin.wav", "z/b.wav"]
    assert list_recordings(root).files == [str(root / name) for name in expected]


def test_links_to_nothing_are_for_whoever_opens_them(tmp_path):
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nothing")
    assert list_recordings(tmp_path).files == [str(tmp_path / "gone.wav")]


def test_pipes_and_sockets_are_named_and_not_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    os.mkfifo("pipe.wav")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.mp3")
        listing = list_recordings(".")
    assert listing.files == []
    assert "a named pipe, expected a file" in listing.problems["./pipe.wav"]
    assert "a socket, expected a file" in listing.problems["./socket.mp3"]


def test_a_folder_that_cannot_be_read_is_named_and_the_others_are(
    tmp_path, monkeypatch
):
    names = touch(tmp_path, "a.wav", "open/b.wav")
    locked = touch(tmp_path, "lock\ned/c.wav")[0].removesuffix("/c.wav")
    scandir = os.scandir

    def refuse(path):
        if path == locked:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = list_recordings(tmp_path)
    assert listing.files == names
    assert list(listing.problems) == [locked]
    assert "lock\\ned: cannot be read (Permission denied)" in listing.problems[locked]


def test_a_file_is_taken_once_by_its_first_path(tmp_path):
    [a] = touch(tmp_path, "z/a.wav")
    (tmp_path / "link").symlink_to(tmp_path / "z")
    again = str(tmp_path / "link" / "a.wav")
    assert list(without_repeats([a, again, a, "other.wav"])) == [a, "other.wav"]


def test_folders_for_augmentation_follow_the_same_rule(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    noise = 0.1 * np.random.default_rng(1).standard_normal(800)
    soundfile.write(tmp_path / "elsewhere/far.AIFF", noise, 8000)
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "elsewhere")
    touch(root, "._a.wav")
    recordings = Recordings(str(root), 8000)
    assert recordings.paths == [root / "link/far.AIFF"]
    for name in ("b.m4a", "b.wav"):
        (root / name).write_bytes(b"no audio")
        with pytest.raises(InputError, match=f"{name}: "):
            Recordings(str(root), 8000)
        (root / name).unlink()
