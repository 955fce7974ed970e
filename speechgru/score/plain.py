"""Whether a system's errors are of case and punctuation, not of words."""

import unicodedata
from collections.abc import Iterable, Sequence

from speechgru.score.counts import ErrorCounts, count_word_errors, error_rate
from speechgru.score.results import Result

SHARE = 0.2
"""Of the errors; so many fewer are worth a hint."""


def hint_at_form(results: Sequence[Result]) -> str | None:
    """Say so, if many words are wrong by nothing but their form.

    Returns:
        The error rate that is left without case and punctuation; None where they
        make little difference.
    """
    edits = sum(result.word_errors.edits for result in results)
    alien = _characters(r.hypothesis for r in results) - _characters(
        r.reference for r in results
    )
    if not any(c.isalpha() or not c.isalnum() for c in alien):
        return None
    counts = sum(
        (count_word_errors(plain(r.reference), plain(r.hypothesis)) for r in results),
        start=ErrorCounts(),
    )
    if edits - counts.edits < SHARE * edits:
        return None
    rate = error_rate(counts.edits, counts.reference_length)
    return (
        f"of its {edits} word errors {edits - counts.edits} are of case or "
        f"punctuation: without both its WER is {100 * rate:.2f} %; bring its texts to "
        "the form of the references"
    )


def plain(text: str) -> str:
    """A text without case, and without punctuation but apostrophes."""
    text = unicodedata.normalize("NFC", text).casefold()
    kept = (
        c if c == "'" or c.isspace() or unicodedata.category(c)[0] in "LMN" else " "
        for c in text
    )
    return " ".join("".join(kept).split())


def _characters(texts: Iterable[str]) -> set[str]:
    return {character for text in texts for character in text}
