"""Clean manifests hold what has no problem, and everything else is accounted for."""

import json

import numpy as np
import pytest
import soundfile

from speechgru.data.manifest import read_manifest
from speechgru.data.validation.clean import write_clean
from speechgru.data.validation.examine import examine
from speechgru.data.validation.record import RECORD_MARK, record_parts
from speechgru.interfaces import InputError, Utterance

RATE = 8000


@pytest.fixture
def splits(tmp_path):
    """Three of train are good, one of which is soft; nothing of dev is."""
    random = np.random.default_rng(0)

    def make(name, text="go", level=0.1):
        path = tmp_path / "wav" / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, level * random.standard_normal(RATE), RATE)
        return Utterance(name, path, 1.0, text, speaker="ann")

    bad = make("bad", "")
    bad.audio_path.write_bytes(b"")
    return {
        "train": [make("a"), bad, make("soft", level=0.001), make("b")],
        "dev": [make("empty", "")],
    }


@pytest.fixture
def diagnosis(splits):
    return examine(splits, None, RATE, False, None, None)


def test_what_is_good_stays_and_what_is_not_is_listed(splits, diagnosis, tmp_path):
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.wav")}
    cleaned = write_clean(diagnosis, tmp_path / "clean", ())
    kept = read_manifest(tmp_path / "clean" / "train.jsonl")
    assert [utterance.id for utterance in kept] == ["a", "soft", "b"]
    assert [each.audio_path.resolve() for each in kept] == [
        splits["train"][index].audio_path for index in (0, 2, 3)
    ]
    assert kept[0].speaker == "ann"
    assert not (tmp_path / "clean" / "dev.jsonl").exists()
    lines = (tmp_path / "clean" / "left_out.jsonl").read_text().splitlines()
    bad, empty = map(json.loads, lines)
    assert (bad["split"], bad["id"], bad["index"]) == ("train", "bad", 1)
    kinds = [reason["kind"] for reason in bad["reasons"]]
    assert kinds == ["empty-transcript", "empty-file"]
    assert "0 bytes, expected audio" in bad["reasons"][1]["message"]
    assert (empty["split"], empty["id"]) == ("dev", "empty")
    assert cleaned.lines()[1:] == [
        "dev: nothing is left, no manifest is written",
        f"2 left out, see {tmp_path / 'clean' / 'left_out.jsonl'}",
    ]
    assert {path: path.read_bytes() for path in before} == before


def test_notes_are_reasons_where_they_are_named(diagnosis, tmp_path):
    write_clean(diagnosis, tmp_path / "clean", ("quiet", "clipped"))
    kept = read_manifest(tmp_path / "clean" / "train.jsonl")
    assert [utterance.id for utterance in kept] == ["a", "b"]
    lines = (tmp_path / "clean" / "left_out.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["bad", "soft", "empty"]


@pytest.mark.parametrize("name", ["train.jsonl", "dev.jsonl", "left_out.jsonl"])
def test_nothing_that_is_there_is_touched(diagnosis, tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match=f"{name}: is there already"):
        write_clean(diagnosis, tmp_path, ())
    assert (tmp_path / name).read_text() == "mine"
    assert [path.name for path in tmp_path.glob("*.jsonl")] == [name]


def test_what_cannot_be_written_whole_is_not_written(diagnosis, tmp_path, monkeypatch):
    def fail(path, _):
        raise InputError(f"{path}: cannot be written (No space left on device)")

    with monkeypatch.context() as full:
        full.setattr("speechgru.data.validation.clean.write_json_lines", fail)
        with pytest.raises(InputError, match="No space left"):
            write_clean(diagnosis, tmp_path / "clean", ())
    write_clean(diagnosis, tmp_path / "clean", ())
    assert len(read_manifest(tmp_path / "clean" / "train.jsonl")) == 3


def test_the_record_holds_every_finding(diagnosis):
    content = b"".join(record_parts(diagnosis))
    assert content.startswith(RECORD_MARK)
    record = json.loads(content)
    assert (record["utterances"], record["unhealthy"]) == (5, 2)
    assert record["splits"]["train"]["utterances"] == 4
    assert record["splits"]["dev"]["level"] < -15
    problems = [(p["split"], p["index"], p["kind"]) for p in record["problems"]]
    assert problems == [
        ("train", 1, "empty-transcript"),
        ("train", 1, "empty-file"),
        ("dev", 0, "empty-transcript"),
    ]
    [quiet] = [r for r in record["remarks"] if r["kind"] == "quiet"]
    assert (quiet["split"], quiet["utterances"]) == ("train", ["soft"])
    assert record["histograms"][0]["name"] == "duration"
    assert record["characters"]["train"]["g"] == 3
    assert {*record} == {
        *("speechgru", "utterances", "unhealthy", "splits", "estimates", "problems"),
        *("remarks", "histograms", "characters"),
    }
