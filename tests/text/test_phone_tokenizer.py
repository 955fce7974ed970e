"""Phones as tokens, with and without espeak-ng."""

import pickle
import sys

import pytest

from speechgru.checkpoint.build import build
from speechgru.factory import build_tokenizer
from speechgru.interfaces import InputError, PhoneticTokenizer, Tokenizer
from speechgru.options.component import Component
from speechgru.ranges import OptionError
from speechgru.text.phone_tokenizer import PhoneTokenizer
from speechgru.text.pronounce import Pronouncer

PHONES = ["b", "iː", "s", "tʃ", "ɔ", "ɹ"]
SOUNDS = {"SEE": "s iː", "BE": "b iː", "SEA": "s iː", "BEACH": "b iː tʃ"}


@pytest.fixture
def tokenizer() -> PhoneTokenizer:
    """With four words, and no espeak-ng."""
    return PhoneTokenizer(None, PHONES, SOUNDS)


@pytest.fixture
def espeak() -> None:
    pytest.importorskip("espeakng_loader")


def spell(tokenizer, text):
    return [tokenizer.tokens[id] for id in tokenizer.encode(text)]


def test_phones_that_begin_words_follow_the_blank_and_the_same_within(tokenizer):
    begins = [f" {phone}" for phone in PHONES]
    assert tokenizer.tokens == ("<blank>", *begins, *PHONES)
    assert isinstance(tokenizer, Tokenizer)
    assert isinstance(tokenizer, PhoneticTokenizer)


def test_words_are_spelled_by_their_sounds(tokenizer):
    assert spell(tokenizer, "Sea, beach!") == [" s", "iː", " b", "iː", "tʃ"]
    assert spell(tokenizer, "") == []
    assert tokenizer.normalize("Sea, beach!") == "SEA BEACH"


def test_sounds_are_written_as_the_first_word_that_sounds_so(tokenizer):
    assert tokenizer.decode(tokenizer.encode("be sea beach see")) == "BE SEE BEACH SEE"


def test_sounds_of_no_word_are_written_as_they_are(tokenizer):
    ids = [tokenizer.tokens.index(token) for token in ("iː", "b", " tʃ", "iː", " b")]
    assert tokenizer.decode(ids) == "iːb tʃiː b"
    with pytest.raises(ValueError, match="token id 0 is no text"):
        tokenizer.decode([0])


def test_it_is_built_again_from_its_plain_values(tokenizer):
    again = build(tokenizer.config(), "tokenizer")
    assert again.config() == tokenizer.config()
    assert again.encode("sea beach") == tokenizer.encode("sea beach")
    assert again.decode(again.encode("sea")) == "SEE"


def test_without_a_voice_other_words_are_refused(tokenizer):
    with pytest.raises(InputError, match="'BEES' is not among the 4 words"):
        tokenizer.encode("bees")


@pytest.mark.usefixtures("espeak")
def test_espeak_pronounces_the_words_of_transcripts():
    texts = ["the bee sees the sea", "see the CHURCH"]
    tokenizer = build_tokenizer(choose(), texts)
    assert spell(tokenizer, "church") == [" tʃ", "ɜː", "tʃ"]
    assert tokenizer.phones == ("b", "iː", "s", "tʃ", "z", "ð", "ə", "ɜː")
    # "see" and "sea" are as frequent; the alphabet decides.
    assert tokenizer.decode(tokenizer.encode("see the sea")) == "SEA THE SEA"


@pytest.mark.usefixtures("espeak")
def test_words_of_other_texts_are_pronounced_with_the_phones_there_are():
    tokenizer = build_tokenizer(choose(), ["the bee sees the sea"])
    assert spell(tokenizer, "these") == [" ð", "iː", "z"]
    # /buː/, without the vowel that was never heard.
    assert spell(tokenizer, "boo") == [" b"]
    with pytest.raises(InputError, match=r"'OW' sounds like /.*/, of which no"):
        tokenizer.encode("ow")


@pytest.mark.usefixtures("espeak")
def test_it_goes_to_other_processes():
    tokenizer = build_tokenizer(choose(), ["the bee sees the sea"])
    expected = tokenizer.encode("these")
    assert pickle.loads(pickle.dumps(tokenizer)).encode("these") == expected


@pytest.mark.usefixtures("espeak")
def test_stress_case_and_changes_of_language_do_not_count():
    tokenizer = build_tokenizer(choose(case="keep"), ["record RECORD Record"])
    assert len({tuple(tokenizer.encode(word)) for word in ("record", "RECORD")}) == 1
    joined = "".join(tokenizer.phones)
    assert not set("ˈˌ()_ ") & set(joined)


