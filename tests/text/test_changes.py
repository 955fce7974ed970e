"""What normalisation does to transcripts is told before training."""

import pytest

from speechgru.text.changes import NUM_SHOWN, Changes
from speechgru.text.normalize import TextNormalizer


def notes_of(*texts, **options):
    changes = Changes(TextNormalizer(**options))
    for index, text in enumerate(texts):
        changes.add(f"u{index}", text)
    return changes.notes()


@pytest.mark.parametrize(
    ("text", "kind", "example"),
    [
        ("<unk> yes", "brackets", "'<unk>' -> 'UNK' (1, first in u0)"),
        ("[door slams] yes", "brackets", "'[door slams]' -> 'DOOR SLAMS'"),
        ("it cost $5.50", "symbols", "'$5.50' -> '5 50'"),
        ("50% more", "symbols", "'50%' -> '50'"),
        ("C++", "symbols", "'C++' -> 'C'"),
        ("at AT&T", "symbols", "'AT&T' -> 'AT T'"),
        ("at 10:30", "numbers", "'10:30' -> '10 30'"),
        ("٣ cats", "digits", "'٣' -> '٣'"),
        ("Аnna", "letters of two scripts", "'Аnna' -> 'АNNA'"),
        ("well-known", "become several", "'well-known' -> 'WELL KNOWN'"),
        ("zero\u200bwidth", "become several", "'zero\\u200bwidth' -> 'ZERO WIDTH'"),
        ("ışık", "i and ı, which become one", "'ışık' -> 'IŞIK'"),
    ],
)
def test_a_text_that_is_changed_is_told_with_an_example(text, kind, example):
    note = notes_of(text)[0]
    assert note.startswith("transcripts have ")
    assert kind in note
    assert example in note


def test_characters_that_are_left_out_are_counted():
    [note] = notes_of("yes, no.", "so\u00adft, yes?")
    assert "',' 2, '.' 1, '\\xad' (U+00AD SOFT HYPHEN) 1, '?' 1" in note


def test_nothing_is_told_of_what_only_changes_case_or_its_apostrophe():
    assert notes_of("don't", "don\u2019t", "Ärger", "Straße", "plain words") == []
    assert notes_of("ışık İzmir", language="tr") == []
    assert notes_of("ışık", case="lower") == []


def test_what_is_refused_by_the_normaliser_is_left_to_the_doctor():
    assert notes_of("yes, no", punctuation="error") == []


def test_a_corpus_full_of_numbers_makes_one_short_note():
    [note] = notes_of(*(f"number{index}" for index in range(1000)))
    assert note.count("->") == NUM_SHOWN
    assert "(1000 in all)" in note
    assert f"and {1000 - NUM_SHOWN} others" in note
