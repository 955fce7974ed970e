"""One token per phone."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from speechgru.interfaces import InputError, NoSoundError
from speechgru.ranges import OptionError
from speechgru.text.casing import Case
from speechgru.text.normalize import Digits, Punctuation, TextNormalizer
from speechgru.text.pronounce import Pronouncer
from speechgru.text.pronunciations import read_pronunciations
from speechgru.text.tokenizer import look_up
from speechgru.text.word_counts import count_normalized

MOST_PHONES = 1000
"""Of a voice; languages have a tenth as many."""


class PhoneTokenizer:
    """Map transcripts to ids of phones, and those of known words back.

    The words of the training transcripts and of a pronouncing dictionary are kept
    with the model; others are pronounced by espeak-ng. After the blank come the
    phones that begin a word, each with a space before it, then the same phones within
    words. A phone that no training transcript has is written by the phones that its
    symbols are, and left out if they are none.

    What is heard is written as the most frequent word of the training transcripts that
    sounds so; where there is none, as its phones. A decoder with a language model
    of words chooses between all words that sound alike, by the words around.

    Args:
        voice: of espeak-ng: language and accent; None: only words of
            `pronunciations` can be spelled.
        phones: each once.
        pronunciations: of words, phones with spaces between; of words that sound
            alike, the one that is written comes first.
        case, punctuation, digits, language: as for `TextNormalizer`.

    Raises:
        InputError: a phone is there twice or is no text, or a word holds another.
    """

    def __init__(
        self,
        voice: str | None,
        phones: Sequence[str],
        pronunciations: Mapping[str, str],
        case: Case = "upper",
        punctuation: Punctuation = "space",
        digits: Digits = "keep",
        language: str | None = None,
    ) -> None:
        self.normalizer = TextNormalizer(case, punctuation, digits, language)
        _check(phones, pronunciations)
        self.voice, self.phones = voice, tuple(phones)
        self.tokens = ("<blank>", *(f" {phone}" for phone in phones), *phones)
        self._places = {phone: place for place, phone in enumerate(phones)}
        self._known = {
            word: tuple(pronunciation.split())
            for word, pronunciation in pronunciations.items()
        }
        self._written: dict[tuple[str, ...], str] = {}
        for word, sounds in self._known.items():
            self._written.setdefault(sounds, word)

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        voice: str | None = "en-us",
        lexicon: str | None = None,
        case: Case = "upper",
        punctuation: Punctuation = "space",
        digits: Digits = "keep",
        language: str | None = None,
    ) -> "PhoneTokenizer":
        """Take the phones, sorted, from transcripts.

        Args:
            texts: to train on; words that cannot be normalised are left out.
            voice, case, punctuation, digits, language: as for the class.
            lexicon: file of words and their phones, which need not be espeak-ng's, see
                `read_pronunciations`; the first pronunciation of a word is taken. None:
                espeak-ng pronounces all words.

        Raises:
            InputError: there are no words, or espeak-ng cannot pronounce one.
            OptionError: there is neither a voice nor a lexicon, or they cannot be
                used, or the lexicon lacks a word that nothing else pronounces.
        """
        if voice is None and lexicon is None:
            raise OptionError(
                "voice is null, and so is lexicon, expected one of them: name a voice "
                "of espeak-ng, or a file of words and phones"
            )
        normalize = TextNormalizer(case, punctuation, digits, language)
        words = count_normalized(texts, normalize)
        given = _read(lexicon, normalize) if lexicon is not None else {}
        ordered = sorted(words, key=lambda word: (-words[word], word))
        missing = [word for word in ordered if word not in given]
        if missing and voice is None:
            raise OptionError(
                f"lexicon: {lexicon} lacks {len(missing)} of the {len(ordered)} words "
                f"of the training transcripts ({', '.join(missing[:5])}), expected all "
                "of them where text.voice is null; add them, or set text.voice"
            )
        sounds = {**given, **_pronounce(missing, voice)}
        phones = sorted({phone for word in ordered for phone in sounds[word]})
        known = {word: " ".join(sounds[word]) for word in ordered}
        for word, sound in given.items():
            if fitted := fit(sound, phones):
                known.setdefault(word, " ".join(fitted))
        return cls(voice, phones, known, case, punctuation, digits, language)

    def config(self) -> dict[str, Any]:
        """Give the plain values from which this tokenizer can be built again."""
        return {
            "_target_": "speechgru.text.phone_tokenizer.PhoneTokenizer",
            "voice": self.voice,
            "phones": list(self.phones),
            "pronunciations": {
                word: " ".join(sounds) for word, sounds in self._known.items()
            },
            **self.normalizer.config(),
        }

    def normalize(self, text: str) -> str:
        """Bring a transcript to the form that is scored: words."""
        return self.normalizer(text)

    def pronounce(self, word: str) -> tuple[str, ...]:
        """The phones of a normalised word, of those that have tokens.

        Raises:
            NoSoundError: it has no sound, or none that has a token.
        """
        known = self._known.get(word)
        if known is not None:
            return known
        if self.voice is None:
            raise NoSoundError(
                f"the word {word!r} is not among the {len(self._known)} words whose "
                "phones are known, and there is no voice of espeak-ng; train with it "
                "in text.lexicon, or leave it out"
            )
        sounds = self._pronouncer(word)
        phones = fit(sounds, self._places)
        if not phones:
            raise NoSoundError(
                f"the word {word!r} sounds like /{''.join(sounds)}/, of which no "
                "training transcript has a phone; write it as it is said"
            )
        return phones

    @cached_property
    def _pronouncer(self) -> Pronouncer:
        assert self.voice is not None
        return Pronouncer(self.voice)

    def encode(self, text: str) -> list[int]:
        """Normalise a transcript and map it to token ids.

        Raises:
            InputError: as for `pronounce`, or a character is refused by the normaliser.
        """
        ids: list[int] = []
        for word in self.normalize(text).split():
            first, *others = (self._places[phone] for phone in self.pronounce(word))
            ids.append(1 + first)
            ids += (1 + len(self.phones) + place for place in others)
        return ids

    def decode(self, token_ids: Sequence[int]) -> str:
        """Map token ids to text, word by word.

        Raises:
            ValueError: an id is the blank or not a token.
        """
        spelled = "\t".join(look_up(self.tokens, token_ids))
        words = [tuple(word.split()) for word in spelled.split(" ") if word]
        return " ".join(
            self._written.get(phones) or "".join(phones) for phones in words
        )


def fit(sounds: Iterable[str], phones: Collection[str]) -> tuple[str, ...]:
    """Some sounds in those phones that there are; see `PhoneTokenizer`.

    >>> fit(("ɔːɹ", "x", "t"), {"ɔ", "ɹ", "t"})
    ('ɔ', 'ɹ', 't')
    """
    fitted: list[str] = []
    for sound in sounds:
        fitted += filter(phones.__contains__, [sound] if sound in phones else sound)
    return tuple(fitted)


def _pronounce(words: Sequence[str], voice: str | None) -> dict[str, tuple[str, ...]]:
    """Words in a voice of espeak-ng, which is not needed for none."""
    if not words or voice is None:
        return {}
    try:
        pronounce = Pronouncer(voice)
    except InputError as error:
        raise OptionError(f"voice: {error}") from error
    return {word: pronounce(word) for word in words}


def _read(path: str, normalize: TextNormalizer) -> dict[str, tuple[str, ...]]:
    """The first pronunciation of each word of a file."""
    found: dict[str, tuple[str, ...]] = {}
    try:
        for number, word, phones in read_pronunciations(path):
            if not phones or len(normalize(word).split()) != 1:
                raise InputError(
                    f"{path}:{number}: {' '.join([word, *phones])!r}, expected a word "
                    "and its phones, with spaces between; correct the line"
                )
            found.setdefault(normalize(word), tuple(phones))
    except InputError as error:
        raise OptionError(f"lexicon: {error}") from error
    return found


def _check(phones: Sequence[str], pronunciations: Mapping[str, str]) -> None:
    """See that what a checkpoint says, be it a stranger's, is of phones."""
    is_list = isinstance(phones, (list, tuple))
    if not is_list or not 0 < len(phones) <= MOST_PHONES:
        raise InputError(
            f"text.phones is {str(phones)[:100]!r}, expected a list of 1 to "
            f"{MOST_PHONES}; check that the transcripts hold text"
        )
    before: set[str] = set()
    for phone in phones:
        if not isinstance(phone, str) or len(phone.split()) != 1 or phone in before:
            raise InputError(
                f"text.phones holds {str(phone)[:100]!r}, expected each phone once, "
                "without spaces"
            )
        before.add(phone)
    if not isinstance(pronunciations, Mapping):
        raise InputError("text.pronunciations are no mapping of words to phones")
    for word, sounds in pronunciations.items():
        is_text = isinstance(word, str) and isinstance(sounds, str)
        if not is_text or not sounds.split() or not before.issuperset(sounds.split()):
            raise InputError(
                f"text.pronunciations says that {str(word)[:100]!r} sounds like "
                f"{str(sounds)[:100]!r}, expected phones of text.phones, with "
                "spaces between"
            )
