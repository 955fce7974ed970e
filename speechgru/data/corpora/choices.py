"""Options of a corpus that are one of some words."""

from collections.abc import Sequence

from speechgru.interfaces import InputError
from speechgru.ranges import nearest


def check_choice(option: str, value: str, known: Sequence[str]) -> None:
    """See that an option of a corpus is one of its words.

    Args:
        option: its name, without the corpus.
        value: as it was given, which may be no word at all.
        known: the words.

    Raises:
        InputError: it is another.
    """
    if value not in known:
        raise InputError(
            f"corpus.{option} is {value!r}, expected one of: {', '.join(known)}"
            f"{nearest(str(value), known)}"
        )
