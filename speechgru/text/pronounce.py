"""How words are pronounced, by the rules and exceptions of espeak-ng."""

import ctypes
import re
import unicodedata
from contextlib import AbstractContextManager

from speechgru.espeak import load_espeak
from speechgru.interfaces import NoSoundError
from speechgru.text.normalize import describe_character

_UTF8 = 1  # espeakCHARS_UTF8
_IPA = 0x02  # espeakPHONEMES_IPA
_SEPARATOR = "_"
_TEXT_TO_IPA = _IPA | ord(_SEPARATOR) << 8
_BETWEEN = re.compile(rf"[{_SEPARATOR}\s]")

_UNSOUND = re.compile(r"\([^)]*\)|[ˈˌ]")
"""Where espeak-ng goes from one language to another, and stresses."""

LONGEST = 40
"""Characters of a word.

espeak-ng spells letters that are foreign to it by their names, and symbols; of too many
of them, and of scripts that are mixed, it may crash."""

_WITHIN_WORDS = "'-\N{RIGHT SINGLE QUOTATION MARK}"

_WRITTEN_TOGETHER = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL"}
"""Scripts that are mixed in words, as Unicode names begin."""


class Pronouncer:
    """Words to phones, in a hundred languages.

    A word alone is said as it is in a list, not as in a sentence. Stress is left out.

    Args:
        voice: of espeak-ng, e.g. "en-us": its language and accent.

    Raises:
        InputError: there is no such voice; or see `load_espeak`.

    Examples:
        >>> Pronouncer("en-us")("church")
        ('tʃ', 'ɜː', 'tʃ')
    """

    def __init__(self, voice: str) -> None:
        self._voice = voice
        with self._library():
            pass

    def __call__(self, word: str) -> tuple[str, ...]:
        """The phones of a word, in IPA.

        Raises:
            NoSoundError: it is not pronounced at all, too long, or no word.
        """
        _check(word)
        # In capitals some would be spelled, letter by letter.
        rest = ctypes.c_char_p(word.lower().encode())
        phones: list[str] = []
        with self._library() as library:
            while rest.value:
                said = library.espeak_TextToPhonemes(
                    ctypes.byref(rest), _UTF8, _TEXT_TO_IPA
                )
                phones += filter(None, _BETWEEN.split(_UNSOUND.sub("", said.decode())))
        if not phones:
            raise NoSoundError(
                f"the word {word!r} has no sound in the voice {self._voice} of "
                "espeak-ng; write it as it is said"
            )
        return tuple(phones)

    def _library(self) -> AbstractContextManager[ctypes.CDLL]:
        """With the voice; not kept, for no library goes to another process."""
        library = load_espeak("phones as tokens", "phones")
        return library.with_voice(self._voice, "text.voice")


def _check(word: str) -> None:
    """See that espeak-ng can stand a word. Raises NoSoundError."""
    others = [c for c in word if not c.isalnum() and unicodedata.category(c)[0] != "M"]
    foreign = next((c for c in others if c not in _WITHIN_WORDS), None)
    if foreign is not None:
        raise NoSoundError(
            f"the word {word[:LONGEST]!r} holds {describe_character(foreign)}, but "
            "letters, digits and apostrophes alone are pronounced; write it as it is "
            "said"
        )
    if len(word) > LONGEST:
        raise NoSoundError(
            f"the word {word[:LONGEST]!r} has {len(word)} characters, but {LONGEST} at "
            "most are pronounced; write it as several"
        )
    scripts = {unicodedata.name(c, "").partition(" ")[0] for c in word if c.isalpha()}
    if len(scripts) > 1 and not scripts <= _WRITTEN_TOGETHER:
        raise NoSoundError(
            f"the word {word!r} mixes {' and '.join(sorted(scripts))} letters, but "
            "those of one script alone are pronounced; write it in one"
        )
