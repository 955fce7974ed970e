"""A large manifest reads as a small one does, from an index that is kept."""

import gzip
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from speechgru.data import manifest_index, manifest_lines, manifest_table
from speechgru.data.file_numbers import FileNumbers
from speechgru.data.manifest import read_manifest, write_manifest
from speechgru.data.manifest_index import open_index
from speechgru.data.manifest_table import ManifestTable, open_manifest
from speechgru.data.utterances import durations_of, files_of, join, select, texts_of
from speechgru.interfaces import InputError, Utterance
from speechgru.text.tokenizer import CharacterTokenizer
from speechgru.text.word_counts import WordCounts

LINE = '{"audio_filepath": "wav/a%d.wav", "duration": %g, "text": "%s"}'
TEXTS = ["GO ON", "no", "", "straße ÜBER", "go on"]


@pytest.fixture(autouse=True)
def _all_is_large(monkeypatch, tmp_path):
    monkeypatch.setattr(manifest_table, "LARGE", 0)
    monkeypatch.setattr(manifest_lines, "_BLOCK", 100)
    monkeypatch.setattr(manifest_table, "_BLOCK", 150)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def manifest(tmp_path) -> Path:
    path = tmp_path / "data" / "train.jsonl"
    path.parent.mkdir()
    utterances = [
        Utterance(
            f"u{index}",
            path.parent / f"{index}.wav",
            1 + index / 10,
            TEXTS[index % 5],
            None if index % 3 else f"s{index % 4}",
            index / 2,
            index % 2 == 0 and index > 0,
            (512 * index, 99) if index % 7 == 0 else None,
        )
        for index in range(30)
    ]
    write_manifest(path, utterances)
    return path


def refuse_to_make(monkeypatch):
    monkeypatch.setattr(
        manifest_index, "_make", lambda *_: pytest.fail("the index was made anew")
    )


def test_it_holds_what_the_manifest_holds(manifest):
    expected = read_manifest(manifest)
    table = open_manifest(manifest)
    assert isinstance(table, ManifestTable)
    assert list(table) == [table[index] for index in range(30)] == expected
    assert table == expected
    assert table[-1] == expected[-1]
    assert list(table[25:3:-4]) == expected[25:3:-4]
    assert table.durations.tolist() == [u.duration for u in expected]
    assert table.words == WordCounts.of(u.text for u in expected)
    with pytest.raises(IndexError):
        table[30]


def test_a_small_manifest_is_a_list_and_gets_no_index(manifest, monkeypatch):
    monkeypatch.setattr(manifest_table, "LARGE", 1 << 20)
    assert isinstance(open_manifest(manifest), list)
    assert [path.name for path in manifest.parent.iterdir()] == ["train.jsonl"]


@pytest.mark.parametrize("compressed", [False, True])
def test_the_index_is_made_once(manifest, compressed, monkeypatch):
    if compressed:
        packed = manifest.with_name("train.jsonl.gz")
        packed.write_bytes(gzip.compress(manifest.read_bytes()))
        manifest = packed
    expected = read_manifest(manifest)
    assert list(open_manifest(manifest)) == expected
    assert manifest.with_name(f"{manifest.name}.index").exists()
    refuse_to_make(monkeypatch)
    table = open_manifest(manifest)
    assert list(table) == [table[index] for index in range(30)] == expected
    assert table.words == WordCounts.of(u.text for u in expected)


def test_another_process_opens_it_anew(manifest, monkeypatch):
    table = open_manifest(manifest)
    refuse_to_make(monkeypatch)
    packed = pickle.dumps(select(table, [3, 1]))
    assert len(packed) < 2000
    assert list(pickle.loads(packed)) == [table[3], table[1]]


def test_a_manifest_that_has_changed_is_indexed_anew(manifest):
    open_manifest(manifest)
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join(lines[:7]) + "\n")
    assert list(open_manifest(manifest)) == read_manifest(manifest)


def test_a_change_while_it_is_in_use_is_named(manifest):
    table = open_manifest(manifest)
    with manifest.open("a") as file:
        file.write(LINE % (99, 1, "MORE") + "\n")
    with pytest.raises(InputError, match=r"train\.jsonl: has changed since it was op"):
        table[3]
    with pytest.raises(InputError, match="has changed"):
        list(table)


def test_one_that_is_replaced_stays_as_it_was_for_those_who_have_opened_it(manifest):
    table, expected = open_manifest(manifest), read_manifest(manifest)
    write_manifest(manifest, expected[:2])
    assert list(table) == expected
    assert len(open_manifest(manifest)) == 2


