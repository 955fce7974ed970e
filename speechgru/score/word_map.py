"""Words that are counted as others, such as phones that are scored as one."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from speechgru.interfaces import InputError
from speechgru.ranges import OptionError
from speechgru.score.results import Result, make_result

_log = logging.getLogger(__name__)


class WordMap:
    """Replace words by those that they count as, in references and hypotheses alike.

    Mapping twice changes nothing, so it does not matter whether a text was mapped.

    Args:
        name: stands in the results.
        words: what each counts as, normalised as the transcripts are; None: nothing,
            it is left out. Words that are not here count as themselves.

    Raises:
        OptionError: the name is empty, there are no words, one is none or several,
            or one is mapped to what is mapped on.

    Examples:
        >>> phones = WordMap("few", {"zh": "sh", "cl": "sil", "q": None})
        >>> phones("zh ih q cl")
        'sh ih sil'
    """

    def __init__(self, name: str, words: Mapping[str, str | None]) -> None:
        if not name:
            raise OptionError("name is empty, expected what results are to call it")
        if not isinstance(words, Mapping) or not words:
            raise OptionError(
                f"words is {words!r}, expected some words and what they count as"
            )
        for word, other in words.items():
            if not _is_word(word):
                raise OptionError(f"words has {word!r}, expected one word each")
            if other is None:
                continue
            if not _is_word(other):
                raise OptionError(
                    f"words.{word} is {other!r}, expected one word, in quotes if it "
                    "looks like something else, or null"
                )
            if words.get(other, other) != other:
                raise OptionError(
                    f"words.{word} is {other!r}, which counts as {words[other]!r}, "
                    "expected that at once"
                )
        self.name = name
        self.words = dict(words)

    def __call__(self, text: str) -> str:
        """Map the words of a text, which white space separates."""
        return " ".join(
            other
            for word in text.split()
            if (other := self.words.get(word, word)) is not None
        )


def _is_word(value: object) -> bool:
    return isinstance(value, str) and len(value.split()) == 1


def map_results(results: Sequence[Result], word_map: WordMap | None) -> list[Result]:
    """Map what was said and what was heard, and align it anew.

    What it was before stays in the results. Warn if no word is mapped at all.

    Args:
        results: not mapped yet, or by a map of this name.
        word_map: None: the results stay as they are.

    Raises:
        InputError: they were mapped by another map.
    """
    if word_map is None:
        return list(results)
    mapped = [_map_result(result, word_map) for result in results]
    if not any(_words_of(result) & word_map.words.keys() for result in results):
        _log.warning(
            "word_map: none of the words of %s was said or heard, e.g. %s; they are "
            "expected as transcripts have them after normalisation",
            word_map.name,
            next(iter(word_map.words)),
        )
    return mapped


def _words_of(result: Result) -> set[str]:
    """Before any map."""
    original = result.unmapped or (result.reference, result.hypothesis)
    return {word for text in original for word in text.split()}


def _map_result(result: Result, word_map: WordMap) -> Result:
    if result.mapped_by not in (None, word_map.name):
        raise InputError(
            f"{result.id}: was mapped by {result.mapped_by}, expected words that were "
            f"not mapped, or by {word_map.name}; evaluate again with "
            f"word_map={word_map.name}"
        )
    aligned = make_result(
        result.id,
        word_map(result.reference),
        word_map(result.hypothesis),
        result.scoring,
    )
    words = tuple(
        replace(word, text=text)
        for word in result.words
        if (text := word_map(word.text)) or not word.text
    )
    return replace(
        result,
        reference=aligned.reference,
        hypothesis=aligned.hypothesis,
        alignment=aligned.alignment,
        confidence=result.confidence if aligned.hypothesis else None,
        words=words,
        mapped_by=word_map.name,
        unmapped=result.unmapped or (result.reference, result.hypothesis),
    )
