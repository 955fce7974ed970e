"""Files of strangers: read whole, or refused at once."""

import io
import os
import threading

import pytest

from speechgru import bounded
from speechgru.bounded import read_json, read_whole
from speechgru.data.manifest import read_manifest
from speechgru.interfaces import InputError
from speechgru.lm.arpa import read_arpa


def test_a_file_is_read_whole(tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    assert read_whole(tmp_path / "a") == b"content"
    assert read_whole(tmp_path / "a", most=7) == b"content"
    with pytest.raises(OSError, match="larger than 0 MiB"):
        read_whole(tmp_path / "a", most=6)


def test_a_large_file_is_refused_by_its_size(tmp_path):
    path = tmp_path / "a"
    path.touch()
    os.truncate(path, 1 << 40)
    with pytest.raises(OSError, match="larger than 2048 MiB"):
        read_whole(path)


def test_a_pipe_is_read_while_somebody_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(bounded, "MOST_WAITING", 0.1)
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match="a pipe that nobody writes to"):
        read_whole(path)
    # As the shell makes <(...): the writer is there before us, and may be slow.
    keep = os.open(path, os.O_RDWR)
    writer = threading.Timer(0.1, lambda: (os.write(keep, b"slow"), os.close(keep)))
    writer.start()
    assert read_whole(path) == b"slow"
    writer.join()


@pytest.mark.parametrize("read", [read_manifest, read_arpa])
@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_what_is_no_file_is_named_at_once(tmp_path, read, kind):
    path = tmp_path / "a"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    expected = r"pipe that nobody|Is a directory|device, not a file"
    with pytest.raises(InputError, match=f"{path}: cannot be read .*({expected})"):
        read(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff", b"1" * 5000])
def test_what_is_not_json_is_an_error(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"\w"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("duration", ["1" + "0" * 400, "1e999", "NaN", "1e300", "true"])
def test_absurd_durations_are_errors(tmp_path, duration):
    line = f'{{"audio_filepath": "a.wav", "duration": {duration}, "text": "A"}}'
    (tmp_path / "a.jsonl").write_text(line)
    with pytest.raises(InputError, match="expected a number of seconds"):
        read_manifest(tmp_path / "a.jsonl")


def test_a_stream_is_read_to_its_end_but_not_for_ever():
    assert bounded.read_stream(io.BytesIO(b"0123"), most=4) == b"0123"
    with pytest.raises(OSError, match="more than 0 MiB"):
        bounded.read_stream(io.BytesIO(b"01234"), most=4)
