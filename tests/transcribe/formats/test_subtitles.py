import re
from itertools import pairwise

import pytest

from speechgru.interfaces import Span
from speechgru.transcribe.cues import LINE, LONGEST, Cue, cut_into_cues
from speechgru.transcribe.formats import srt, vtt
from speechgru.transcribe.transcript import Transcript


def make(*words: tuple[str, float, float], duration: float = 10000.0) -> Transcript:
    spans = tuple(Span(text, start, end, 0.9) for text, start, end in words)
    text = " ".join(span.text for span in spans)
    return Transcript("a.wav", text, duration, -1.0, 0.9, spans, spans)


def steady(count: int, seconds: float) -> Transcript:
    """Words of five letters, one after the other."""
    return make(*((f"W{n:04}", n * seconds, (n + 0.9) * seconds) for n in range(count)))


def test_a_subtitle_of_srt_has_number_times_with_hours_and_text():
    transcript = make(("GO", 3723.004, 3724.5), ("ON", 3726.0, 3727.0))
    assert srt.render(transcript, named=False) == (
        "1\n01:02:03,004 --> 01:02:04,500\nGO\n\n2\n01:02:06,000 --> 01:02:07,000\nON\n"
    )


def test_webvtt_has_a_header_and_escapes_what_would_be_markup():
    transcript = make(("R&B", 1.0, 2.0), ("<i>", 2.0, 2.5), ("-->", 2.5, 3.0))
    assert vtt.render(transcript, named=False) == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:03.000\nR&amp;B &lt;i&gt; --&gt;\n"
    )


def test_a_recording_without_words_has_no_subtitle():
    assert vtt.render(make(), named=False) == "WEBVTT\n"
    assert srt.render(make(), named=False) == ""


@pytest.mark.parametrize("seconds", [0.01, 0.2, 0.5, 1.3, 3.4])
def test_subtitles_hold_all_words_within_lines_and_time_and_never_overlap(seconds):
    transcript = steady(100, seconds)
    cues = cut_into_cues(transcript)
    said = " ".join(line for cue in cues for line in cue.lines)
    assert said == transcript.text
    for cue in cues:
        assert len(cue.lines) <= 2
        assert max(map(len, cue.lines)) <= LINE
        assert 0 < cue.end - cue.start <= 1000 * LONGEST
    for cue, following in pairwise(cues):
        assert cue.end <= following.start
    assert len(cues) < 100 or seconds > 3


def test_a_pause_begins_another_subtitle_and_a_breath_does_not():
    words = (("A", 0.0, 1.0), ("B", 1.79, 2.0), ("C", 2.81, 4.0))
    assert [cue.lines for cue in cut_into_cues(make(*words))] == [("A B",), ("C",)]


def test_a_short_word_is_shown_long_enough_where_there_is_room():
    long = ("B" * 40, 5.0, 5.05), ("D" * 40, 5.05, 5.1), ("C" * 80, 5.2, 5.3)
    first, second, last = cut_into_cues(make(("A", 0.0, 0.1), *long, duration=5.5))
    assert (first.start, first.end) == (0, 1000)
    assert (second.start, second.end) == (4300, 5300)  # 0.1 s into the next
    assert (last.start, last.end) == (5300, 5500)  # the recording ends
    assert last.lines == ("C" * 42, "C" * 38)


def test_a_word_without_duration_is_still_shown():
    assert cut_into_cues(make(("A", 1.0, 1.0), duration=1.0)) == [
        Cue(0, 1000, ("A",), "A")
    ]


def test_lines_of_srt_are_as_its_players_expect():
    blocks = srt.render(steady(60, 0.4), named=False).split("\n\n")
    for number, block in enumerate(blocks, 1):
        head, times, *lines = block.strip().split("\n")
        assert head == str(number)
        assert re.fullmatch(r"(\d\d:){2}\d\d,\d{3} --> (\d\d:){2}\d\d,\d{3}", times)
        assert 1 <= len(lines) <= 2
