"""Case as languages have it."""

import pytest

from speechgru.checkpoint.build import build
from speechgru.interfaces import InputError
from speechgru.text.normalize import TextNormalizer
from speechgru.text.tokenizer import CharacterTokenizer
from speechgru.text.word_tokenizer import WordTokenizer


@pytest.mark.parametrize("language", ["tr", "az"])
def test_turkish_and_azeri_keep_two_letters_apart(language):
    upper, lower = (
        TextNormalizer(case, language=language) for case in ("upper", "lower")
    )
    assert upper("ılık iyi İzmir IRMAK") == "ILIK İYİ İZMİR IRMAK"
    assert lower("ılık iyi İzmir IRMAK") == "ılık iyi izmir ırmak"


def test_other_languages_have_one():
    assert TextNormalizer("upper")("iyi ılık") == "IYI ILIK"
    assert TextNormalizer("lower")("IYI İYİ") == "iyi iyi"


@pytest.mark.parametrize("language", [None, "tr", "az", "lt"])
@pytest.mark.parametrize("case", ["upper", "lower"])
def test_no_dot_is_left_on_an_i_and_twice_changes_nothing_more(language, case):
    normalize = TextNormalizer(case, language=language)
    for text in ("İ", "i\u0307", "I\u0307", "İi\u0307Iıi", "i\u0307\u0307", "Iİ'İ i"):
        once = normalize(text)
        assert "\u0307" not in once
        assert normalize(once) == once


def test_lithuanian_leaves_out_the_dot_below_an_accent():
    dotted, plain = (
        "ri\u0307\u0301ša j\u0307\u0303 į\u0307\u0301",
        "rí\u0161a j\u0303 į\u0301",
    )
    for case in ("upper", "lower"):
        normalize = TextNormalizer(case, language="lt")
        assert normalize(dotted) == normalize(plain)
        assert "\u0307" not in normalize(dotted)


def test_what_the_readme_says_of_german_and_greek():
    assert TextNormalizer("upper")("Straße ὁδός") == "STRASSE ὉΔΌΣ"
    assert TextNormalizer("lower")("STRASSE Straße ΟΔΟΣ ΣΟΦΟΣ.") == (
        "strasse straße οδος σοφος"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"language": "de"},
            "text.language is 'de', expected one of: tr, az, lt",
        ),
        ({"language": "tr", "case": "keep"}, "text.case=keep leaves the case"),
    ],
)
def test_a_language_that_would_do_nothing_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        TextNormalizer(**options)


@pytest.mark.parametrize("cls", [CharacterTokenizer, WordTokenizer])
def test_the_description_of_a_tokenizer_carries_the_language(cls):
    tokenizer = cls.from_texts(["iyi ılık"] * 10, language="tr")
    again = build(tokenizer.config(), "tokenizer")
    assert again.tokens == tokenizer.tokens
    assert again.normalize("iyi ılık") == "İYİ ILIK"


def test_a_description_from_before_there_were_languages_is_built():
    config = CharacterTokenizer(" ABI").config()
    del config["language"]
    assert build(config, "tokenizer").normalize("bi") == "BI"


def test_a_checkpoint_that_learned_combining_dots_writes_none():
    tokenizer = CharacterTokenizer("\u0307bi", case="lower")
    assert tokenizer.decode([2, 3, 1]) == "bi"


def test_a_character_that_a_language_never_has_is_told():
    with pytest.raises(InputError, match=r"text\.case=upper in text\.language=tr"):
        CharacterTokenizer("ABi", language="tr")
