"""Names of many files in one, as the shell writes them."""

import itertools
import re

from speechgru.interfaces import InputError

MOST_NAMES = 100_000

_BRACES = re.compile(r"\{([^{}]*)\}")


def expand_braces(pattern: str) -> list[str]:
    """All names of a pattern of {first..last} and {one,other}.

    _OP_ and _CL_ are braces, too, as NeMo writes them where a shell would take those.

    >>> expand_braces("audio_{08..10}.tar")
    ['audio_08.tar', 'audio_09.tar', 'audio_10.tar']

    Raises:
        InputError: there would be too many, or none.
    """
    pattern = pattern.replace("_OP_", "{").replace("_CL_", "}")
    pieces = _BRACES.split(pattern)
    choices = [
        _choices(piece, pattern) if place % 2 else [piece]
        for place, piece in enumerate(pieces)
    ]
    count = 1
    for each in choices:
        count *= len(each)
    if count > MOST_NAMES:
        raise _too_many(pattern)
    return ["".join(parts) for parts in itertools.product(*choices)]


def _choices(inside: str, pattern: str) -> list[str]:
    numbers = re.fullmatch(r"(\d{1,9})\.\.(\d{1,9})", inside)
    if numbers is None:
        return inside.split(",")
    first, last = int(numbers[1]), int(numbers[2])
    if last < first:
        raise InputError(
            f"{pattern}: {{{inside}}} counts down, expected the lower number first; "
            "correct the braces"
        )
    if last - first >= MOST_NAMES:
        raise _too_many(pattern)
    width = len(numbers[1]) if numbers[1].startswith("0") else 0
    return [f"{number:0{width}}" for number in range(first, last + 1)]


def _too_many(pattern: str) -> InputError:
    return InputError(
        f"{pattern}: stands for more than {MOST_NAMES} files, expected fewer; correct "
        "the braces"
    )
