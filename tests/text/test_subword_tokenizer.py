import json
import pickle
import random

import pytest

from speechgru.checkpoint.build import build
from speechgru.checkpoint.fine_tune import extend_tokenizer
from speechgru.factory import build_tokenizer
from speechgru.interfaces import (
    ExtensibleTokenizer,
    InputError,
    SamplingTokenizer,
    Tokenizer,
)
from speechgru.options.choices import choose
from speechgru.text.byte_tokens import BYTE_TOKENS
from speechgru.text.normalize import TextNormalizer
from speechgru.text.subword_tokenizer import SubwordTokenizer

TEXTS = [
    "the speech recogniser learns to spell what it has heard",
    "and the words that it has never heard are spelled by their pieces",
    "as well as those that are frequent; it's the speller's learning",
    "Spelling, speller, spelled: learner learning learned hearing hears",
]
KINDS = pytest.mark.parametrize("kind", ["unigram", "bpe"])


def small(**options):
    """Pieces A, B, AB and the beginnings of words; unigram prefers the longest."""
    pieces = [" ", "A", "B", "AB", " A", " AB", " BA"]
    return SubwordTokenizer(pieces, [-4.0, -3, -3, -3.5, -3, -4, -4], **options)


@KINDS
def test_pieces_follow_the_blank_and_texts_survive(kind):
    tokenizer = SubwordTokenizer.from_texts(TEXTS, 40, kind)
    assert isinstance(tokenizer, Tokenizer)
    assert isinstance(tokenizer, SamplingTokenizer)
    assert isinstance(tokenizer, ExtensibleTokenizer)
    assert len(tokenizer.tokens) == 40
    assert tokenizer.tokens[0] == "<blank>"
    assert max(map(len, tokenizer.tokens[1:])) > 3
    for text in [*TEXTS, "", "a new sentence of those letters", "¡LEARN!"]:
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == tokenizer.normalize(text)
        assert 0 not in ids


def test_a_word_begins_with_a_piece_that_begins_with_a_space():
    tokenizer = small()
    assert [tokenizer.tokens[id] for id in tokenizer.encode("ab b aab")] == [
        *(" AB", " ", "B", " A", "AB")
    ]
    assert tokenizer.encode(" ") == []


def test_what_no_encoder_writes_is_still_text():
    tokenizer = small()
    ids = [tokenizer.tokens.index(token) for token in ("B", " ", " A", "B", " ", " ")]
    assert tokenizer.decode(ids) == "B  AB  "
    for wrong in (0, len(tokenizer.tokens), -1):
        with pytest.raises(ValueError, match=f"token id {wrong} is no text"):
            tokenizer.decode([wrong])


@KINDS
def test_texts_give_the_same_pieces_in_any_order(kind):
    first = SubwordTokenizer.from_texts(TEXTS, 40, kind)
    again = SubwordTokenizer.from_texts(TEXTS[::-1], 40, kind)
    assert again.config() == first.config()


@KINDS
def test_a_configuration_is_plain_and_builds_the_same_again(kind):
    tokenizer = SubwordTokenizer.from_texts(TEXTS, 296, kind, 1.0, True, 0.5)
    config = json.loads(json.dumps(tokenizer.config()))
    again = build(config, "tokenizer")
    assert isinstance(again, SubwordTokenizer)
    assert again.tokens == tokenizer.tokens
    assert again.config() == tokenizer.config()
    assert again.encode("LEARNING é") == tokenizer.encode("LEARNING é")
    assert pickle.loads(pickle.dumps(again)).encode("HEARD") == again.encode("HEARD")


def test_the_text_that_is_scored_is_that_of_characters():
    text = "It’s -- “the SPELLER’s” 1st learning…"
    tokenizer = SubwordTokenizer.from_texts([*TEXTS, "1"], 40)
    assert tokenizer.normalize(text) == TextNormalizer()(text)
    assert tokenizer.decode(tokenizer.encode(text)) == TextNormalizer()(text)


