import json
from dataclasses import replace
from pathlib import Path

import pytest

from speechgru.interfaces import InputError, Span
from speechgru.score.alignment import SCORINGS, AlignedPair
from speechgru.score.counts import ErrorCounts
from speechgru.score.results import (
    Result,
    make_result,
    read_results,
    write_results,
)

GOOD = {"id": "a", "reference": "GO ON", "hypothesis": "GO"}
WORD = {"text": "GO", "start": 0.1, "end": 0.5, "confidence": 0.9}


def write_lines(path: Path, *records: dict) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_an_utterance_is_aligned_and_counted_when_made():
    result = make_result("a", "A B CD", "CD", "nist")
    assert result.word_errors == ErrorCounts(deletions=2, hits=1)
    # "A B " is missing; the blanks count.
    assert result.character_errors == ErrorCounts(deletions=4, hits=2)
    assert result.sentence_errors == ErrorCounts(substitutions=1)
    assert result.scoring == "nist"


@pytest.mark.parametrize(
    ("reference", "hypothesis", "wrong"),
    [("A B", "A B", 0), ("", "", 0), ("", "A", 1), ("A B", "B A", 1)],
)
def test_a_sentence_is_right_or_wrong_as_a_whole(reference, hypothesis, wrong):
    result = make_result("a", reference, hypothesis, "levenshtein")
    assert result.sentence_errors == ErrorCounts(substitutions=wrong, hits=1 - wrong)


def test_characters_are_counted_alike_by_every_scoring():
    said, heard = "A B C D E", "D E F G H"
    by = {scoring: make_result("a", said, heard, scoring) for scoring in SCORINGS}
    assert by["nist"].word_errors.edits == 6
    assert by["levenshtein"].word_errors.edits == 5
    assert by["nist"].character_errors == by["levenshtein"].character_errors


@pytest.mark.parametrize("scoring", SCORINGS)
def test_what_is_written_is_read_again(tmp_path, scoring):
    results = [
        make_result(
            "b (1)/é",
            "GO ÉTÉ A B C D E",
            "ÉTÉ D E F G H",
            scoring,
            speaker="ann-1",
            duration=1 / 3,
            audio_path=tmp_path / "wav/b.wav",
            offset=0.0,
            confidence=0.1 + 0.2,
            words=(Span("ÉTÉ", 0.1, 0.25, 1.0), Span("D", 1 / 7, 0.3, 0.0)),
        ),
        make_result("a", "", "", scoring),
        make_result("c", "", "GO", scoring, confidence=0.0),
    ]
    write_results(tmp_path / "r.jsonl", results)
    assert read_results(tmp_path / "r.jsonl") == results


def test_the_alignment_is_read_not_made_anew(tmp_path):
    result = Result("a", "A", "A", "levenshtein", (("A", None), (None, "A")))
    result = replace(result, alignment=tuple(AlignedPair(*p) for p in result.alignment))
    write_results(tmp_path / "r.jsonl", [result])
    assert read_results(tmp_path / "r.jsonl")[0].word_errors == ErrorCounts(0, 1, 1, 0)


def test_a_line_is_legible_and_says_nothing_of_what_is_not_known(tmp_path):
    result = make_result("a", "GO ÉTÉ", "GO", "levenshtein", speaker="ann")
    write_results(tmp_path / "r.jsonl", [result])
    (line,) = (tmp_path / "r.jsonl").read_text(encoding="utf-8").splitlines()
    assert line.startswith('{"id": "a", "reference": "GO ÉTÉ", "hypothesis": "GO", ')
    assert json.loads(line) == {
        "id": "a",
        "reference": "GO ÉTÉ",
        "hypothesis": "GO",
        "scoring": "levenshtein",
        "alignment": [["GO", "GO"], ["ÉTÉ", None]],
        "word_errors": {
            "substitutions": 0,
            "deletions": 1,
            "insertions": 0,
            "hits": 1,
        },
        "character_errors": {
            "substitutions": 0,
            "deletions": 4,
            "insertions": 0,
            "hits": 2,
        },
        "speaker": "ann",
        "words": [],
    }


