import random

import pytest

from speechgru.text.byte_tokens import BROKEN, BYTE_TOKENS, join_tokens
from speechgru.text.spelling import CharacterSpelling


def as_bytes(text):
    return [BYTE_TOKENS[byte] for byte in text.encode()]


@pytest.mark.parametrize("text", ["é", "世", "🎤", "naïve", "\u200d", "A", "<"])
def test_bytes_of_a_character_are_the_character(text):
    assert join_tokens([" X", *as_bytes(text), "Y"]) == f" X{text}Y"


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["<0xC3>"], BROKEN),
        (["<0xA9>", "A"], f"{BROKEN}A"),
        (["<0xC3>", "A", "<0xA9>"], f"{BROKEN}A{BROKEN}"),
        (["<0xE4>", "<0xB8>"], BROKEN),
        (["<0xED>", "<0xA0>", "<0x80>"], BROKEN * 3),  # a surrogate
        (["<0x20>"], BROKEN),  # a space would end a word that its tokens do not end
        (["<0xE3>", "<0x80>", "<0x80>"], BROKEN),  # the ideographic one
        ([], ""),
    ],
)
def test_bytes_that_are_no_character_are_shown_as_broken(tokens, text):
    assert join_tokens(tokens) == text


def test_whatever_bytes_come_there_is_text_without_white_space():
    draws = random.Random(1)
    for _ in range(300):
        tokens = draws.choices(BYTE_TOKENS, k=12)
        assert len(join_tokens(tokens).split()) == 1


def test_a_text_is_spelled_in_characters_and_the_others_in_bytes():
    spelling = CharacterSpelling(["<blank>", *BYTE_TOKENS, " A", "B"])
    assert spelling("A B") == "A B"
    c, e = spelling("C"), spelling("é")
    assert (len(c), len(e)) == (1, 2)
    assert "".join(spelling.units[1 + byte] for byte in "é".encode()) == e
    assert set(c + e) <= spelling.known
    assert spelling.units[-2:] == (" A", "B")


def test_without_byte_tokens_a_text_stays_as_it_is():
    spelling = CharacterSpelling(["<blank>", " A", "B"])
    assert spelling("Aé") == "Aé"
    assert spelling.known == frozenset(" AB")
