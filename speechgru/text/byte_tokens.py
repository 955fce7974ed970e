"""Tokens that are one byte of UTF-8, for characters that have no token.

A byte is written as sentencepiece does, e.g. <0xC3>.
"""

from collections.abc import Iterable, Sequence

BYTE_TOKENS = tuple(f"<0x{byte:02X}>" for byte in range(256))
_BYTES = {token: byte for byte, token in enumerate(BYTE_TOKENS)}

BROKEN = "\N{REPLACEMENT CHARACTER}"
"""Stands for bytes that are no character."""

_FIRST_UNIT = 0xDC00
"""Of 256 code points that no text holds, lone surrogates; each stands for a byte."""


def join_tokens(tokens: Iterable[str]) -> str:
    """Put the texts of tokens together; bytes in a row are decoded as UTF-8.

    A model may emit bytes in any order. What is no character, or is white space,
    which would end a word, becomes the replacement character.

    >>> join_tokens([" caf", "<0xC3>", "<0xA9>", " <", "<0xC3>", "e"])
    ' café <�e'
    """
    parts: list[str] = []
    run = bytearray()
    for token in tokens:
        byte = _BYTES.get(token)
        if byte is not None:
            run.append(byte)
            continue
        if run:
            parts.append(_decode(run))
            run.clear()
        parts.append(token)
    if run:
        parts.append(_decode(run))
    return "".join(parts)


def _decode(run: bytearray) -> str:
    text = run.decode("utf-8", errors="replace")
    return "".join(BROKEN if character.isspace() else character for character in text)


class Spelling:
    """How tokens spell a text: in characters, and others in bytes where there are any.

    Both are units here, one Python character each, so that a text is walked along
    as a string whatever its tokens are.

    Args:
        tokens: all of them, the blank first.

    Attributes:
        units: of each token; of the blank none.
        known: all units.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self.units = ("", *(_to_units(token) for token in tokens[1:]))
        self.known = frozenset("".join(self.units))
        self._has_bytes = any(token in _BYTES for token in tokens)

    def __call__(self, text: str) -> str:
        """The units of a text; those that no token has are not in `known`."""
        if not self._has_bytes:
            return text
        return "".join(
            character
            if character in self.known
            else "".join(chr(_FIRST_UNIT + byte) for byte in character.encode())
            for character in text
        )


def _to_units(token: str) -> str:
    byte = _BYTES.get(token)
    return token if byte is None else chr(_FIRST_UNIT + byte)