def test_a_change_while_it_is_indexed_is_named(manifest, monkeypatch):
    finish = manifest_lines.Collector.add

    def add_and_change(self, start, lines):
        finish(self, start, lines)
        if start == 0:
            os.utime(manifest, ns=(1, 1))

    monkeypatch.setattr(manifest_lines.Collector, "add", add_and_change)
    with pytest.raises(InputError, match="changed while it was read"):
        open_manifest(manifest)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:-1],
        lambda content: content + b"x",
        lambda content: b"{" + content,
        lambda content: b"",
        lambda content: b"[" * 5000 + content,
        lambda content: content.replace(b'"utterances": 30', b'"utterances": 29'),
        lambda content: content.replace(b'"several": true', b'"several": null'),
        lambda content: content[:4096] + content[4104:4112] + content[4104:],
    ],
)
def test_a_damaged_index_is_made_anew(manifest, spoil):
    expected = list(open_manifest(manifest))
    index = manifest.with_name("train.jsonl.index")
    content = index.read_bytes()
    index.write_bytes(spoil(content))
    assert list(open_manifest(manifest)) == expected
    assert index.read_bytes() == content


@pytest.mark.parametrize("num_refused", [1, 2])
def test_a_folder_that_cannot_be_written_is_no_obstacle(
    manifest, num_refused, monkeypatch, caplog
):
    real, refused = manifest_index.replace_by_parts, []

    def replace_by_parts(path, parts):
        if len(refused) < num_refused:
            refused.append(path)
            raise InputError(f"{path}: cannot be written")
        real(path, parts)

    monkeypatch.setattr(manifest_index, "replace_by_parts", replace_by_parts)
    table = open_manifest(manifest)
    assert list(table) == read_manifest(manifest)
    assert ("no index is kept" in caplog.text) == (num_refused == 2)
    if num_refused == 1:
        refuse_to_make(monkeypatch)
        assert list(open_manifest(manifest)) == list(table)


