import json

import pytest

from speechgru import read_manifest
from speechgru.interfaces import Span
from speechgru.transcribe.formats import jsonl, tsv
from speechgru.transcribe.transcript import Transcript

WORDS = (Span("GO", 0.5, 1.0, 0.98765), Span("ON", 3.0, 3.25, 1.0))


def make(source: str, words: tuple[Span, ...] = WORDS) -> Transcript:
    text = " ".join(word.text for word in words)
    confidence = 0.98765 if words else None
    return Transcript(source, text, 4.5, -1.0, confidence, words, words)


def test_a_line_of_tsv_is_a_subtitle_in_milliseconds():
    assert tsv.render(make("a.wav"), named=False) == (
        "start\tend\ttext\n500\t1500\tGO\n3000\t4000\tON\n"
    )
    assert tsv.render(make("a.wav", ()), named=False) == "start\tend\ttext\n"


def test_tsv_keeps_text_without_spaces_in_one_piece():
    word = Span("字" * 30, 0.0, 6.0, 0.9)
    [_, line] = tsv.render(make("a.wav", (word,)), named=False).splitlines()
    assert line.endswith("字" * 30)


def test_lines_of_jsonl_are_a_manifest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [jsonl.render(make(f"in/{name}.wav"), named=True) for name in "ab"]
    (tmp_path / "m.jsonl").write_text("".join(lines))
    first, second = read_manifest("m.jsonl")
    assert first.audio_path == tmp_path / "in/a.wav"
    assert (first.text, first.duration) == ("GO ON", 4.5)
    assert second.audio_path == tmp_path / "in/b.wav"
    assert json.loads(lines[0])["confidence"] == 0.988
    word = {"text": "GO", "start": 0.5, "end": 1.0, "confidence": 0.988}
    assert json.loads(lines[0])["words"][0] == word


@pytest.mark.parametrize("name", ["b\udcffd.wav", 'a "quoted",\\ name=1\n.wav'])
def test_any_file_name_stays_on_a_line_of_jsonl(name):
    line = jsonl.render(make(name, ()), named=False)
    line.encode("utf-8")
    assert line.count("\n") == 1
    record = json.loads(line)
    assert record["audio_filepath"].endswith(name.replace("\udcff", "?"))
    assert record["confidence"] is None
