"""Subtitles can be read, and come when the words do, whatever was said."""

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from speechgru.interfaces import Span
from speechgru.transcribe.cues import LINE, Cue, cut_into_cues
from speechgru.transcribe.phrases import PAUSE, Piece, phrases_of, width
from speechgru.transcribe.transcript import Transcript


def make(words: list[Span], tokens: list[Span] | None = None) -> Transcript:
    text = " ".join(word.text for word in words)
    end = words[-1].end + 2 if words else 1.0
    spans = tuple(words if tokens is None else tokens)
    return Transcript("a.wav", text, end, -1.0, 0.9, spans, tuple(words))


def draw(seed: int) -> Transcript:
    """Speech of a random tempo, with pauses, long words and words without spaces."""
    draws = random.Random(seed)
    longest = draws.choice([5, 12, 60])
    letters = draws.choice(["ABC", "你好吗", "Aé日"])
    tempo = draws.choice([0.02, 0.08, 0.3, 1.0])  # s a letter
    now, words = draws.choice([0.0, 3.0]), []
    for _ in range(draws.randint(1, 80)):
        text = "".join(draws.choices(letters, k=draws.randint(1, longest)))
        end = now + tempo * len(text) * draws.uniform(0.5, 1.0)
        words.append(Span(text, now, end, 0.9))
        now = end + draws.choice([0.0, 0.1, 0.1, 0.1, 0.5, 0.9, 3.0])
    return make(words)


@pytest.mark.parametrize("seed", range(200))
def test_the_rules_hold_for_whatever_is_said(seed):
    transcript = draw(seed)
    pieces = [piece for phrase in phrases_of(transcript, LINE) for piece in phrase]
    cues = cut_into_cues(transcript)
    said = "".join(transcript.text.split())
    assert "".join("".join(cue.text.split()) for cue in cues) == said
    assert cues[0].start >= 0
    for cue in cues:
        assert 1 <= len(cue.lines) <= 2
        assert all(0 < width(line) <= LINE for line in cue.lines)
        assert 0 < cue.end - cue.start <= 7000
    groups = list(grouped(pieces, cues))
    for cue, group in zip(cues, groups, strict=True):
        assert cue.start <= 1000 * group[0].start + 100.5
        for before, after in pairwise(group):
            assert after.start - before.end < PAUSE
    for (cue, group), (following, others) in pairwise(zip(cues, groups, strict=True)):
        assert cue.end <= following.start
        if cue.end - cue.start < 1000:
            # The next comes at once, and they fit neither into one nor into 7 s.
            assert following.start - cue.end <= 1
            is_paused = others[0].start - group[-1].end >= PAUSE
            is_long = others[-1].end - group[0].start > 7
            is_wide = width(f"{cue.text} {following.text}") > LINE
            assert is_paused or is_long or is_wide


def grouped(pieces: list[Piece], cues: list[Cue]) -> Iterator[list[Piece]]:
    """The pieces of each subtitle."""
    left = list(pieces)
    for cue in cues:
        group = [left.pop(0)]
        while "".join(piece.text for piece in group) != cue.text.replace(" ", ""):
            group.append(left.pop(0))
        yield group
    assert not left


def test_lines_are_as_equal_as_words_allow():
    words = [Span("ABCDE", 0.3 * n, 0.3 * n + 0.2, 0.9) for n in range(9)]
    [cue] = cut_into_cues(make(words))
    assert [len(line) for line in cue.lines] in ([29, 23], [23, 29])


def test_a_long_phrase_is_cut_into_equal_subtitles_without_a_rest():
    words = [Span("ABCDE", 0.3 * n, 0.3 * n + 0.2, 0.9) for n in range(29)]
    sizes = [len(cue.text.split()) for cue in cut_into_cues(make(words))]
    assert sum(sizes) == 29
    assert min(sizes) >= 9


def test_text_without_spaces_breaks_where_its_characters_were_said():
    tokens = [Span("字", 0.5 * n, 0.5 * n + 0.4, 0.9) for n in range(40)]
    word = Span("字" * 40, 0.0, 19.9, 0.9)
    cues = cut_into_cues(make([word], tokens))
    assert "".join(line for cue in cues for line in cue.lines) == word.text
    shown = 0
    for cue in cues:
        assert cue.start == 500 * shown
        assert all(len(line) <= LINE // 2 for line in cue.lines)
        shown += len(cue.text)


def test_a_pause_inside_text_without_spaces_begins_another_subtitle():
    times = (0.0, 0.5, 4.0, 4.5)
    tokens = [Span("字", time, time + 0.4, 0.9) for time in times]
    cues = cut_into_cues(make([Span("字字字字", 0.0, 4.9, 0.9)], tokens))
    assert [(cue.text, cue.start) for cue in cues] == [("字字", 0), ("字字", 4000)]


def test_punctuation_stays_with_what_it_follows():
    text = "字" * 21 + "。" + "字" * 3
    tokens = [Span(each, 0.2 * n, 0.2 * n + 0.1, 0.9) for n, each in enumerate(text)]
    [cue] = cut_into_cues(make([Span(text, 0.0, 4.9, 0.9)], tokens))
    assert not any(line.startswith("。") for line in cue.lines)


def test_a_word_longer_than_a_line_is_continued_on_the_next():
    [cue] = cut_into_cues(make([Span("B" * 60, 0.0, 3.0, 0.9)]))
    assert cue.lines == ("B" * 42, "B" * 18)


def test_a_short_word_that_nothing_follows_appears_earlier():
    words = [Span("A", 5.0, 5.1, 0.9)]
    short = Transcript("a.wav", "A", 5.2, -1.0, 0.9, tuple(words), tuple(words))
    [cue] = cut_into_cues(short)
    assert (cue.start, cue.end) == (4200, 5200)


def test_no_subtitle_crosses_the_segments_of_a_recording():
    words = [
        Span("A", 0.0, 0.4, 1.0),
        Span("B", 0.5, 0.9, 1.0),
        Span("C", 1.2, 1.6, 1.0),
    ]
    segments = (Span("A B", 0.0, 1.0, 1.0), Span("C", 1.1, 1.7, 1.0))
    whole = make(words)
    assert [cue.lines for cue in cut_into_cues(whole)] == [("A B C",)]
    cut = replace(whole, segments=segments)
    assert [cue.lines for cue in cut_into_cues(cut)] == [("A B",), ("C",)]
