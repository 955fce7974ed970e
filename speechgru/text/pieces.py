"""What the pieces of words may be, and how words may be cut into them."""

from collections.abc import Sequence
from typing import Literal, get_args

from speechgru.interfaces import InputError
from speechgru.ranges import PROBABILITY, SIZE, OptionError, Range, check, nearest
from speechgru.text.byte_tokens import BYTE_TOKENS
from speechgru.text.normalize import TextNormalizer, describe_character
from speechgru.text.tokenizer import find_cause, occurs

Kind = Literal["unigram", "bpe"]

LONGEST_PIECE = 100
"""Characters; sentencepiece learns 16 at most."""

SCORE = Range(-1e9, 1e9)


def check_options(kind: str, sampling: float | None) -> None:
    """See how words are to be cut. Raises OptionError."""
    if kind not in get_args(Kind):
        raise OptionError(
            f"kind is {kind!r}, expected one of: {', '.join(get_args(Kind))}"
            f"{nearest(str(kind), get_args(Kind))}"
        )
    if sampling is not None:
        check("sampling", sampling, PROBABILITY)


def check_pieces(
    pieces: Sequence[str], scores: Sequence[float], normalizer: TextNormalizer
) -> None:
    """See that pieces, be they a stranger's, are such as can be learnt.

    Raises:
        InputError: one is not, or they are too many.
    """
    lists = (list, tuple)
    if not isinstance(pieces, lists) or not isinstance(scores, lists):
        raise InputError("text.pieces and text.scores are no lists, expected two")
    if len(pieces) != len(scores) or len(pieces) not in SIZE:
        raise InputError(
            f"text.pieces holds {len(pieces)} and text.scores {len(scores)}, expected "
            f"as many of both, {SIZE}"
        )
    for score in scores:
        if score not in SCORE:
            raise InputError(f"text.scores holds {score!r}, expected {SCORE}")
    taken = {"<blank>", *BYTE_TOKENS}
    for piece in pieces:
        is_text = isinstance(piece, str) and 0 < len(piece) <= LONGEST_PIECE
        if not is_text or piece in taken or " " in piece[1:]:
            raise InputError(
                f"text.pieces holds {str(piece)[:LONGEST_PIECE]!r}, expected texts of "
                f"1 to {LONGEST_PIECE} characters, each once, with no space but the "
                "first character; remove it"
            )
        taken.add(piece)
    for character in sorted(set("".join(pieces))):
        if not occurs(character, normalizer):
            raise InputError(
                f"text.pieces holds {describe_character(character)}, which can never "
                f"occur after {find_cause(character, normalizer)}; "
                "remove its pieces or change that option"
            )
