import random
import sys
import unicodedata
from itertools import product

import pytest

from speechgru.interfaces import InputError
from speechgru.text.normalize import APOSTROPHES, TextNormalizer

ALL_MODES = [
    TextNormalizer(case, punctuation)
    for case, punctuation in product(
        ["upper", "lower", "keep"], ["space", "delete", "keep"]
    )
]
TRICKY = (
    [chr(c) for c in range(0x20, 0x7F)]
    + sorted(APOSTROPHES)
    + list("ßŉǰΐᾳᾴΣςσİıiÅǅﬁ\u0345\u0301\u0308\u093c\u094d\u05b8\u0300\ufe0f\u20e3")
    + list("क़ड़가ᄀ一。〜ーカ\u3099ШшЪ½²Ⅷ٣५❤€")
    + list("\u00ad\u200b\u200c\u200d\u200e\u2060\ufeff\u2028\x00\x1f\x85\xa0\u3000\t\n")
)


def random_texts(count: int, seed: int) -> list[str]:
    generator = random.Random(seed)

    def character() -> str:
        if generator.random() < 0.7:
            return generator.choice(TRICKY)
        return chr(generator.randrange(sys.maxunicode + 1))

    return [
        "".join(character() for _ in range(generator.randrange(12)))
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    "normalize", ALL_MODES, ids=lambda n: f"{n.case}-{n.punctuation}"
)
def test_normalising_twice_changes_nothing_more(normalize):
    for text in random_texts(4000, seed=1):
        once = normalize(text)
        assert normalize(once) == once, ascii(text)


@pytest.mark.parametrize("case", ["upper", "lower"])
def test_every_character_of_unicode_reaches_a_fixpoint(case):
    normalize = TextNormalizer(case)
    for start in range(0, 0x32400, 64):  # the planes that hold scripts
        text = "Q".join(map(chr, range(start, start + 64)))
        once = normalize(text)
        assert normalize(once) == once, hex(start)


@pytest.mark.parametrize(
    "normalize", ALL_MODES, ids=lambda n: f"{n.case}-{n.punctuation}"
)
def test_results_are_nfc_with_single_inner_spaces(normalize):
    for text in random_texts(2000, seed=2):
        result = normalize(text)
        assert unicodedata.is_normalized("NFC", result)
        assert result == " ".join(result.split())


@pytest.mark.parametrize("punctuation", ["space", "delete"])
def test_no_punctuation_or_invisible_format_character_is_left(punctuation):
    normalize = TextNormalizer(punctuation=punctuation)
    for text in random_texts(2000, seed=3):
        for character in normalize(text):
            category = unicodedata.category(character)
            assert category[0] not in "PS" or character == "'", ascii(text)
            assert category not in ("Cc", "Cs"), ascii(text)
            assert category != "Cf" or character in "\u200c\u200d", ascii(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Enter\tfifty\n four ", "ENTER FIFTY FOUR"),
        ("", ""),
        (" \u3000\u2028\xa0\u200b", ""),
        ("well-known, isn’t it?", "WELL KNOWN ISN'T IT"),
        ("the dogs' bones 'tis rock 'n' roll", "THE DOGS' BONES 'TIS ROCK 'N' ROLL"),
        ("in the '90s at 5' and 6''", "IN THE 90S AT 5 AND 6"),
        ("a ' b '' c", "A B C"),
        ("cafe\u0301", "CAFÉ"),
        ("straße", "STRASSE"),
        ("ŉ boom", "'N BOOM"),
        ("Co\u00adoperate\ufeff", "COOPERATE"),
        ("1,000 $", "1 000"),
        ("❤\ufe0f love 5\ufe0f\u20e3", "LOVE 5\ufe0f\u20e3"),
        ("שָׁלוֹם, צ׳יפס\u200f!", unicodedata.normalize("NFC", "שָׁלוֹם צ'יפס")),
        ("हिन्दी में।", "हिन्दी में"),
        ("क्\u200dष", "क्\u200dष"),
        ("می\u200cروم\u200c", "می\u200cروم"),
        ("你好，世界。", "你好 世界"),
        ("ラーメン", "ラーメン"),
        ("สวัสดี\u200bครับ", "สวัสดี ครับ"),
    ],
)
def test_default_form(text, expected):
    assert TextNormalizer()(text) == expected


@pytest.mark.parametrize("apostrophe", sorted(APOSTROPHES))
def test_every_kind_of_apostrophe_becomes_one_beside_a_letter_only(apostrophe):
    normalize = TextNormalizer()
    assert normalize(f"don{apostrophe}t") == "DON'T"
    assert normalize(f"don {apostrophe} t") == "DON T"


def test_a_mark_after_a_letter_still_lets_the_apostrophe_stand():
    assert TextNormalizer()("q\u0301'") == "Q\u0301'"


def test_lower_case_gives_the_final_sigma():
    assert TextNormalizer("lower")("ΟΔΥΣΣΕΥΣ") == "οδυσσευς"


def test_upper_case_joins_both_forms_of_sigma():
    assert TextNormalizer("upper")("οδός") == TextNormalizer("upper")("οδόσ")


def test_deleting_punctuation_joins_what_it_separated():
    assert TextNormalizer(punctuation="delete")("U.S.A. e-mail") == "USA EMAIL"


def test_keeping_everything_still_unifies_spaces_and_apostrophes():
    normalize = TextNormalizer("keep", "keep")
    assert normalize(" Don’t,\n“stop” 5’! ") == "Don't, “stop” 5’!"


def test_punctuation_error_names_text_and_remedy_but_spares_apostrophes():
    normalize = TextNormalizer(punctuation="error")
    assert normalize("don't stop") == "DON'T STOP"
    with pytest.raises(InputError, match=r"'stop!': punctuation '!'.*space"):
        normalize("stop!")


def test_invisible_punctuation_is_named():
    with pytest.raises(InputError, match="U\\+0007 unnamed"):
        TextNormalizer(punctuation="error")("a\x07")


@pytest.mark.parametrize("digit", list("7٣५½Ⅷ"))
def test_digits_of_any_script_are_kept_or_refused(digit):
    assert TextNormalizer()(f"gate {digit}") == f"GATE {digit}"
    with pytest.raises(
        InputError, match=f"'gate {digit}'.*write numbers out as words.*digits=keep"
    ):
        TextNormalizer(digits="error")(f"gate {digit}")


@pytest.mark.parametrize("option", ["case", "punctuation", "digits"])
def test_rejects_unknown_option(option):
    with pytest.raises(InputError, match=f"text.{option} is 'drop', expected one of"):
        TextNormalizer(**{option: "drop"})
