import io
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from speechgru.data.manifest import write_manifest
from speechgru.interfaces import InputError, Utterance
from speechgru.options import HearingOptions, TranscribeOptions
from speechgru.transcribe.inputs import Input
from speechgru.transcribe.named_inputs import find_inputs, without_repeats
from speechgru.transcribe.parts import take_parts
from speechgru.transcribe.shard import Shard
from speechgru.transcribe.transcript import Failure


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("in/day1/a.wav", "in/day2/a.wav", "b.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"audio")
    return tmp_path


def pipe(monkeypatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_a_list_names_files_folders_and_globs(folder, monkeypatch):
    (folder / "list.txt").write_text("in/day*/a.wav\r\n\nb.wav\ngone.wav\n")
    *found, gone = find_inputs(["@list.txt"])
    assert [each.place for each in found] == ["in/day1/a.wav", "in/day2/a.wav", "b.wav"]
    assert [each.source for each in found] == [
        "in/day1/a.wav",
        "in/day2/a.wav",
        "b.wav",
    ]
    assert isinstance(gone.source, Failure)
    pipe(monkeypatch, b"in\n")
    assert [each.place for each in find_inputs(["@-"])] == [
        *("in/day1/a.wav", "in/day2/a.wav"),
    ]


def test_what_a_list_names_elsewhere_keeps_its_whole_path(folder, monkeypatch):
    (folder / "home").mkdir()
    monkeypatch.chdir(folder / "home")
    pipe(monkeypatch, f"{folder}/in/day1/a.wav\n../b.wav".encode())
    places = [each.place for each in find_inputs(["@-"])]
    assert places == [f"{folder}/in/day1/a.wav"[1:], f"{folder}/b.wav"[1:]]


def test_a_file_whose_name_begins_like_a_list_is_one(folder):
    (folder / "@a.wav").write_bytes(b"audio")
    assert find_inputs(["@a.wav"]) == [Input("@a.wav", "@a.wav")]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("@list.txt", "\n \n", "@list.txt: names nothing, expected the name"),
        ("@list.txt", "-\n", "@list.txt: names -, standard input, expected files"),
        ("@gone.txt", "", "gone.txt: cannot be read .* expected a list with the name"),
        ("m.jsonl", "{}\n", "m.jsonl:1: no audio_filepath"),
    ],
)
def test_a_bad_list_is_told(folder, name, content, expected):
    (folder / "list.txt").write_text(content)
    (folder / "m.jsonl").write_text(content)
    with pytest.raises(InputError, match=expected):
        find_inputs([name])


def test_a_manifest_names_its_files_each_once(folder):
    paths = ["in/day1/a.wav", "in/day1/a.wav", "b.wav"]
    write_manifest(
        "in/m.jsonl", [Utterance(f"{n}", Path(p), 1, "A") for n, p in enumerate(paths)]
    )
    found = find_inputs(["in/m.jsonl"])
    assert [each.place for each in found] == ["day1/a.wav", f"{folder}/b.wav"[1:]]
    assert [Path(each.source).resolve() for each in found] == [
        *(folder / "in/day1/a.wav", folder / "b.wav")
    ]


def test_parts_of_a_file_are_called_by_their_times(folder):
    parts = [
        Utterance(f"{start}", Path("b.wav"), 1.5, "A", who, offset=start, partial=True)
        for start, who in ((0.0, None), (12.5, "ann"))
    ]
    write_manifest("parts.jsonl", [*parts, replace(parts[0], id="again")])
    found, said = without_repeats(find_inputs(["parts.jsonl", "b.wav"]))
    assert [(each.place, each.start, each.end) for each in found] == [
        *(("b-0.000-1.500.wav", 0.0, 1.5), ("b-12.500-14.000.wav", 12.5, 14.0)),
        ("b.wav", 0.0, None),
    ]
    assert said == []
    assert [each.speaker for each in found] == [None, "ann", None]
    assert take_parts(found, HearingOptions(channel=1))[0].channel == 1
    with pytest.raises(InputError, match=r"start or end is set, but b-0.000-1.500.wav"):
        take_parts(found, HearingOptions(start=1.0))
    inside = Utterance("x", Path("b.wav"), 1, "A", byte_range=(0, 3))
    write_manifest("inside.jsonl", [inside])
    with pytest.raises(InputError, match=r"inside.jsonl: x lies inside a larger file"):
        find_inputs(["inside.jsonl"])


def test_each_file_is_taken_once_whatever_it_is_called(folder):
    (folder / "link.wav").symlink_to("b.wav")
    (folder / "hard.wav").hardlink_to("b.wav")
    names = ["b.wav", "in", "link.wav", "./b.wav", "hard.wav", "gone.wav"]
    found, said = without_repeats(find_inputs(names))
    places = [each.place for each in found[:-1]]
    assert places == ["b.wav", "day1/a.wav", "day2/a.wav"]
    assert isinstance(found[-1].source, Failure)
    assert len(said) == 3
    assert f"{folder}/link.wav: is {folder}/b.wav again; transcribed once" in said


@pytest.mark.parametrize("total", [1, 2, 3, 7])
def test_shards_are_the_whole_and_share_nothing_whatever_the_order(total):
    inputs = [Input(f"{n}.wav", f"{n}.wav") for n in range(5)]
    shards = [Shard(n + 1, total).take(inputs) for n in range(total)]
    assert sorted(each.place for shard in shards for each in shard) == [
        f"{n}.wav" for n in range(5)
    ]
    for number, shard in enumerate(shards):
        assert {*Shard(number + 1, total).take(inputs[::-1])} == {*shard}
        assert shard == [each for each in inputs if each in shard]
        assert abs(len(shard) - 5 / total) < 1


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0", "", 3])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(InputError, match=r"expected null or NUMBER/TOTAL, e\.g\. 3/16"):
        TranscribeOptions(shard=text)


def test_standard_input_belongs_to_no_shard():
    assert Shard.parse("3/16") == Shard(3, 16)
    with pytest.raises(InputError, match="- is standard input, expected files"):
        Shard(1, 2).take([Input(b"RIFF", "stdin")])


def test_a_pipe_has_no_second_channel(tmp_path):
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    [found] = take_parts([Input(path, "pipe")], HearingOptions(channel="each"))
    assert isinstance(found.source, Failure)
    assert "pipe: a pipe, which brings its channels but once" in found.source.message
