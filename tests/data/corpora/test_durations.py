import numpy as np
import pytest
import soundfile

from speechgru.data.corpora import durations
from speechgru.data.corpora.durations import read_durations


@pytest.mark.parametrize("worth_it", [1, 1000])
def test_what_is_damaged_does_not_hide_the_others(tmp_path, monkeypatch, worth_it):
    monkeypatch.setattr(durations, "_WORTH_IT", worth_it)
    monkeypatch.setattr(durations, "_CHUNK", 2)
    monkeypatch.setattr(durations, "num_processors", lambda: 2)
    paths = [tmp_path / f"{number}.wav" for number in range(5)]
    for number, path in enumerate(paths):
        soundfile.write(path, np.full(800 * (number + 1), 0.1), 16000)
    paths[1].write_bytes(b"")
    paths[3].unlink()
    found = read_durations(paths, "a corpus")
    assert found[::2] == [0.05, 0.15, 0.25]
    assert "0 bytes" in found[1]
    assert "No such file" in found[3]


def test_nothing_has_no_durations():
    assert read_durations([], "a corpus") == []
