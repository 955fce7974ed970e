import random

import pytest
from conftest import SMALL_MODEL

from speechgru.checkpoint.build import build
from speechgru.checkpoint.fine_tune import extend_tokenizer, initialise_from
from speechgru.checkpoint.load import LoadedCheckpoint
from speechgru.checkpoint.models import build_model
from speechgru.decode.spans import group_words
from speechgru.factory import build_tokenizer
from speechgru.interfaces import InputError, Span, Tokenizer
from speechgru.options.component import Component
from speechgru.text.tokenizer import CharacterTokenizer
from speechgru.text.word_tokenizer import WordTokenizer

LETTERS = " ABCDE"


@pytest.fixture
def tokenizer() -> WordTokenizer:
    return WordTokenizer(LETTERS, ["BE", "A", "ABE"])


def test_words_follow_the_blank_and_characters_the_words(tokenizer):
    assert tokenizer.tokens == ("<blank>", " BE", " A", " ABE", *LETTERS)
    assert isinstance(tokenizer, Tokenizer)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("be a abe", [" BE", " A", " ABE"]),
        ("ABE, be!", [" ABE", " BE"]),
        ("bed", ["B", "E", "D"]),
        ("bed be", ["B", "E", "D", " BE"]),
        ("be bed", [" BE", " ", "B", "E", "D"]),
        ("b  bead", ["B", " ", "B", "E", "A", "D"]),
        (" ", []),
    ],
)
def test_frequent_words_are_one_token_and_others_are_spelled(tokenizer, text, tokens):
    ids = tokenizer.encode(text)
    assert [tokenizer.tokens[id] for id in ids] == tokens
    assert tokenizer.decode(ids) == tokenizer.normalize(text)


def test_any_text_survives_the_way_there_and_back(tokenizer):
    generator = random.Random(5)
    words = ["BE", "A", "ABE", "BED", "E", "AA", "ABEA", "ABEBE"]
    for _ in range(500):
        text = " ".join(generator.choices(words, k=generator.randrange(8)))
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_what_no_encoder_writes_is_still_text(tokenizer):
    ids = [tokenizer.tokens.index(token) for token in ("B", " ", " A", "B", " ", " ")]
    assert tokenizer.decode(ids) == "B  AB  "


def test_words_are_taken_from_texts_by_their_number():
    texts = ["be a", "Be, a", "bed", "a"]
    tokenizer = WordTokenizer.from_texts(texts, min_count=2)
    assert tokenizer.words == ("A", "BE")
    assert tokenizer.alphabet == " ABDE"
    assert WordTokenizer.from_texts(texts, min_count=3).words == ("A",)
    assert WordTokenizer.from_texts(texts, min_count=9).words == ()
    assert WordTokenizer.from_texts(texts[::-1], min_count=2).tokens == tokenizer.tokens


def test_words_outside_a_given_alphabet_are_no_tokens():
    tokenizer = WordTokenizer.from_texts(
        ["BED BE", "BED BE"], alphabet=" BE", min_count=2
    )
    assert tokenizer.words == ("BE",)
    with pytest.raises(InputError, match="'D'"):
        tokenizer.encode("BED")


def test_a_configuration_builds_the_same_again(tokenizer):
    again = build(tokenizer.config(), "tokenizer")
    assert isinstance(again, WordTokenizer)
    assert again.tokens == tokenizer.tokens
    assert again.config() == tokenizer.config()


def test_the_configured_tokenizer_leaves_bad_texts_to_the_doctor():
    config = {
        "_target_": "speechgru.text.word_tokenizer.WordTokenizer",
        "alphabet": None,
        "min_count": 2,
        "case": "upper",
        "punctuation": "space",
        "digits": "error",
    }
    tokenizer = build_tokenizer(
        Component.read(config, "text"), ["a be", "", "a 7", "be"], ()
    )
    assert tokenizer.words == ("BE",)
    with pytest.raises(InputError, match="min_count is 0"):
        build_tokenizer(Component.read(config, "text").replace(min_count=0), ["a"], ())


def test_new_characters_leave_the_tokens_before_them_as_they_are(tokenizer):
    extended = extend_tokenizer(tokenizer, ["bee zoo"])
    assert extended.tokens == (*tokenizer.tokens, "O", "Z")
    small = build_model(SMALL_MODEL, len(tokenizer.tokens))
    large = build_model(SMALL_MODEL, len(extended.tokens))
    start = LoadedCheckpoint(small, tokenizer, SMALL_MODEL, {})
    initialise_from(large, extended, start)
    known = len(tokenizer.tokens)
    assert large.head.weight[:known].equal(small.head.weight)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["BE", "BE"], "holds 'BE', expected each word once"),
        ([""], "holds '', expected"),
        (["BE A"], "holds 'BE A', expected"),
        (["BEX"], "word 'BEX' of text.words holds 'X'"),
        (["be"], "holds 'b'"),
    ],
)
def test_words_must_be_spelled_in_the_alphabet(words, message):
    with pytest.raises(InputError, match=message):
        WordTokenizer(LETTERS, words)


def test_a_token_with_a_space_begins_a_word():
    tokens = [
        Span(text, float(index), index + 1.0, confidence)
        for index, (text, confidence) in enumerate(
            [("B", 0.5), (" A", 0.25), (" BE", 1.0), ("D", 0.25), (" ", 0.1), ("E", 1)]
        )
    ]
    assert group_words(tokens) == (
        Span("B", 0.0, 1.0, 0.5),
        Span("A", 1.0, 2.0, 0.25),
        Span("BED", 2.0, 4.0, 0.5),
        Span("E", 5.0, 6.0, 1.0),
    )


def test_one_bad_text_of_many_costs_few_attempts(monkeypatch):
    attempts = []
    make = CharacterTokenizer.from_texts.__func__

    def count(cls, texts, **options):
        attempts.append(1)
        return make(cls, texts, **options)

    monkeypatch.setattr(CharacterTokenizer, "from_texts", classmethod(count))
    config = {
        "_target_": "speechgru.text.tokenizer.CharacterTokenizer",
        "digits": "error",
    }
    texts = ["a be"] * 700 + ["a 7 x"] + ["c"] * 300
    tokenizer = build_tokenizer(Component.read(config, "text"), texts)
    assert {*tokenizer.tokens[1:]} == {*" ABCE"}
    assert len(attempts) < 25
