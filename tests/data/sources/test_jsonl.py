import json
import os
from pathlib import Path

import pytest

from speechgru.data.sources.jsonl import ManifestCorpus
from speechgru.interfaces import InputError


def write(path: Path, num_utterances: int) -> str:
    records = [
        {"audio_filepath": f"{i}.wav", "duration": 36.0, "text": "GO ON"}
        for i in range(num_utterances)
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(path)


def test_the_given_manifests_are_the_splits(tmp_path):
    train, test = write(tmp_path / "a.jsonl", 3), write(tmp_path / "c.jsonl", 1)
    corpus = ManifestCorpus("manifest", train=train, dev=None, test=test)
    report = corpus.prepare()
    assert corpus.splits == ("train", "test")
    assert report.splits["train"].utterances == 3
    assert report.splits["train"].hours == pytest.approx(0.03)
    assert report.splits["train"].words == 6
    assert sorted(os.listdir(tmp_path)) == ["a.jsonl", "c.jsonl"]


def test_a_split_that_was_not_given_is_refused(tmp_path):
    corpus = ManifestCorpus("manifest", write(tmp_path / "a.jsonl", 1), None, None)
    message = "unknown split 'dev'; manifest has: train; set corpus.dev=PATH"
    with pytest.raises(InputError, match=message):
        corpus.read("dev")


def test_no_manifest_at_all_is_refused():
    with pytest.raises(InputError, match=r"set corpus.train=A.jsonl"):
        ManifestCorpus("manifest", None, None, None)


def test_a_missing_manifest_is_named(tmp_path):
    corpus = ManifestCorpus("manifest", str(tmp_path / "no.jsonl"), None, None)
    with pytest.raises(InputError, match=r"no.jsonl: cannot be read"):
        corpus.prepare()
