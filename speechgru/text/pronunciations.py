"""Files of words and how they are pronounced."""

from collections.abc import Iterator
from pathlib import Path

from speechgru.files import read_lines


def read_pronunciations(path: str | Path) -> Iterator[tuple[int, str, list[str]]]:
    """Read words, one a line, perhaps each with what it is made of.

    The format is flashlight's, and of many pronouncing dictionaries: the word, white
    space, its phones with white space between.

    Yields:
        Number of the line, the word, its phones; lines without words are left out.

    Raises:
        InputError: the file cannot be read.
    """
    for number, line in enumerate(read_lines(path, "a lexicon, one word a line"), 1):
        if words := line.split():
            yield number, words[0], words[1:]
