import json
import shutil

import numpy as np
import pytest
import soundfile
from data.shards.server import serving

from speechgru.audio import read_audio
from speechgru.data.shards.encoding import Encoding
from speechgru.data.shards.writer import write_shards
from speechgru.data.sources.shards import Shards
from speechgru.interfaces import InputError, Utterance


@pytest.fixture
def shards(tmp_path, monkeypatch):
    monkeypatch.setenv("SPEECHGRU_CACHE", str(tmp_path / "cache"))
    soundfile.write(tmp_path / "a.wav", np.arange(8000, dtype=np.int16), 8000)
    corpus = [Utterance(f"a-{n}", tmp_path / "a.wav", 1.0, "A B") for n in range(4)]
    write_shards(
        tmp_path / "out",
        {"train": corpus, "dev": corpus[:1]},
        Encoding(),
        shuffled=False,
    )
    return tmp_path / "out"


def test_it_has_the_splits_that_were_written(shards):
    corpus = Shards("shards", str(shards))
    assert corpus.splits == ("train", "dev")
    assert [u.id for u in corpus.read("train")] == ["a-0", "a-1", "a-2", "a-3"]
    with pytest.raises(
        InputError, match="unknown split 'test'; shards has: train, dev"
    ):
        corpus.read("test")


def test_prepare_counts_what_is_there(shards):
    report = Shards("shards", str(shards)).prepare()
    assert str(report).startswith("shards train: 4 utterances, 0.001 h, 8 words, ")


def test_any_utterance_is_read_at_random_from_an_address(shards):
    with serving(shards) as host:
        utterance = Shards("shards", f"{host.address}/").read("train")[2]
        assert host.requests == {"shards.json": 1, "train.jsonl": 1}
        waveform, _ = read_audio(utterance.audio)
    assert (waveform.numpy() * 2**15 == np.arange(8000)).all()


def test_an_index_that_has_changed_at_its_address_is_fetched_again(shards, tmp_path):
    other = tmp_path / "other"
    some = list(Shards("shards", str(shards)).read("train"))[:2]
    write_shards(other, {"train": some}, Encoding("wav"))
    with serving(shards) as host:
        assert len(Shards("shards", host.address).read("train")) == 4
        host.folder = other
        assert len(Shards("shards", host.address).read("train")) == 2


def test_a_folder_that_is_not_finished_is_named(shards, tmp_path):
    with pytest.raises(InputError, match=r"nowhere/shards\.json: cannot be read"):
        Shards("shards", str(tmp_path / "nowhere")).read("train")
    with pytest.raises(InputError, match=r"set corpus\.folder=FOLDER"):
        Shards("shards", None)
    with serving(tmp_path) as host, pytest.raises(InputError, match="HTTP 404"):
        Shards("shards", f"{host.address}/nowhere").read("train")


def test_a_file_of_something_else_is_refused(shards):
    path = shards / "shards.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 2}))
    with pytest.raises(InputError, match=r"shards\.json: not what .*version 2"):
        Shards("shards", str(shards)).read("train")


def test_an_index_that_is_gone_is_named(shards):
    (shards / "train.jsonl").unlink()
    with pytest.raises(InputError, match=r"train\.jsonl: cannot be read"):
        Shards("shards", str(shards)).read("train")
    shutil.rmtree(shards / "train")
    assert len(Shards("shards", str(shards)).read("dev")) == 1