@pytest.mark.parametrize(
    ("language", "case", "text", "expected"),
    [
        ("tr", "upper", "ılık iyi", "ILIK İYİ"),
        ("tr", "lower", "ILIK İYİ", "ılık iyi"),
        (None, "lower", "İYİ", "iyi"),
        ("lt", "lower", "i̇̀š", "ìš"),
        (None, "lower", "ΣΟΦΟΣ", "σοφος"[:-1] + "ς"),
        (None, "upper", "straße", "STRASSE"),
    ],
)
@KINDS
def test_cases_of_languages_are_those_of_characters(
    kind, language, case, text, expected
):
    texts = [text] * 4
    # Learn as many pieces as there are characters, the blank and the space.
    size = 2 + len(set(expected) - {" "})
    tokenizer = SubwordTokenizer.from_texts(
        texts, size, kind, case=case, language=language
    )
    assert tokenizer.decode(tokenizer.encode(text)) == expected
    assert tokenizer.normalize(text) == expected


def test_characters_without_a_piece_are_refused_or_become_bytes():
    with pytest.raises(
        InputError, match=r"'É' is not among .* text\.byte_fallback=true"
    ):
        small().encode("abé")
    tokenizer = small(byte_fallback=True)
    assert tokenizer.tokens[:3] == ("<blank>", *BYTE_TOKENS[:2])
    ids = tokenizer.encode("abé é")
    assert [tokenizer.tokens[id] for id in ids] == [
        *(" AB", "<0xC3>", "<0x89>", " ", "<0xC3>", "<0x89>")
    ]
    assert tokenizer.decode(ids) == "ABÉ É"
    assert tokenizer.decode(ids[:2]) == "AB\N{REPLACEMENT CHARACTER}"


def test_rare_characters_are_not_covered():
    texts = ["abab baba"] * 99 + ["x"]
    covering = SubwordTokenizer.from_texts(texts, 5)
    assert "X" in covering.tokens
    tokenizer = SubwordTokenizer.from_texts(texts, 4, character_coverage=0.98)
    assert "X" not in tokenizer.tokens
    with pytest.raises(InputError, match="'X' is not among the 4 tokens"):
        tokenizer.encode("x")


@KINDS
def test_other_cuts_are_drawn_by_their_key_and_spell_the_same(kind):
    tokenizer = SubwordTokenizer.from_texts(TEXTS, 40, kind, sampling=0.3)
    text = tokenizer.normalize(TEXTS[0])
    drawn = [tokenizer.sample(text, seed) for seed in range(20)]
    assert drawn == [tokenizer.sample(text, seed) for seed in range(20)]
    assert len(set(map(tuple, drawn))) > 10
    assert {tokenizer.decode(ids) for ids in drawn} == {text}
    assert tokenizer.encode(text) == tokenizer.encode(text)
    still = SubwordTokenizer(tokenizer.pieces, tokenizer.scores, kind)
    assert still.sample(text, 3) == still.encode(text) == tokenizer.encode(text)


def test_fine_tuning_takes_up_new_characters_behind_the_others():
    tokenizer = small()
    extended = extend_tokenizer(tokenizer, ["cab ab", "é"])
    assert extended.tokens == (*tokenizer.tokens, "C", "É")
    assert extended.encode("ab aab") == tokenizer.encode("ab aab")
    assert extended.decode(extended.encode("cabé")) == "CABÉ"
    falling_back = small(byte_fallback=True)
    assert extend_tokenizer(falling_back, ["c"]).tokens == falling_back.tokens


def test_a_vocabulary_that_cannot_be_had_names_the_one_that_can():
    subwords = choose("text", "subwords")
    with pytest.raises(InputError, match=r"text\.vocabulary_size is 500, but") as error:
        build_tokenizer(subwords, TEXTS)
    most = int(str(error.value).partition("lower it to ")[2].partition(" ")[0])
    assert (
        len(build_tokenizer(subwords.replace(vocabulary_size=most), TEXTS).tokens)
        == most
    )
    with pytest.raises(
        InputError, match=r"is 9, expected at least (\d+), for"
    ) as error:
        build_tokenizer(subwords.replace(vocabulary_size=9), TEXTS)
    least = int(str(error.value).partition("least ")[2].partition(",")[0])
    assert (
        len(build_tokenizer(subwords.replace(vocabulary_size=least), TEXTS).tokens)
        == least
    )


