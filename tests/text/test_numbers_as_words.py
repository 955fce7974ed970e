import sys

import pytest

from speechgru.checkpoint.build import build
from speechgru.interfaces import InputError
from speechgru.text.changes import Changes
from speechgru.text.normalize import TextNormalizer
from speechgru.text.subword_tokenizer import SubwordTokenizer
from speechgru.text.tokenizer import CharacterTokenizer


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("en", "Room 21, please!", "ROOM TWENTY ONE PLEASE"),
        (
            "en",
            "1,999 and 1999",
            f"{'ONE THOUSAND NINE HUNDRED AND NINETY NINE'} AND "
            "ONE THOUSAND NINE HUNDRED AND NINETY NINE",
        ),
        ("en", "3.10", "THREE POINT ONE ZERO"),
        ("en", "the 21st, 2ND", "THE TWENTY FIRST SECOND"),
        ("en", "at 10:30", "AT TEN THIRTY"),
        ("en", "agent 007", "AGENT ZERO ZERO SEVEN"),
        ("en", "mp3 B2B", "MP THREE B TWO B"),
        ("en", "1.2.3", "ONE TWO THREE"),
        ("en", "1,2", "ONE TWO"),
        ("en", "٣ ३", "THREE THREE"),
        (
            "en",
            "1234567890123456",
            "ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE ZERO "
            "ONE TWO THREE FOUR FIVE SIX",
        ),
        ("de", "1.000 und 3,5", "TAUSEND UND DREI KOMMA FÜNF"),
        ("fr", "71 l'an 2000", "SOIXANTE ET ONZE L'AN DEUX MILLE"),
        ("tr", "12 iyi", "ONİKİ İYİ"),
        ("pt_BR", "21 casas", "VINTE E UM CASAS"),
    ],
)
def test_numbers_become_words_of_the_language(language, text, words):
    normalize = TextNormalizer(digits="words", language=language)
    found = normalize(text)
    if language == "de":
        found = found.replace("EINTAUSEND", "TAUSEND")
    assert found == words
    assert normalize(normalize(text)) == normalize(text)


def test_punctuation_that_is_deleted_or_kept_joins_no_words():
    for punctuation in ("delete", "keep"):
        normalize = TextNormalizer("lower", punctuation, "words", "en")
        assert normalize("21") == "twenty one"
    assert normalize("(1,021)!") == "(one thousand and twenty one)!"
    normalize = TextNormalizer("lower", "delete", "words", "en")
    assert normalize("at 3:45, 5/6") == "at three forty five five six"


def test_what_is_no_digit_is_refused():
    with pytest.raises(InputError, match=r"digit '½' under text\.digits=words"):
        TextNormalizer(digits="words", language="en")("½")


@pytest.mark.parametrize(
    ("language", "found"), [(None, "null"), ("xx", "'xx'"), ("eng", "'eng'")]
)
def test_a_language_without_numbers_is_refused(language, found):
    message = rf"text\.language is {found}, but text\.digits=words needs one of: am, "
    with pytest.raises(InputError, match=message) as error:
        TextNormalizer(digits="words", language=language)
    # Nobody has misspelt what is not set.
    assert ("did you mean" in str(error.value)) == (language == "eng")


def test_a_language_means_nothing_where_only_case_could():
    with pytest.raises(InputError, match=r"is 'en', expected one of: tr, az, lt"):
        TextNormalizer(language="en")
    assert TextNormalizer("keep", "space", "words", "tr")("Iı 5") == "Iı beş"


def test_the_extra_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "num2words", None)
    with pytest.raises(InputError, match=r'pip install "speechgru\[numbers\]"'):
        TextNormalizer(digits="words", language="en")
    assert TextNormalizer()("21") == "21"


def test_tokenizers_keep_it_in_their_configuration():
    options = {"digits": "words", "language": "en"}
    for tokenizer in (
        CharacterTokenizer.from_texts(["I have 21"], **options),
        SubwordTokenizer.from_texts(["I have 21"], 12, **options),
    ):
        again = build(tokenizer.config(), "tokenizer")
        assert again.decode(again.encode("i have 21")) == "I HAVE TWENTY ONE"
    with pytest.raises(InputError, match=r"'3' can never .* text\.digits=words"):
        CharacterTokenizer("AB3", **options)


def test_the_doctor_says_what_becomes_of_numbers():
    changes = Changes(TextNormalizer(digits="words", language="en"))
    changes.add("a", "room 21")
    changes.add("b", "21 or 1,000 rooms")
    [written, *_] = changes.notes()
    assert written == (
        "transcripts have numbers that become words (3 in all): '21' -> 'TWENTY ONE' "
        "(2, first in a), '1,000' -> 'ONE THOUSAND' (1, first in b); see whether they "
        "are said so"
    )
    kept = Changes(TextNormalizer())
    kept.add("a", "room 21")
    assert "or set text.digits=words" in kept.notes()[0]
