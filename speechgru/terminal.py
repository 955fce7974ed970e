"""What reaches the terminal: names and texts of strangers never command it."""

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

    def __getattr__(self, name: str) -> Any:
        """All else is the stream's."""
        return getattr(self._stream, name)
