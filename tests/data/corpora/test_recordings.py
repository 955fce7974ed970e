import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechgru.audio import AudioError
from speechgru.data.corpora import recordings
from speechgru.data.corpora.recordings import Recording, describe_files, try_files
from speechgru.interfaces import InputError


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Recordings of 1, 2, ... ms, each chunk of 3 looked at by another process."""
    monkeypatch.setattr(recordings, "_CHUNK", 3)
    monkeypatch.setattr(recordings, "WORTH_IT", 2)
    found = []
    for number in range(1, 11):
        path = tmp_path / f"{number}.flac"
        soundfile.write(path, np.zeros(16 * number), 16000)
        found.append(Recording(str(number), path, f"TEXT {number}", "ann"))
    return found


@pytest.mark.parametrize("num_processes", [1, 2])
def test_headers_are_read_in_order_by_any_number_of_processes(files, num_processes):
    utterances = describe_files(files, "an4", num_processes)
    assert [u.duration for u in utterances] == [n / 1000 for n in range(1, 11)]
    assert [u.id for u in utterances] == [str(n) for n in range(1, 11)]
    assert utterances[3].text == "TEXT 4"


@pytest.mark.parametrize("num_processes", [1, 2])
def test_the_first_bad_file_is_named(files, num_processes):
    for number in (4, 9):
        files[number].audio_path.write_bytes(b"")
    with pytest.raises(AudioError, match=r"/5.flac: 0 bytes, expected audio"):
        describe_files(files, "an4", num_processes)


@pytest.mark.parametrize("num_processes", [1, 2])
def test_what_is_damaged_does_not_hide_the_others(files, num_processes):
    files[4].audio_path.write_bytes(b"")
    files[9].audio_path.unlink()
    paths = [recording.audio_path for recording in files]
    found = list(try_files(paths, "an4", num_processes))
    assert [at for at, info in enumerate(found) if isinstance(info, AudioError)] == [
        4,
        9,
    ]
    assert "0 bytes" in str(found[4])
    assert found[8].duration == 0.009


def test_a_process_that_is_killed_is_named(files, monkeypatch):
    def die(path: Path):
        os._exit(9)

    monkeypatch.setattr(recordings, "inspect_audio", die)
    with pytest.raises(InputError, match=r"1.flac: a process that read .* was killed"):
        describe_files(files, "an4", 2)
