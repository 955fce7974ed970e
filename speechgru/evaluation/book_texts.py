"""Books as text for a language model, without what is to be recognised."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from speechgru.bounded import read_unpacked
from speechgru.data.texts import read_sentences
from speechgru.evaluation.outputs import check_output
from speechgru.factory import build_corpus
from speechgru.files import read_lines, replace_by_parts
from speechgru.interfaces import InputError
from speechgru.options.corpus import BooksOptions
from speechgru.progress import track
from speechgru.text import books

MOST_SHARED = 50
"""Overlaps of a book that may be quotations; with more, the book itself was read."""


@dataclass
class Found:
    """What became of the books.

    Attributes:
        sentences, words: that were written.
        dropped: sentences that overlap.
        left_out: books, and how many words begin an overlap in each.
    """

    sentences: int
    words: int
    dropped: int
    left_out: Counter[str]

    def describe(self, num_books: int) -> str:
        """The lines for a person."""
        lines = [
            f"{num_books - len(self.left_out)} books, {self.sentences} sentences, "
            f"{self.words} words; {self.dropped} sentences dropped that overlap"
        ]
        lines += [
            f"left out: {name}, {number} overlaps"
            for name, number in self.left_out.most_common()
        ]
        return "\n".join(lines)


def write_books(files: Sequence[str], options: BooksOptions) -> tuple[Path, str]:
    """Write the sentences of books, one a line.

    Args:
        files: of Project Gutenberg's plain texts.
        options: of the command.

    Returns:
        The file, and what was written and dropped, in words.

    Raises:
        InputError: a file cannot be read, or nothing remains.
    """
    output = options.output or Path("lm", "books.txt")
    check_output(output)
    known = Overlaps(options.overlap)
    for text in _read_known(options):
        known.add(text)
    found = Found(0, 0, 0, Counter())
    replace_by_parts(output, _write_parts(files, known, found))
    return output, found.describe(len(files))


def _read_known(options: BooksOptions) -> Iterator[str]:
    """The texts that are to be recognised."""
    if options.corpus is not None:
        corpus = build_corpus(options.corpus, options.trust)
        for split in corpus.splits:
            yield from (utterance.text for utterance in corpus.read(split))
    yield from (text for _, text in read_sentences(options.without))


def _write_parts(
    files: Sequence[str], known: "Overlaps", found: Found
) -> Iterator[bytes]:
    for name in track(files, "books: reading", "books"):
        sentences = list(books.read_sentences(_read_text(name)))
        overlapping, number = known.find(sentences)
        if number > MOST_SHARED:
            found.left_out[name] = number
            continue
        kept = [
            sentence
            for place, sentence in enumerate(sentences)
            if place not in overlapping
        ]
        found.dropped += len(overlapping)
        found.sentences += len(kept)
        found.words += sum(len(sentence.split()) for sentence in kept)
        yield "".join([f"{sentence}\n" for sentence in kept]).encode()
    if not found.sentences:
        raise InputError(
            f"{len(files)} books: no sentence remains, expected some; name other books"
        )


def _read_text(name: str) -> str:
    """A book in UTF-8, or in Latin 1 as older files are."""
    try:
        return "\n".join(read_lines(name, "a book as plain text"))
    except InputError as error:
        if not isinstance(error.__cause__, UnicodeDecodeError):
            raise
        content = read_unpacked(name)
        if b"\0" in content:  # as UTF-16 has
            raise
        return content.decode("latin-1")


class Overlaps:
    """Runs of words that texts have in common.

    Args:
        length: words of a run.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._known: set[str] = set()

    def add(self, text: str) -> None:
        """Remember the runs of a text."""
        words = books.in_letters(text).split()
        self._known.update(self._runs(words))

    def find(self, sentences: Iterable[str]) -> tuple[set[int], int]:
        """Sentences that share a known run, across their ends as well; and how many."""
        words: list[str] = []
        places: list[int] = []
        for place, sentence in enumerate(sentences):
            some = sentence.split()
            words += some
            places += [place] * len(some)
        overlapping: set[int] = set()
        number = 0
        for begin, run in enumerate(self._runs(words)):
            if run in self._known:
                number += 1
                overlapping.update(places[begin : begin + self._length])
        return overlapping, number

    def _runs(self, words: Sequence[str]) -> Iterator[str]:
        for begin in range(len(words) - self._length + 1):
            yield " ".join(words[begin : begin + self._length])
