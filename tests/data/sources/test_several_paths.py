"""Splits that lie at several paths."""

import json
from pathlib import Path

import pytest
from data.sources.sounds import put

from speechgru.data.sources.csv import CsvCorpus
from speechgru.data.sources.folder import FolderCorpus
from speechgru.data.sources.jsonl import ManifestCorpus
from speechgru.data.sources.splits import Place
from speechgru.interfaces import InputError
from speechgru.ranges import OptionError


def write(path: Path, *names: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps({"audio_filepath": name, "duration": 1.5, "text": f"SAY {name}"})
        for name in names
    ]
    path.write_text("\n".join(lines))
    return str(path)


def manifests(train: Place) -> ManifestCorpus:
    return ManifestCorpus("manifest", train, None, None)


def test_several_manifests_are_one_split(tmp_path):
    first = write(tmp_path / "own/a.jsonl", "b.wav", "a.wav")
    second = write(tmp_path / "heard/b.jsonl", "c.wav")
    corpus = manifests([first, second])
    assert [(each.id, each.audio_path) for each in corpus.read("train")] == [
        ("b", tmp_path / "own/b.wav"),
        ("a", tmp_path / "own/a.wav"),
        ("c", tmp_path / "heard/c.wav"),
    ]
    (size,) = corpus.prepare().splits.values()
    assert (size.utterances, size.words) == (3, 6)


def test_a_list_of_one_is_that_one(tmp_path, cache):
    corpus = manifests([write(tmp_path / "a.jsonl", "a.wav")])
    assert corpus.manifest_path("train") == tmp_path / "a.jsonl"
    assert not cache.exists()


def test_what_changes_is_read_again(tmp_path):
    first = write(tmp_path / "a.jsonl", "a.wav")
    second = write(tmp_path / "b.jsonl", "b.wav")
    corpus = manifests([first, second])
    made = corpus.manifest_path("train")
    assert corpus.manifest_path("train") == made
    write(tmp_path / "b.jsonl", "b.wav", "late.wav")
    assert [each.id for each in corpus.read("train")] == ["a", "b", "late"]


def test_another_order_is_another_split(tmp_path):
    first = write(tmp_path / "a.jsonl", "a.wav")
    second = write(tmp_path / "b.jsonl", "b.wav")
    for places, ids in (([first, second], "ab"), ([second, first], "ba")):
        assert "".join(each.id for each in manifests(places).read("train")) == ids


def test_ids_that_clash_are_named_with_their_files(tmp_path):
    first = write(tmp_path / "a.jsonl", "a.wav")
    second = write(tmp_path / "b.jsonl", "a.wav")
    message = rf"{first}, {second}: id 'a' occurs twice, expected unique ids"
    with pytest.raises(InputError, match=message):
        manifests([first, second]).read("train")


def test_mistakes_keep_the_place_in_their_own_file(tmp_path):
    first = write(tmp_path / "a.jsonl", "a.wav")
    (tmp_path / "b.jsonl").write_text('{"audio_filepath": "b.wav"}\n')
    with pytest.raises(InputError, match=r"b\.jsonl:1: .*duration"):
        manifests([first, str(tmp_path / "b.jsonl")]).read("train")


@pytest.mark.parametrize("kind", [CsvCorpus, FolderCorpus])
def test_other_sources_take_several_too(tmp_path, kind):
    places = []
    for name in ("jan", "feb"):
        put(tmp_path / name / f"{name}.wav", seconds=0.25)
        if kind is FolderCorpus:
            (tmp_path / name / f"{name}.txt").write_text("GO")
            places.append(str(tmp_path / name))
        else:
            table = tmp_path / name / "all.tsv"
            table.write_text(f"path\tsentence\n{name}.wav\tGO\n")
            places.append(str(table))
    utterances = kind("own", None, places, None).read("dev")
    assert [(each.id, each.duration, each.text) for each in utterances] == [
        ("jan", 0.25, "GO"),
        ("feb", 0.25, "GO"),
    ]


@pytest.mark.parametrize("place", [[], [3], {"a": "b"}, ["a.jsonl", None]])
def test_what_is_no_path_is_refused(place):
    with pytest.raises(OptionError, match="expected a path, or a list of at least one"):
        manifests(place)


def test_a_path_that_is_there_twice_is_refused():
    with pytest.raises(OptionError, match="expected each path once; remove one"):
        manifests(["a.jsonl", "a.jsonl"])


def test_a_list_without_brackets_is_told_how_it_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.jsonl", "a.wav")
    write(tmp_path / "b.jsonl", "b.wav")
    with pytest.raises(OptionError, match=r"expected a list of them: \[a\.jsonl,b\.j"):
        manifests("a.jsonl,b.jsonl")
    write(tmp_path / "a.jsonl,b.jsonl", "c.wav")
    assert [each.id for each in manifests("a.jsonl,b.jsonl").read("train")] == ["c"]
