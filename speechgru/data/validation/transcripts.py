"""Transcripts that say nothing, or cannot be spelled."""

from collections.abc import Sequence

from speechgru.data.validation.problem import Found
from speechgru.interfaces import InputError, Tokenizer, Utterance


def check_text(
    utterance: Utterance, tokenizer: Tokenizer | None
) -> tuple[Sequence[int], str, list[Found]]:
    """Encode a transcript.

    Args:
        utterance: whose text is looked at.
        tokenizer: None looks for words only.

    Returns:
        Token ids, and what they spell, none if there is a problem; and the problem.
        Without a tokenizer the text stands for what would be spelled.
    """
    token_ids: Sequence[int] = ()
    text = utterance.text
    found = f"'{text}'" if text.strip() else f"{len(text)} spaces"
    if text.strip():
        if tokenizer is None:
            return (), text.strip(), []
        try:
            token_ids = tokenizer.encode(text)
        except InputError as error:
            return (), "", [("unknown-token", f"{utterance.id}: {error}")]
        spelled = tokenizer.decode(token_ids).strip()
        if spelled:
            return token_ids, spelled, []
        found = f"'{text}', of which normalisation leaves nothing"
    elif not text:
        found = "empty"
    return (
        (),
        "",
        [
            (
                "empty-transcript",
                f"{utterance.id}: transcript is {found}, expected words; "
                "write it or drop the utterance",
            )
        ],
    )