def test_bad_texts_are_left_to_the_doctor():
    subwords = choose("text", "subwords", vocabulary_size=40, digits="error")
    tokenizer = build_tokenizer(subwords, ["", "1999", *TEXTS])
    assert tokenizer.tokens == build_tokenizer(subwords, TEXTS).tokens
    with pytest.raises(InputError, match=r"text\.vocabulary_size has no words"):
        build_tokenizer(subwords, ["", "1999"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "word"}, r"text\.kind is 'word', expected one of: unigram, bpe"),
        ({"sampling": 2.0}, r"text\.sampling is 2\.0, expected a number from 0 to 1"),
        ({"character_coverage": 0.9}, r"character_coverage is 0\.9, expected .* 0\.98"),
        ({"vocabulary_size": 0}, r"vocabulary_size is 0, expected a whole number"),
        ({"case": "high"}, r"text\.case is 'high'"),
    ],
)
def test_options_out_of_their_range_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        build_tokenizer(choose("text", "subwords").replace(**options), TEXTS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pieces": [], "scores": []}, "expected as many of both"),
        ({"pieces": ["A"], "scores": [1.0, 2.0]}, "holds 1 and text.scores 2"),
        ({"pieces": "AB", "scores": [1.0, 2.0]}, "are no lists"),
        ({"pieces": ["A", "A"]}, "holds 'A', expected texts"),
        ({"pieces": ["A", ""]}, "holds '', expected texts"),
        ({"pieces": ["A", "A B"]}, "holds 'A B', expected texts"),
        ({"pieces": ["A", 3]}, "holds '3', expected texts"),
        ({"pieces": ["A", "B" * 101]}, "expected texts of 1 to 100 characters"),
        ({"pieces": ["A", "<blank>"]}, "holds '<blank>', expected texts"),
        ({"pieces": ["A", "<0x41>"]}, "holds '<0x41>', expected texts"),
        ({"pieces": ["A", "b"]}, r"holds 'b', which can never occur after text\.case"),
        ({"pieces": ["A", "\n"]}, r"holds '\\n' .* can never occur"),
        ({"scores": [1.0, float("nan")]}, "holds nan, expected a number"),
        ({"scores": [1.0, "2"]}, "holds '2', expected a number"),
        ({"scores": [1.0, 1e300]}, "expected a number from"),
        ({"kind": "char"}, "kind is 'char'"),
        ({"byte_fallback": 1}, "byte_fallback is 1, expected bool"),
        ({"sampling": "much"}, "sampling is 'much'"),
        ({"pieces": ["A"] * 70_000, "scores": [1.0] * 70_000}, "from 1 to 65536"),
    ],
)
def test_a_strangers_tokenizer_is_checked(changes, message):
    config = {
        "_target_": "speechgru.text.subword_tokenizer.SubwordTokenizer",
        "pieces": ["A", "B"],
        "scores": [-1.0, -2.0],
        "kind": "unigram",
        **changes,
    }
    with pytest.raises(InputError, match=message):
        build(config, "tokenizer")


@KINDS
def test_random_texts_survive_whatever_their_characters(kind):
    tokenizer = SubwordTokenizer.from_texts(TEXTS, 296, kind, byte_fallback=True)
    draws = random.Random(2)
    letters = "abdehilnprst éß世ก'ñ🎤 "
    for _ in range(200):
        text = "".join(draws.choices(letters, k=30))
        normalized = tokenizer.normalize(text)
        assert tokenizer.decode(tokenizer.encode(text)) == normalized
        assert tokenizer.decode(tokenizer.sample(text, 1)) == normalized
