"""Utterances out of recordings whose words are known."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from speechgru.cli.cut import main
from speechgru.data.manifest import read_manifest
from speechgru.interfaces import InputError, Span
from speechgru.options import CutOptions
from speechgru.transcribe.cutting import write_cut
from speechgru.transcribe.formats import jsonl
from speechgru.transcribe.transcript import Transcript


def word(text, start, end, confidence=0.9):
    return {"text": text, "start": start, "end": end, "confidence": confidence}


def put(path: Path, *words, duration=60.0, audio="a.wav", **keys) -> str:
    """Add a line of transcripts to a file."""
    text = " ".join(each["text"] for each in words)
    line = {"audio_filepath": audio, "duration": duration, "text": text, **keys}
    with path.open("a") as file:
        file.write(json.dumps({**line, "words": list(words)}) + "\n")
    return str(path)


def cut(folder: Path, *files: str, **options):
    output = folder / "cut.jsonl"
    lines = write_cut(files, CutOptions(output=output, **options))
    return read_manifest(output), lines


def test_words_are_kept_with_a_margin_and_silence_is_not(tmp_path):
    heard = put(tmp_path / "heard.jsonl", word("GO", 20.0, 20.5), word("ON", 21, 22))
    (utterance,), lines = cut(tmp_path, heard, margin=0.25)
    assert utterance.text == "GO ON"
    assert (utterance.offset, utterance.duration) == (19.75, 2.5)
    assert utterance.partial
    assert utterance.audio_path == tmp_path / "a.wav"
    assert utterance.id == "a#19.750"
    assert lines[1:3] == [
        "kept: 1 utterances, 2 s, of 1:00 min",
        "left out: 58 s in which no word was found",
    ]


def test_no_margin_reaches_behind_the_ends_of_a_recording(tmp_path):
    heard = put(tmp_path / "heard.jsonl", word("GO", 0.1, 0.9), duration=1.0)
    (utterance,), _ = cut(tmp_path, heard, margin=0.25)
    assert (utterance.offset, utterance.duration) == (0.0, 1.0)


def test_what_is_too_long_is_cut_at_its_longest_pause(tmp_path):
    words = [word("A", 0, 4), word("B", 4.4, 8), word("C", 9, 12), word("D", 12.3, 16)]
    heard = put(tmp_path / "heard.jsonl", *words, duration=16.0)
    found, _ = cut(tmp_path, heard, max_seconds=10, margin=0.25)
    assert [(each.text, each.offset, each.end) for each in map(Placed, found)] == [
        ("A B", 0.0, 8.25),
        ("C D", 8.75, 16.0),
    ]


class Placed:
    """An utterance, and where it ends."""

    def __init__(self, utterance):
        self.text, self.offset = utterance.text, utterance.offset
        self.end = round(utterance.offset + utterance.duration, 6)


def test_neighbours_share_a_short_pause_and_never_overlap(tmp_path):
    words = [word(str(number), number, number + 0.7) for number in range(200)]
    heard = put(tmp_path / "heard.jsonl", *words, duration=200.0)
    found, lines = cut(tmp_path, heard, max_seconds=15, margin=0.25)
    places = [Placed(each) for each in found]
    assert " ".join(each.text for each in places) == " ".join(map(str, range(200)))
    assert all(a.end == pytest.approx(b.offset, abs=2e-3) for a, b in pairwise(places))
    assert all(a.end <= b.offset for a, b in pairwise(places))
    assert max(each.duration for each in found) <= 15
    assert min(each.duration for each in found) >= 3  # none is a crumb
    assert not any("without a pause" in line for line in lines)


def test_a_long_pause_near_an_end_leaves_no_crumb(tmp_path):
    words = [word("A", 0, 1), word("B", 3, 9), word("C", 9.4, 16)]
    heard = put(tmp_path / "heard.jsonl", *words, duration=16.0)
    found, _ = cut(tmp_path, heard, max_seconds=10)
    assert [each.text for each in found] == ["A B", "C"]


def test_what_has_no_pause_is_left_out_and_counted(tmp_path):
    words = [word("A", 0, 9), word("B", 9.1, 18), word("C", 30, 31)]
    heard = put(tmp_path / "heard.jsonl", *words, duration=36.0)
    (utterance,), lines = cut(tmp_path, heard, max_seconds=15)
    assert utterance.text == "C"
    message = "left out: 1 utterances, 18 s, longer than 15 s without a pause of"
    assert f"{message} 0.3 s" in lines


def test_what_the_model_is_not_sure_of_is_left_out_and_counted(tmp_path):
    path = tmp_path / "heard.jsonl"
    put(path, word("A", 1, 36, 0.9), word("B", 36, 37, 0.5), audio="a.wav")
    heard = put(path, word("C", 1, 37, 0.8), audio="c.wav")
    (utterance,), lines = cut(
        tmp_path, heard, min_confidence=0.68, max_seconds=60, margin=0
    )
    assert utterance.text == "C"  # the other: the root of 0.9 times 0.5 is 0.67
    assert lines[1:] == [
        "kept: 1 utterances, 36 s, of 2:00 min",
        "left out: 48 s in which no word was found",
        "left out: 1 utterances, 36 s, of a confidence below 0.68",
        "by confidence: 1:12 min of at least 0.5, 1:12 min of at least 0.6, 36 s of at "
        "least 0.7, 36 s of at least 0.8, 0 s of at least 0.9, 0 s of at least 0.95",
    ]


def test_recordings_without_words_count_as_silence(tmp_path):
    path = tmp_path / "heard.jsonl"
    put(path, duration=3600.0, audio="silent.wav")
    (utterance,), lines = cut(tmp_path, put(path, word("A", 0, 60)), max_seconds=60)
    assert utterance.text == "A"
    assert "left out: 1:00 h in which no word was found" in lines


def test_parts_and_speakers_stay_what_they_were(tmp_path):
    heard = put(
        tmp_path / "heard.jsonl",
        word("A", 30.5, 31),
        offset=30.0,
        duration=2.0,
        speaker="ann",
        id="u1",
        byte_range=[512, 1000],
    )
    (utterance,), _ = cut(tmp_path, heard, margin=9)
    assert (utterance.offset, utterance.duration) == (30.0, 2.0)
    assert (utterance.id, utterance.speaker) == ("u1#30.000", "ann")
    assert utterance.byte_range == (512, 1000)


def test_a_word_may_begin_with_the_last_frame(tmp_path):
    heard = put(tmp_path / "heard.jsonl", word("A", 1.01, 1.05), duration=1.0)
    (utterance,), _ = cut(tmp_path, heard)
    assert (utterance.offset, utterance.duration) == (0.76, 0.24)


def test_what_holds_next_to_nothing_is_left_out_as_too_short(tmp_path):
    path = tmp_path / "heard.jsonl"
    put(path, word("A", 1.01, 1.05), duration=1.0)
    heard = put(path, word("B", 0, 1), duration=1.0, audio="b.wav")
    (utterance,), lines = cut(tmp_path, heard, margin=0)
    assert utterance.text == "B"
    assert "left out: 1 utterances, 0 s, shorter than 0.05 s" in lines
    assert not any("confidence below" in line for line in lines)


def test_what_transcribe_writes_is_read(tmp_path):
    words = (Span("GO", 0.5, 1.0, 0.9), Span("ON", 1.2, 1.6, 0.7))
    whole = Transcript(
        *(str(tmp_path / "a.wav"), "GO ON", 2.0, -1.0, 0.8, (), words), speaker="ann"
    )
    (tmp_path / "heard.jsonl").write_text(jsonl.render(whole, named=True))
    (utterance,), _ = cut(tmp_path, str(tmp_path / "heard.jsonl"))
    assert (utterance.text, utterance.speaker) == ("GO ON", "ann")
    one = whole.place(0.0, 1)
    (tmp_path / "one.jsonl").write_text(jsonl.render(one, named=True))
    with pytest.raises(InputError, match=r"one.jsonl:1: was heard in channel 1 alone"):
        cut(tmp_path, str(tmp_path / "one.jsonl"), overwrite=True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (None, "holds no list of words, expected what speechgru transcribe"),
        ([3], "3 is no word"),
        ([{"text": "A"}], "no start and no end and no confidence"),
        ([word("A", 2, 1)], "ends before it starts"),
        ([word("A", 1, 2, 1.5)], "its confidence is no probability"),
        ([word("A", 1, 2), word("B", 0, 1)], "not in order of time"),
        ([word("A", 99, 100)], "not within the recording"),
        ([word("A", -1, 2)], "not within the recording"),
        ([word("A", "1", 2)], 'start is "1", expected a number of seconds'),
    ],
)
def test_lines_that_make_no_sense_are_named(tmp_path, words, message):
    line = {"audio_filepath": "a.wav", "duration": 60.0, "text": "A", "words": words}
    (tmp_path / "bad.jsonl").write_text(f"\n{json.dumps(line)}\n")
    with pytest.raises(InputError, match=rf"bad.jsonl:2: .*{message}"):
        cut(tmp_path, str(tmp_path / "bad.jsonl"))
    assert not (tmp_path / "cut.jsonl").exists()


def test_the_same_recording_twice_is_refused(tmp_path):
    heard = put(tmp_path / "heard.jsonl", word("A", 1, 2))
    again = put(tmp_path / "again.jsonl", word("A", 1, 2))
    with pytest.raises(InputError, match=r"again.jsonl: a was there before"):
        cut(tmp_path, heard, again)


def test_nothing_left_says_what_there_was(tmp_path):
    heard = put(tmp_path / "heard.jsonl", word("A", 1, 2, 0.7))
    message = r"nothing is left to write: .* of a confidence below 0.8; .* 3 s of at "
    with pytest.raises(InputError, match=message):
        cut(tmp_path, heard, min_confidence=0.8, margin=1)
    assert not (tmp_path / "cut.jsonl").exists()


def test_nothing_is_written_over(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    heard = put(tmp_path / "heard.jsonl", word("A", 1, 2))
    assert main(["heard.jsonl"]) == 0
    assert "manifest: heard-cut.jsonl" in capsys.readouterr().out
    with pytest.raises(InputError, match="is there already, expected a new place"):
        main(["heard.jsonl"])
    assert main(["heard.jsonl", "overwrite=true", "margin=0"]) == 0
    before = Path(heard).read_text()
    with pytest.raises(InputError, match="is read here, expected a new place"):
        main(["heard.jsonl", "output=heard.jsonl", "overwrite=true"])
    assert Path(heard).read_text() == before


def test_a_file_that_is_not_there_is_named(tmp_path):
    heard = put(tmp_path / "heard.jsonl", word("A", 1, 2))
    cut(tmp_path, heard)
    with pytest.raises(InputError, match=r"no.jsonl: cannot be read"):
        cut(tmp_path, str(tmp_path / "no.jsonl"), overwrite=True)
    assert len(read_manifest(tmp_path / "cut.jsonl")) == 1