BAD = {
    "not JSON": "nothing",
    "twice": f"{LINE % (1, 1, 'A')}\n\n{LINE % (2, 2, 'B')}\n{LINE % (1, 1, 'A')}",
    "no text": '{"audio_filepath": "a", "duration": 1}',
    "a list": "[]",
    "text": '{"audio_filepath": "a", "duration": 1.5, "text": 5, "id": "x"}',
    "id": '{"audio_filepath": "a", "duration": 1.5, "text": "", "id": true}',
    "path": '{"audio_filepath": "", "duration": 1.5, "text": "", "id": "x"}',
    "duration": '{"audio_filepath": "a", "duration": -1.5, "text": "", "id": "x"}',
    "NaN": '{"audio_filepath": "a", "duration": NaN, "text": "", "id": "x"}',
    "huge": '{"audio_filepath": "a", "duration": 1e301, "text": "", "id": "x"}',
    "offset": LINE[:-1] % (1, 1.5, "") + ', "id": "x", "offset": -1.0}',
    "speaker": LINE[:-1] % (1, 1.5, "") + ', "id": "x", "speaker": [1]}',
    "range": LINE[:-1] % (1, 1.5, "") + ', "id": "x", "byte_range": [0]}',
    "surrogate": '{"audio_filepath": "a", "duration": 1.5, "text": "\\ud800"}',
    "many": "\n".join(["x"] * 50),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_lines_are_told_as_of_a_small_manifest(kind, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(f"{LINE % (9, 1.5, 'FIRST')}\n{BAD[kind]}\n")
    with pytest.raises(InputError) as small:
        read_manifest(path)
    with pytest.raises(InputError) as large:
        open_manifest(path)
    assert str(large.value) == str(small.value)


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeff{LINE % (1, 2, 'A')}\r\n\r\n \n{LINE % (2, 2.5, 'B')}",
        f"\n\n{LINE % (1, 2, 'A')}\n",
        LINE[:-1] % (1, 2, "A") + ', "score": NaN, "id": 7}',
    ],
)
def test_marks_blank_lines_and_other_ends_are_accepted(content, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(content, encoding="utf-8")
    table = open_manifest(path)
    assert list(table) == [table[index] for index in range(len(table))]
    assert table == read_manifest(path)


@pytest.mark.parametrize("content", [b"\n", " \n".encode("utf-16")])
def test_what_is_no_manifest_is_named(content, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.jsonl: (holds no utter|is UTF-16)"):
        open_manifest(path)


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl.gz"
    monkeypatch.setattr(manifest_lines, "_LONGEST_LINE", 1 << 16)
    monkeypatch.setattr(manifest_lines, "_BLOCK", 1 << 14)
    path.write_bytes(gzip.compress(b" " * (1 << 20)))
    with pytest.raises(InputError, match="it is no manifest"):
        open_manifest(path)
    path.write_bytes(gzip.compress(b"\n" * (1 << 24)))
    with pytest.raises(InputError, match="it is no manifest"):
        open_manifest(path)
    path.write_bytes(gzip.compress(b"{}" * 100)[:-20])
    with pytest.raises(InputError, match=r"a\.jsonl\.gz: cannot be read"):
        open_manifest(path)


def test_words_are_not_counted_without_end(manifest, monkeypatch):
    monkeypatch.setattr(manifest_lines, "MOST_WORDS", 3)
    table = open_manifest(manifest)
    assert table.words is None
    texts = [utterance.text for utterance in table]
    assert list(texts_of(table)) == texts
    assert texts_of(table).words == WordCounts.of(texts)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_bit_that_is_wrong_is_found_wherever_it_is(manifest, compressed, caplog):
    if compressed:
        packed = manifest.with_name("train.jsonl.gz")
        packed.write_bytes(gzip.compress(manifest.read_bytes()))
        manifest = packed
    expected = list(open_manifest(manifest))
    index = manifest.with_name(f"{manifest.name}.index")
    content = index.read_bytes()
    for place in range(4096, len(content), 37):
        spoilt = bytearray(content)
        spoilt[place] ^= 16
        index.write_bytes(spoilt)
        caplog.clear()
        assert list(open_manifest(manifest)) == expected
        assert "checksum that it ends with), is made anew" in caplog.text
        assert index.read_bytes() == content


def test_an_index_of_an_older_version_is_made_anew(manifest, caplog):
    expected = open_manifest(manifest)
    index = manifest.with_name("train.jsonl.index")
    content = index.read_bytes()
    index.write_bytes(content.replace(b'"schema": 2', b'"schema": 1'))
    assert open_manifest(manifest) == expected
    assert index.read_bytes() == content
    assert not caplog.text


def write_filed(path, places, **more):
    """A manifest whose utterances lie in files of these names."""
    record = {"duration": 1.5, "text": "A", **more}
    path.write_text(
        "\n".join(
            json.dumps({"id": f"u{row}", "audio_filepath": place, **record})
            for row, place in enumerate(places)
        )
    )
    return path


PLACES = ["b.tar", "a.tar", "b.tar", "./a.tar", "c/d.tar", "b.tar", "ü.tar"]


def test_the_files_that_utterances_lie_in_are_known(tmp_path, monkeypatch):
    path = write_filed(tmp_path / "a.jsonl", PLACES, byte_range=[512, 99])
    few = read_manifest(path)
    table = open_manifest(path)
    parts = {
        "all": (table, few),
        "some": (select(table, [6, 2, 4, 0]), [few[i] for i in (6, 2, 4, 0)]),
        "several": (
            join(select(table, [1]), table, select(table, [6])),
            [few[1], *few, few[6]],
        ),
    }
    with monkeypatch.context() as context:
        context.setattr(ManifestTable, "__iter__", lambda _: pytest.fail("read"))
        context.setattr(ManifestTable, "_get", lambda *_: pytest.fail("read"))
        found = {name: files_of(part) for name, (part, _) in parts.items()}
    for name, (_, expected) in parts.items():
        files = FileNumbers.find(expected)
        assert found[name].paths == files.paths
        assert found[name].numbers.tolist() == files.numbers.tolist()
    assert files_of(select(table, [])) is None


def test_files_of_one_utterance_each_are_not_counted(manifest, tmp_path):
    table = open_manifest(manifest)
    assert files_of(table) is None
    assert files_of(join(table, table)) is None
    paths = files_of(select(table, [7, 14])).paths
    assert paths == [manifest.parent / "7.wav", manifest.parent / "14.wav"]
    assert files_of(open_manifest(write_filed(tmp_path / "b.jsonl", "ab"))) is None


def test_files_are_not_remembered_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(manifest_lines, "MOST_FILES", 3)
    path = write_filed(tmp_path / "a.jsonl", PLACES, byte_range=[512, 99])
    table = open_manifest(path)
    assert open_index(path).paths is None
    assert files_of(table).paths == FileNumbers.find(read_manifest(path)).paths


def test_parts_of_tables_are_tables(manifest):
    table, few = open_manifest(manifest), read_manifest(manifest)
    both = join(select(table, [5, 2]), [], few[:1], table)
    assert list(both) == [few[5], few[2], few[0], *few]
    assert [both[index].id for index in range(len(both))] == [u.id for u in both]
    assert durations_of(both).tolist() == [u.duration for u in both]
    assert both.words is None
    assert join(table, table).words == WordCounts.of(u.text for u in [*few, *few])
    assert list(join()) == []
    assert durations_of(join()).tolist() == []


def test_the_tokens_are_those_of_the_texts_themselves(manifest, monkeypatch):
    table = open_manifest(manifest)
    texts = [utterance.text for utterance in table]
    expected = "".join(
        sorted(set("".join(map(CharacterTokenizer("A").normalize, texts))))
    )
    monkeypatch.setattr(ManifestTable, "__iter__", lambda _: pytest.fail("read"))
    assert CharacterTokenizer.from_texts(texts_of(table)).alphabet == expected


def test_the_index_says_what_it_is(manifest):
    open_index(manifest)
    content = manifest.with_name("train.jsonl.index").read_bytes()
    header = json.loads(content[:4096])
    assert (header["utterances"], header["size"]) == (30, manifest.stat().st_size)
    durations = np.frombuffer(content, np.float64, 30, 4096 + 8 * 31)
    assert durations.tolist() == [u.duration for u in read_manifest(manifest)]
