"""What every format must keep, and where its name is told."""

import re

import pytest

from speechgru.interfaces import InputError, Span
from speechgru.options.choices import CONF_DIR
from speechgru.transcribe import formats
from speechgru.transcribe.format_table import (
    check_ending,
    check_several,
    find_format,
    format_names,
)
from speechgru.transcribe.transcript import Transcript

SPANS = (Span("GO", 0.0, 0.5, 0.9),)
TRANSCRIPT = Transcript("a.wav", "GO", 1.0, -1.0, 0.9, SPANS, SPANS)


@pytest.mark.parametrize("name", format_names())
def test_every_format_writes_whole_lines_and_says_what_it_holds(name):
    found = find_format(name)
    assert re.fullmatch(r"\.\w+", found.ENDING)
    assert found.HOLDS_SEVERAL in (True, False)
    text = found.render(TRANSCRIPT, named=False)
    assert "GO" in text
    assert text.endswith("\n")


@pytest.mark.parametrize("command", ["transcribe", "align"])
def test_the_configuration_lists_every_format(command):
    [line] = re.findall(
        r"^format:.*# (.*)$", (CONF_DIR / f"{command}.yaml").read_text(), re.MULTILINE
    )
    assert line.split(" | ") == format_names()


def test_an_unknown_format_is_refused_with_the_nearest():
    with pytest.raises(
        InputError, match=r"format is 'vt', expected one of: ctm, json, .*vtt.*mean vtt"
    ):
        find_format("vt")


def test_a_format_of_one_recording_names_those_of_several():
    check_several("srt", 1, "do")
    check_several("json", 2, "do")
    with pytest.raises(
        InputError,
        match=r"format=srt holds one recording, but there are 2; do, or take a format "
        r"that holds several: ctm, json, jsonl, txt$",
    ):
        check_several("srt", 2, "do")


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("txt", "talk.srt"),
        ("txt", "talk.JSON"),
        ("textgrid", "talk.ctm"),
        ("srt", "a.TextGrid"),
    ],
)
def test_a_file_called_as_of_another_format_is_refused(name, output):
    with pytest.raises(InputError, match=r"format is .*, expected a name that ends in"):
        check_ending(find_format(name), output)


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("srt", "talk.srt"),
        ("srt", "talk.txt"),
        ("json", "texts.jsonl"),
        ("jsonl", "texts.json"),
        ("txt", "texts.tsv"),
        ("txt", "texts.of.mine"),
    ],
)
def test_a_file_may_be_called_as_what_it_holds_or_otherwise(name, output):
    check_ending(find_format(name), output)


def test_a_new_module_is_a_new_format(tmp_path, monkeypatch):
    (tmp_path / "shout.py").write_text(
        "ENDING = '.shout'\nHOLDS_SEVERAL = True\n"
        "def render(transcript, named):\n    return transcript.text + '!\\n'\n"
    )
    monkeypatch.setattr(
        "speechgru.transcribe.formats.__path__",
        [*formats.__path__, str(tmp_path)],
    )
    assert "shout" in format_names()
    assert find_format("shout").render(TRANSCRIPT, named=False) == "GO!\n"