def test_audio_is_found_again_when_results_and_audio_move_together(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for name in ("old/run/near.wav", "old/wav/far.wav"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(name)
    paths = [old / "run/near.wav", old / "wav/far.wav"]
    write_results(
        old / "run/r.jsonl",
        [make_result(path.stem, "A", "A", "nist", audio_path=path) for path in paths],
    )
    old.rename(new)
    for result, path in zip(read_results(new / "run/r.jsonl"), paths, strict=True):
        assert result.audio_path.read_text() == str(path.relative_to(tmp_path))


def test_a_line_of_another_system_is_aligned_when_read(tmp_path):
    shifted = {"id": 7, "reference": "A B C D E", "hypothesis": "D E F G H"}
    path = write_lines(
        tmp_path / "r.jsonl", shifted, {**shifted, "id": "nist", "scoring": "nist"}
    )
    assert read_results(path) == [
        make_result("7", "A B C D E", "D E F G H", "levenshtein"),
        make_result("nist", "A B C D E", "D E F G H", "nist"),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alignment": [["GO", "GO"]]}, 'holds "GO", expected the reference "GO ON"'),
        (
            {"alignment": [["ON", None], ["GO", "GO"]]},
            'holds "ON GO", expected the reference "GO ON"',
        ),
        (
            {"alignment": [["GO", None], ["ON", None]]},
            'holds "", expected the hypothesis "GO"; remove the alignment',
        ),
        ({"alignment": []}, 'holds "", expected the reference "GO ON"'),
        ({"alignment": {"GO": "GO"}}, 'alignment is {"GO": "GO"}, expected a list'),
        ({"alignment": ["GO", "ON"]}, 'holds "GO", expected two words'),
        ({"alignment": [["GO"]]}, r'holds \["GO"\], expected two words, or a word and'),
        ({"alignment": [["GO", "GO", "GO"]]}, "expected two words, or a word and null"),
        ({"alignment": [["GO", 7]]}, r'holds \["GO", 7\], expected two words'),
        ({"alignment": [[None, None]]}, r"holds \[null, null\], expected two words"),
        ({"scoring": "best"}, "scoring is 'best', expected one of: levenshtein, nist"),
        (
            {"scoring": "best", "alignment": [["GO", "GO"], ["ON", None]]},
            "scoring is 'best', expected one of: levenshtein, nist",
        ),
        ({"words": "GO"}, 'words is "GO", expected a list'),
        ({"words": ["GO"]}, 'words holds "GO", expected text, start, end and confid'),
        ({"words": [{"text": "GO"}]}, "no start and no end and no confidence, expect"),
        ({"words": [{**WORD, "start": "0"}]}, 'start is "0", expected a number'),
        ({"words": [{**WORD, "text": None}]}, "text is null, expected a string"),
        ({"confidence": "high"}, 'confidence is "high", expected a probability'),
        ({"confidence": True}, "confidence is true, expected a probability"),
        ({"confidence": float("nan")}, "confidence is NaN, expected a probability"),
        ({"duration": [1]}, r"duration is \[1\], expected a number of seconds"),
        ({"offset": float("inf")}, "offset is Infinity, expected a number of seconds"),
        ({"reference": None}, "reference is null, expected a string"),
        ({"hypothesis": ["GO"]}, r'hypothesis is \["GO"\], expected a string'),
        ({"speaker": 1.5}, r"speaker is 1\.5, expected a string"),
        ({"audio_filepath": False}, "audio_filepath is false, expected a string"),
        ({"id": ""}, "id is empty, expected a name"),
        ({"id": "a"}, "id 'a' is also that of line 1, expected unique ids"),
    ],
)
def test_a_bad_line_is_named(tmp_path, change, message):
    path = write_lines(tmp_path / "r.jsonl", GOOD, {**GOOD, "id": "b", **change})
    with pytest.raises(InputError, match=rf"r\.jsonl:2: .*{message}"):
        read_results(path)


@pytest.mark.parametrize("key", GOOD)
def test_a_missing_key_is_named(tmp_path, key):
    line = {name: value for name, value in GOOD.items() if name != key}
    with pytest.raises(
        InputError,
        match=rf"r\.jsonl:1: no {key}, expected id, reference and hypothesis; add what",
    ):
        read_results(write_lines(tmp_path / "r.jsonl", line))


def test_a_confidence_is_not_asked_for_in_seconds(tmp_path):
    path = write_lines(tmp_path / "r.jsonl", {**GOOD, "confidence": "high"})
    with pytest.raises(InputError, match="confidence is") as caught:
        read_results(path)
    assert "seconds" not in str(caught.value)


def test_a_file_that_is_missing_or_empty_is_named(tmp_path):
    with pytest.raises(
        InputError, match=r"r\.jsonl: cannot be read .* a file of results"
    ):
        read_results(tmp_path / "r.jsonl")
    (tmp_path / "r.jsonl").touch()
    with pytest.raises(InputError, match=r"r\.jsonl: holds no utterances"):
        read_results(tmp_path / "r.jsonl")


def test_an_unknown_scoring_is_refused():
    with pytest.raises(
        InputError, match=r"^scoring is 'best', expected one of: levenshtein, nist$"
    ):
        make_result("a", "A", "A", "best")


def test_an_empty_text_has_no_confidence_whatever_an_older_file_says(tmp_path):
    path = tmp_path / "old.jsonl"
    lines = [
        {"id": "a", "reference": "GO", "hypothesis": "", "confidence": 0.61},
        {"id": "b", "reference": "GO", "hypothesis": "GO", "confidence": 0.61},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert [result.confidence for result in read_results(path)] == [None, 0.61]