@pytest.mark.usefixtures("espeak")
def test_another_language_has_other_phones():
    english = build_tokenizer(choose(), ["die see"])
    german = build_tokenizer(choose(voice="de"), ["die see"])
    assert english.tokens != german.tokens
    assert spell(german, "see") == [" z", "eː"]


@pytest.mark.usefixtures("espeak")
def test_a_lexicon_comes_before_espeak(tmp_path):
    path = tmp_path / "lexicon.txt"
    path.write_text("sees s ɪ s\nbee  b ɪ\nbee b iː\n\nzoo z uː\n")
    tokenizer = build_tokenizer(choose(lexicon=str(path)), ["the bee sees the sea"])
    assert spell(tokenizer, "bee sees") == [" b", "ɪ", " s", "ɪ", "s"]
    assert spell(tokenizer, "sea") == [" s", "iː"]
    # A word of the lexicon that is in no transcript: without /z/ and /uː/ nothing
    # is left of it, and espeak-ng's has no other phones.
    with pytest.raises(InputError, match="'ZOO' sounds like"):
        tokenizer.encode("zoo")


def test_a_lexicon_may_do_without_espeak(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    path = tmp_path / "lexicon.txt"
    path.write_text("SEE S IY\nSEA S IY\nBE B IY\n")
    options = choose(voice=None, lexicon=str(path))
    tokenizer = build_tokenizer(options, ["see", "be", "see"])
    assert tokenizer.phones == ("B", "IY", "S")
    assert spell(tokenizer, "sea") == [" S", "IY"]
    assert tokenizer.decode(tokenizer.encode("sea")) == "SEE"
    with pytest.raises(
        InputError, match=r"text\.lexicon: .* 1 of the 2 words .* \(BEE\)"
    ):
        build_tokenizer(options, ["bee", "be"])


@pytest.mark.parametrize("line", ["see", "see-saw S IY S AO", "... S"])
def test_a_line_that_is_no_word_and_its_phones_is_named(tmp_path, line):
    path = tmp_path / "lexicon.txt"
    path.write_text(f"be B IY\n{line}\n")
    with pytest.raises(
        InputError, match=r"lexicon: .*txt:2: .*expected a word and its"
    ):
        build_tokenizer(choose(voice=None, lexicon=str(path)), ["be"])


def test_neither_a_voice_nor_a_lexicon_is_refused():
    with pytest.raises(OptionError, match=r"text\.voice is null, and so is lexicon"):
        build_tokenizer(choose(voice=None), ["be"])


@pytest.mark.usefixtures("espeak")
@pytest.mark.parametrize("voice", ["nowhere", "../en-us", "en-us\0", "", "e" * 999])
def test_an_unknown_voice_is_named(voice):
    with pytest.raises(InputError, match=r"has no voice '.*correct text\.voice"):
        build_tokenizer(choose(voice=voice), ["be"])


@pytest.mark.usefixtures("espeak")
def test_words_without_a_sound_are_named():
    with pytest.raises(InputError, match="has no sound in the voice en-us"):
        build_tokenizer(choose(), ["see"]).encode("\N{ARABIC-INDIC DIGIT THREE}")


@pytest.mark.usefixtures("espeak")
@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("\N{GRINNING FACE}", "but letters, digits and apostrophes alone"),
        ("A" * 41, "has 41 characters, but 40 at most"),
        ("\N{CYRILLIC SMALL LETTER ZHE}a", "mixes CYRILLIC and LATIN letters"),
    ],
)
def test_what_espeak_may_crash_of_is_refused(word, expected):
    with pytest.raises(InputError, match=expected):
        Pronouncer("hi")(word)


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(InputError, match=r"pip install 'speechgru\[phones\]'"):
        build_tokenizer(choose(), ["be"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"voice": 3}, "voice is 3, expected str"),
        ({"phones": "abc"}, r"text\.phones is 'abc'"),
        ({"phones": []}, r"text\.phones is"),
        ({"phones": ["a", "a"]}, r"text\.phones holds 'a'"),
        ({"phones": ["a b"]}, r"text\.phones holds 'a b'"),
        ({"phones": [1]}, r"text\.phones holds '1'"),
        ({"pronunciations": ["SEE"]}, r"text\.pronunciations are no mapping"),
        ({"pronunciations": {"SEE": "s uː"}}, "says that 'SEE' sounds like 's uː'"),
        ({"pronunciations": {"SEE": ""}}, "says that 'SEE' sounds like ''"),
        ({"pronunciations": {"SEE": 1}}, "pronunciations"),
    ],
)
def test_what_a_stranger_says_of_phones_is_checked(tokenizer, changes, expected):
    with pytest.raises(InputError, match=expected):
        build({**tokenizer.config(), **changes}, "tokenizer")


def choose(**options) -> Component:
    return Component("speechgru.text.phone_tokenizer.PhoneTokenizer", options)
