import json
import math
from dataclasses import replace

import pytest

from speechgru.interfaces import Span
from speechgru.transcribe.formats.json import render as render_json
from speechgru.transcribe.formats.txt import render as render_text
from speechgru.transcribe.transcriber import Transcript


@pytest.fixture
def transcript() -> Transcript:
    tokens = (Span("É", 0.04, 0.08123456, 0.98765), Span("T", 0.12, 1 / 3, 1.0))
    words = (Span("ÉT", 0.04, 1 / 3, 0.99123),)
    return Transcript("dir/é t.wav", "ÉT", 2.00049, -1.5, 0.99123, tokens, words)


def replace_source(transcript: Transcript, source: str) -> Transcript:
    return Transcript(
        source,
        transcript.text,
        transcript.duration,
        transcript.score,
        transcript.confidence,
        transcript.tokens,
        transcript.words,
    )


def test_text_is_the_transcript_alone_or_after_the_name(transcript):
    assert render_text(transcript, named=False) == "ÉT\n"
    assert render_text(transcript, named=True) == "dir/é t.wav\tÉT\n"


def test_json_is_one_line_with_rounded_numbers_and_readable_letters(transcript):
    line = render_json(transcript, named=False)
    assert line.count("\n") == 1
    assert "ÉT" in line
    word = {"text": "ÉT", "start": 0.04, "end": 0.333, "confidence": 0.991}
    assert json.loads(line) == {
        "source": "dir/é t.wav",
        "text": "ÉT",
        "duration": 2.0,
        "confidence": 0.991,
        "words": [word],
        "tokens": [
            {"text": "É", "start": 0.04, "end": 0.081, "confidence": 0.988},
            {"text": "T", "start": 0.12, "end": 0.333, "confidence": 1.0},
        ],
    }


def test_json_names_the_speaker_where_it_is_known(transcript):
    assert "speaker" not in json.loads(render_json(transcript, named=True))
    known = replace(transcript, speaker="ann")
    assert json.loads(render_json(known, named=True))["speaker"] == "ann"


def test_silence_has_no_confidence():
    silence = Transcript("-", "", 1.0, -math.inf, None, (), ())
    assert json.loads(render_json(silence, named=False)) == {
        "source": "-",
        "text": "",
        "duration": 1.0,
        "confidence": None,
        "words": [],
        "tokens": [],
    }
    assert render_text(silence, named=True) == "-\t\n"


@pytest.mark.parametrize("name", ["b\udcffd.wav", 'a "quoted",\\ name=1\n.wav'])
def test_any_file_name_can_be_printed(transcript, name):
    named = replace_source(transcript, name)
    render_text(named, named=True).encode("utf-8")
    line = render_json(named, named=False)
    line.encode("utf-8")
    assert line.count("\n") == 1
    assert json.loads(line)["source"] == name.replace("\udcff", "?")
