import json
import math

import pytest

from speechgru.interfaces import Span
from speechgru.transcribe.formats import to_json, to_text
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
    assert to_text(transcript, with_name=False) == "ÉT"
    assert to_text(transcript, with_name=True) == "dir/é t.wav\tÉT"


def test_json_is_one_line_with_rounded_numbers_and_readable_letters(transcript):
    line = to_json(transcript)
    assert "\n" not in line
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


def test_silence_has_no_confidence():
    silence = Transcript("-", "", 1.0, -math.inf, None, (), ())
    assert json.loads(to_json(silence)) == {
        "source": "-",
        "text": "",
        "duration": 1.0,
        "confidence": None,
        "words": [],
        "tokens": [],
    }
    assert to_text(silence, with_name=True) == "-\t"


@pytest.mark.parametrize("name", ["b\udcffd.wav", 'a "quoted",\\ name=1\n.wav'])
def test_any_file_name_can_be_printed(transcript, name):
    named = replace_source(transcript, name)
    to_text(named, with_name=True).encode("utf-8")
    line = to_json(named)
    line.encode("utf-8")
    assert "\n" not in line
    assert json.loads(line)["source"] == name.replace("\udcff", "?")
