import pytest

from speechgru.decode.pauses import break_at_pauses
from speechgru.decode.spans import group_words
from speechgru.interfaces import Hypothesis, Span
from speechgru.text.tokenizer import CharacterTokenizer

TOKENIZER = CharacterTokenizer(" ABC")


def hypothesis(*tokens: tuple[str, float]) -> Hypothesis:
    """Tokens of 0.1 s, each with its start."""
    spans = [Span(text, start, start + 0.1, 0.9) for text, start in tokens]
    text = " ".join("".join(text for text, _ in tokens).split())
    return Hypothesis(text, -1.0, tuple(spans), group_words(spans))


def test_a_pause_ends_a_word():
    heard = hypothesis(("A", 0.0), ("B", 0.1), ("C", 0.6))
    broken = break_at_pauses(heard, TOKENIZER)
    assert broken.text == "AB C"
    assert [(word.text, word.start) for word in broken.words] == [("AB", 0), ("C", 0.6)]
    assert (broken.tokens, broken.score) == (heard.tokens, heard.score)


@pytest.mark.parametrize("end", [0.35, 0.39])
def test_less_than_a_pause_ends_none(end):
    heard = hypothesis(("A", 0.0), ("B", end))
    assert break_at_pauses(heard, TOKENIZER) is heard


def test_a_pause_beside_a_space_is_no_second_one():
    heard = hypothesis(("A", 0.0), (" ", 0.6), ("B", 0.7), (" ", 0.8), ("C", 1.5))
    assert break_at_pauses(heard, TOKENIZER) is heard


def test_nothing_heard_stays_nothing():
    heard = hypothesis()
    assert break_at_pauses(heard, TOKENIZER) is heard


def test_a_script_without_spaces_is_not_broken():
    heard = hypothesis(("A", 0.0), ("B", 5.0))
    assert break_at_pauses(heard, CharacterTokenizer("ABC")) is heard


def test_bytes_of_a_character_stay_together():
    heard = hypothesis(("A", 0.0), ("<0xC3>", 0.1), ("<0xA9>", 1.0))
    assert break_at_pauses(heard, TOKENIZER) is heard


def test_a_token_of_several_characters_has_more_time():
    heard = hypothesis((" ABC", 0.0), ("ABC", 0.9))
    assert break_at_pauses(heard, TOKENIZER) is heard
    heard = hypothesis((" ABC", 0.0), ("ABC", 1.1))
    assert break_at_pauses(heard, TOKENIZER).text == "ABC ABC"
