"""Words that a model has run together over a pause."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from speechgru.decode.spans import group_words
from speechgru.interfaces import Hypothesis, PhoneticTokenizer, Span, Tokenizer
from speechgru.text.byte_tokens import BYTE_TOKENS

PAUSE = 0.3
"""s without a token, in which no word goes on."""


def break_at_pauses(
    hypothesis: Hypothesis, tokenizer: Tokenizer, pause: float = PAUSE
) -> Hypothesis:
    """End words where no token falls for a while; tokens, score and others stay.

    A model that was trained on utterances has never heard one word end long before
    another begins, and may not say so. Of an utterance by itself nothing should be
    broken: where a weak model leaves out tokens is no pause. Where no token is a space,
    or begins with one, words are not parted by spaces, and nothing is broken; nor where
    tokens are phones, of which no part of a word is a word.

    Args:
        hypothesis: of a decoder.
        tokenizer: of the same tokens.
        pause: s.
    """
    has_spaces = any(token.startswith(" ") for token in tokenizer.tokens)
    is_written_so = has_spaces and not isinstance(tokenizer, PhoneticTokenizer)
    stretches = _part(hypothesis.tokens, pause) if is_written_so else []
    if len(stretches) < 2:
        return hypothesis
    words = tuple(word for stretch in stretches for word in group_words(stretch))
    return replace(hypothesis, text=" ".join(word.text for word in words), words=words)


def _part(tokens: Sequence[Span], pause: float) -> list[list[Span]]:
    """Tokens between pauses, which are longer where tokens have several characters."""
    stretches: list[list[Span]] = [[*tokens[:1]]]
    for before, token in pairwise(tokens):
        longest = max(len(before.text.strip()), len(token.text))
        is_pause = token.start - before.end >= pause * longest
        is_inside = not before.text.isspace() and not token.text.startswith(" ")
        if is_pause and is_inside and token.text not in BYTE_TOKENS:
            stretches.append([])
        stretches[-1].append(token)
    return stretches
