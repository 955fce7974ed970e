import numpy as np
import pytest
import soundfile
from data.shards.server import serving

from speechgru.data.shards import fetching
from speechgru.data.shards.encoding import Encoding
from speechgru.data.shards.writer import write_shards
from speechgru.interfaces import Utterance

RATE = 8000


@pytest.fixture(scope="session")
def shards(tmp_path_factory):
    """A folder of 6 shards of 5 utterances to train on, and one of 3."""
    folder = tmp_path_factory.mktemp("shards")
    numbers = np.random.default_rng(0)
    utterances = []
    for number in range(30):
        path = folder / f"{number}.wav"
        sound = numbers.normal(0, 3000, 4000).astype(np.int16)
        soundfile.write(path, sound, RATE)
        utterances.append(Utterance(f"a-{number:02}", path, 0.5, "AB"))
    splits = {"train": utterances, "dev": utterances[:3]}
    megabytes = 5.2 * (8044 + 2048) / 1e6
    write_shards(folder / "out", splits, Encoding("wav"), megabytes, num_processes=1)
    assert len([*(folder / "out/train").iterdir()]) == 6
    return folder / "out"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SPEECHGRU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fetching, "_FIRST_PAUSE", 0.01)
    return tmp_path / "cache"


@pytest.fixture
def host(shards):
    with serving(shards) as host:
        yield host
