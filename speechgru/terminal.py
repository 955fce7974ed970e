"""What reaches the terminal: names and texts of strangers never command it."""

import unicodedata
from typing import Any

CONTROLS = {
    code: f"\\u{code:04x}"
    for code in (*range(0x20), *range(0x7F, 0xA0))
    if chr(code) not in "\n\t"
}
"""How each is shown; the same in JSON, within a string."""


def without_controls(text: str) -> str:
    """Show the characters that a terminal would obey, such as escape sequences."""
    return text.translate(CONTROLS)


def fit_tail(text: str, num_columns: int) -> str:
    """The end of a text that fits into so many columns, behind a mark if it is cut.

    >>> fit_tail("one two three", 8)
    '…o three'
    """
    if sum(map(_width, text)) <= num_columns:
        return text
    tail, left = "", num_columns - 1
    for character in reversed(text):
        left -= _width(character)
        if left < 0:
            break
        tail = character + tail
    return f"…{tail}"


def _width(character: str) -> int:
    """Columns that a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class HarmlessStream:
    """A stream of text that passes everything through `without_controls`.

    Args:
        stream: where it goes.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what may be shown."""
        self._stream.write(without_controls(text))
        return len(text)

    def rewrite(self, text: str) -> None:
        """Show a text in place of the line that is being written, on a terminal."""
        self._stream.write(f"\r{without_controls(text)}\x1b[K")
        self._stream.flush()

    def redraw(self, text: str) -> None:
        """Show lines in place of all that a terminal shows."""
        self._stream.write(f"\x1b[H\x1b[J{without_controls(text)}")
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        """All else is the stream's."""
        return getattr(self._stream, name)
