import random
import unicodedata

import pytest

from speechgru.interfaces import InputError, Tokenizer
from speechgru.text.tokenizer import CharacterTokenizer

ENGLISH = " 'ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.fixture
def tokenizer() -> CharacterTokenizer:
    return CharacterTokenizer(ENGLISH)


def test_blank_comes_first_and_the_alphabet_keeps_its_order(tokenizer):
    assert tokenizer.tokens == ("<blank>", *ENGLISH)
    assert isinstance(tokenizer, Tokenizer)


def test_encode_normalises_first(tokenizer):
    assert tokenizer.encode(" ab,\nC’d ") == tokenizer.encode("AB C'D")
    assert tokenizer.encode("A B") == [3, 1, 4]
    assert tokenizer.encode(" ... ") == []


@pytest.mark.parametrize(
    "texts",
    [
        ["Enter fifty-four.", "it isn’t"],
        ["שָׁלוֹם", "כן לא"],
        ["हिन्दी में क़", "क्\u200dष"],
        ["你好，世界"],
        ["οδός", "Ὀδυσσεύς"],
        ["Q\u0301a E\u0323\u0301"],
    ],
)
@pytest.mark.parametrize("case", ["upper", "lower", "keep"])
def test_every_script_survives_the_way_there_and_back(texts, case):
    tokenizer = CharacterTokenizer.from_texts(texts, case=case)
    for text in texts:
        normalized = tokenizer.normalize(text)
        assert normalized
        assert tokenizer.decode(tokenizer.encode(text)) == normalized


def test_alphabet_from_texts_is_sorted_and_independent_of_their_order():
    one = CharacterTokenizer.from_texts(["cab", "a d"])
    other = CharacterTokenizer.from_texts(["a d", "cab"])
    assert one.alphabet == other.alphabet == " ABCD"


@pytest.mark.parametrize("punctuation", ["space", "delete", "keep"])
def test_alphabet_from_any_texts_is_accepted_and_encodes_them(punctuation):
    generator = random.Random(4)
    tricky = (
        "Q'’`ʼ\u0301\u0345\u094d\u200d\u200c\ufe0f\u3099かク5٣½Σςßİᄀ가ऩ“-\x00\u00ad "
    )
    texts = ["".join(generator.choices(tricky, k=8)) + "A" for _ in range(500)]
    for case in ("upper", "lower", "keep"):
        for text in texts:
            tokenizer = CharacterTokenizer.from_texts([text], case, punctuation)
            decoded = tokenizer.decode(tokenizer.encode(text))
            assert decoded == tokenizer.normalize(text)


def test_config_builds_an_equal_tokenizer():
    tokenizer = CharacterTokenizer.from_texts(["Ab-c 1"], "lower", "keep", "keep")
    config = tokenizer.config()
    assert config.pop("_target_") == "speechgru.text.tokenizer.CharacterTokenizer"
    again = CharacterTokenizer(**config)
    assert again.tokens == tokenizer.tokens
    assert again.config() == tokenizer.config()
    assert again.encode("Ab-c 1") == tokenizer.encode("Ab-c 1")


def test_unknown_character_is_named_with_the_remedy(tokenizer):
    with pytest.raises(
        InputError, match=r"^character 'É' is not among the 29 tokens; normalise"
    ):
        tokenizer.encode("café")


def test_unknown_mark_is_named_by_its_unicode_name(tokenizer):
    with pytest.raises(InputError, match=r"U\+0301 COMBINING ACUTE ACCENT"):
        tokenizer.encode("q\u0301")


def test_encode_passes_on_what_the_normaliser_refuses():
    tokenizer = CharacterTokenizer(ENGLISH, digits="error")
    with pytest.raises(InputError, match="write numbers out"):
        tokenizer.encode("gate 7")


@pytest.mark.parametrize("token_id", [0, 29, -1])
def test_decode_rejects_blank_and_ids_out_of_range(tokenizer, token_id):
    with pytest.raises(ValueError, match=f"token id {token_id} .*expected 1 to 28"):
        tokenizer.decode([3, token_id])


def test_decode_composes_as_the_references_are():
    tokenizer = CharacterTokenizer("E\u0301")
    assert tokenizer.decode([1, 2]) == "É"
    assert unicodedata.is_normalized("NFC", tokenizer.decode([1, 2]))


@pytest.mark.parametrize(
    ("alphabet", "options", "message"),
    [
        ("", {}, "text.alphabet is empty"),
        (None, {}, "expected a string"),
        (["A", "B"], {}, "expected a string"),
        ("ABA", {}, "holds 'A' twice"),
        ("Aa", {}, "'a' can never occur after text.case=upper"),
        ("ß", {}, "'ß' can never occur after text.case=upper"),
        ("Σ", {"case": "lower"}, "'Σ' can never occur after text.case=lower"),
        ("A,", {}, "',' can never occur after text.punctuation=space"),
        ("A,", {"punctuation": "error"}, "after text.punctuation=error"),
        ("A7", {"digits": "error"}, "'7' can never occur after text.digits=error"),
        ("A’", {"punctuation": "keep"}, None),
        ("A’", {}, "'’' can never occur after text.punctuation=space"),
        ("A\n", {}, "U\\+000A unnamed\\) can never occur after Unicode"),
        ("A\u0958", {}, "can never occur after Unicode"),
    ],
)
def test_alphabet_must_be_able_to_occur(alphabet, options, message):
    if message is None:
        CharacterTokenizer(alphabet, **options)
        return
    with pytest.raises(InputError, match=message):
        CharacterTokenizer(alphabet, **options)


@pytest.mark.parametrize("alphabet", ["'", "\u0301\u094d", "\u200d", " ", "ς"])
def test_characters_that_need_a_neighbour_are_allowed(alphabet):
    tokenizer = CharacterTokenizer(alphabet, case="lower")
    assert tokenizer.tokens == ("<blank>", *alphabet)


def test_no_texts_are_an_error():
    with pytest.raises(InputError, match="check that the transcripts"):
        CharacterTokenizer.from_texts(["", " ... "])
