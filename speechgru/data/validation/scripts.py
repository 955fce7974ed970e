"""Which scripts transcripts are written in, and which of them are strays."""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from speechgru.data.validation.remark import Remark, name_some
from speechgru.interfaces import Utterance

MOST = 64
"""Scripts that are told apart; Unicode has more, one corpus never."""

_SHARED = {"IDEOGRAPHIC", "KATAKANA-HIRAGANA", "MASCULINE", "FEMININE", "MICRO"}
"""First words of the names of letters that several scripts have: 々 ー º ª µ."""


class Scripts:
    """Gives each script a bit, in the order in which they come.

    Attributes:
        names: of the scripts, by the place of the bit.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._bits: dict[str, int] = {}

    def find(self, text: str) -> int:
        """The bits of the scripts that have letters in a text."""
        if text.isascii():
            is_latin = any(map(str.isalpha, text))
            return self._bit("LATIN") if is_latin else 0
        bits = 0
        for character in set(text):
            script = script_of(character)
            if script is not None:
                bits |= self._bit(script)
        return bits

    def remark(
        self,
        split: str,
        utterances: Sequence[Utterance],
        bits: np.ndarray,
        rare: float,
    ) -> Iterator[Remark]:
        """Remark on scripts that few utterances of a split have.

        Args:
            split: its name.
            utterances: of it.
            bits: (N,) uint64, of each, as `find` gives them.
            rare: share of the utterances that is few.
        """
        for place, name in enumerate(self.names[:MOST]):
            found = np.flatnonzero(bits & np.uint64(1 << place))
            if not 0 < len(found) < rare * len(bits):
                continue

            def show(index: int, name: str = name) -> str:
                return _letters(utterances[index].text, name)

            yield Remark(
                "scripts",
                split,
                f"{len(found)} of {len(bits)} transcripts of {split} have letters that "
                f"are {name}: {name_some(utterances, found, show)}; see whether they "
                "are meant, or only look alike",
                found,
            )

    def _bit(self, script: str) -> int:
        if script not in self._bits:
            self._bits[script] = 1 << min(len(self.names), MOST - 1)
            self.names.append(script)
        return self._bits[script]


@lru_cache(maxsize=1 << 16)
def script_of(character: str) -> str | None:
    """The script of a letter, by its name in Unicode; None: it has none of its own.

    >>> script_of("й")
    'CYRILLIC'
    """
    if not character.isalpha():
        return None
    words = unicodedata.name(character, "").split()
    while words and words[0] in ("FULLWIDTH", "HALFWIDTH", "MODIFIER", "LETTER"):
        words = words[1:]
    return words[0] if words and words[0] not in _SHARED else None


def _letters(text: str, script: str) -> str:
    """The words of a text that have letters of a script, a few of them."""
    words = [word for word in text.split() if any(script_of(c) == script for c in word)]
    some = " ".join(words[:3])
    return some if len(some) <= 40 else some[:37] + "..."
