"""`speechgru books`: text for a language model from books."""

import sys
from collections.abc import Sequence

from speechgru.cli.config import read_command_line
from speechgru.files import printable
from speechgru.options import BooksOptions

USAGE = """
usage: speechgru books BOOK [BOOK ...] [corpus=NAME] [KEY=VALUE ...]

Write the sentences of English books, plain texts of Project Gutenberg, one a line in
the form of LibriSpeech's transcripts. What shares a run of words with the corpus is
dropped, and a book with many such runs as a whole.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(BooksOptions, arguments, USAGE, (1, sys.maxsize))
    from speechgru.evaluation.book_texts import write_books

    output, description = write_books(line.positional, line.options)
    print(description)
    print(f"text: {printable(str(output))}")
    return 0
