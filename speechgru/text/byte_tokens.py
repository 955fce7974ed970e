"""Tokens that are one byte of UTF-8, for characters that have no token.

A byte is written as sentencepiece does, e.g. <0xC3>.
"""

from collections.abc import Iterable

BYTE_TOKENS = tuple(f"<0x{byte:02X}>" for byte in range(256))
BYTES = {token: byte for byte, token in enumerate(BYTE_TOKENS)}

BROKEN = "\N{REPLACEMENT CHARACTER}"
"""Stands for bytes that are no character."""


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
        byte = BYTES.get(token)
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
