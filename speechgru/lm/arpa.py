"""ARPA files, which hold n-gram models in every toolkit."""

import contextlib
import math
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from speechgru.files import read_lines, replace_by_parts
from speechgru.interfaces import InputError
from speechgru.lm.table import (
    BLOCK,
    NGramTable,
    TableBuilder,
    blocks,
    missing_beginning,
)

LN_10 = math.log(10)
KENLM = b"mmap lm http://kheafield.com/code"
"""First bytes of a binary language model."""
IMPOSSIBLE = -99.0
"""Stands for the logarithm of 0; of all probabilities at or below it."""

HIGHEST_ORDER = 50
"""Of n-grams that are read; the time for one grows with the square of its length."""

NEW = "an n-gram that is new"
"""What is expected of every line."""

LARGEST_BACKOFF = 1000.0
"""Decimal logarithm, above or below 0; what adds up stays a number."""


def write_arpa(path: str | Path, ngrams: NGramTable) -> None:
    """Write an ARPA file; probabilities to seven digits.

    One whose name ends in .gz is compressed by gzip.

    Source:
        The format of Doug Paul's tools: "ARPA n-gram language models",
        manual page ngram-format(5) of SRILM.
    """
    parts = _write_parts(ngrams)
    replace_by_parts(path, _compress(parts) if Path(path).suffix == ".gz" else parts)


def _compress(parts: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=31)  # with gzip's header
    for part in parts:
        yield packer.compress(part)
    yield packer.flush()


def _write_parts(ngrams: NGramTable) -> Iterator[bytes]:
    """The file, block by block."""
    lines = ["\\data\\"]
    lines += [f"ngram {n}={number}" for n, number in enumerate(ngrams.numbers, 1)]
    yield _join(lines)
    for n in range(1, ngrams.order + 1):
        yield _join(["", f"\\{n}-grams:"])
        for begin, end in blocks(ngrams.ends[n - 1], ngrams.ends[n], BLOCK):
            log_probs = ngrams.log_probs[begin:end].astype(np.float64) / LN_10
            log_probs[np.isneginf(log_probs)] = IMPOSSIBLE
            backoffs = ngrams.backoffs[begin:end].astype(np.float64) / LN_10
            lines = []
            for ids, log_prob, backoff in zip(
                ngrams.spell(begin, end, n).tolist(),
                log_probs.tolist(),
                backoffs.tolist(),
                strict=True,
            ):
                line = f"{log_prob:.7g}\t{' '.join([ngrams.words[id] for id in ids])}"
                # Readers take an absent backoff as 0.
                lines.append(line if n == ngrams.order else f"{line}\t{backoff:.7g}")
            yield _join(lines)
    yield _join(["", "\\end\\"])


def _join(lines: Sequence[str]) -> bytes:
    return "".join([f"{line}\n" for line in lines]).encode("utf-8")


def read_arpa(path: str | Path) -> NGramTable:
    """Read an ARPA file, which may be compressed by gzip.

    Raises:
        InputError: the file cannot be read, is truncated or binary, or a line of
            it is not what its section says.
    """
    path = Path(path)
    _refuse_binary(path)
    counts: dict[int, int] = {}
    sections: dict[int, _Section] = {}
    ids: dict[str, int] = {}
    section: _Section | None = None
    is_head = ended = False
    for number, raw in enumerate(read_lines(path, "an ARPA file"), 1):
        line = raw.strip()
        try:
            if not line:
                continue
            if line == "\\data\\":
                is_head, section = True, None
            elif line == "\\end\\":
                ended = True
                break
            elif line.startswith("\\") and line.endswith("-grams:"):
                n = _parse_order(line[1 : -len("-grams:")])
                section = sections.setdefault(n, _Section(n, ids))
            elif section is not None:
                section.add(line, number)
            elif is_head:
                order, _, count = line.removeprefix("ngram ").partition("=")
                counts[_parse_order(order)] = _parse_count(count)
        except InputError as error:
            raise InputError(f"{path}:{number}: {error}") from None
        except ValueError as error:
            raise _refuse_line(path, number, line, str(error)) from None
    if not ended or not counts:
        raise InputError(
            f"{path}: is not a whole ARPA file, expected \\data\\ first and \\end\\ "
            "last; it is truncated or another kind of file: write it again, e.g. by "
            "speechgru lm"
        )
    for n in sorted({*counts, *sections}):
        found = len(sections[n].lines) if n in sections else 0
        if found != counts.get(n, 0):
            raise InputError(
                f"{path}: holds {found} {n}-grams, expected {counts.get(n, 0)} as "
                "its head says; write it again"
            )
    return _tabulate(path, sections, ids)


class _Section:
    """The n-grams of one length, as they are read.

    Args:
        n: words of each.
        ids: of the words; those of the n-grams of one word are added.

    Attributes:
        words: their ids, one n-gram after the other.
        values: likewise, a log-probability and a backoff weight.
        lines: that they stand in.
    """

    def __init__(self, n: int, ids: dict[str, int]) -> None:
        self.n = n
        self.words = array("i")
        self.values = array("d")
        self.lines = array("q")
        self._ids = ids

    def add(self, line: str, number: int) -> None:
        """Read a line. Raises ValueError, which says what was expected."""
        ngram, values = _parse_ngram(line, self.n)
        if self.n == 1:
            if ngram[0] in self._ids:
                raise ValueError(NEW)
            self._ids[ngram[0]] = len(self._ids)
        try:
            self.words.extend([self._ids[word] for word in ngram])
        except KeyError:
            new = next(word for word in ngram if word not in self._ids)
            raise missing_beginning(ngram, (new,)) from None
        self.values.extend(values)
        self.lines.append(number)


def _tabulate(
    path: Path, sections: Mapping[int, _Section], ids: Mapping[str, int]
) -> NGramTable:
    """Lay the sections out. Raises InputError: an n-gram is there twice."""
    builder = TableBuilder(tuple(ids))
    for n in range(1, max(sections, default=0) + 1):
        section = sections.get(n, _Section(n, {}))
        words = np.array(section.words, dtype=np.int64).reshape(-1, n)
        values = np.array(section.values).reshape(-1, 2)
        for row in builder.add(words, values)[:1].tolist():
            names = list(ids)
            ngram = " ".join(names[id] for id in words[row])
            raise _refuse_line(path, section.lines[row], ngram, NEW)
    return builder.build()


def _refuse_line(path: Path, number: int, line: str, expected: str) -> InputError:
    return InputError(
        f"{path}:{number}: is {line[:80]!r}, expected {expected}; the file "
        "is damaged or cut off: write it again, e.g. by speechgru lm"
    )


def _refuse_binary(path: Path) -> None:
    """Name KenLM's own formats, from which nothing makes text again."""
    beginning = b""
    with contextlib.suppress(OSError, ValueError):  # told when it is read as text
        if path.is_file():  # what is read of a pipe is gone, or never comes
            with path.open("rb") as file:
                beginning = file.read(len(KENLM))
    if beginning == KENLM:
        raise InputError(
            f"{path}: is a binary file of KenLM's build_binary, expected an ARPA file; "
            "name the .arpa or .arpa.gz that it was made from"
        )


def _parse_ngram(line: str, n: int) -> tuple[list[str], tuple[float, float]]:
    """Raises ValueError, which says what was expected."""
    fields = line.split()
    if len(fields) not in (n + 1, n + 2):
        raise ValueError(f"a log-probability and {n} words")
    try:
        log_prob = float(fields[0])
        backoff = float(fields[-1]) if len(fields) == n + 2 else 0.0
    except ValueError:
        raise ValueError("numbers at both ends") from None
    if not (log_prob < 1e-4 and -LARGEST_BACKOFF <= backoff <= LARGEST_BACKOFF):
        raise ValueError(
            "a log-probability of at most 0, and a backoff of at most "
            f"{LARGEST_BACKOFF:g}"
        )
    natural = -math.inf if log_prob <= IMPOSSIBLE else min(log_prob, 0.0) * LN_10
    return fields[1 : n + 1], (natural, backoff * LN_10)


def _parse_order(text: str) -> int:
    order = _parse_count(text)
    if not 1 <= order <= HIGHEST_ORDER:
        raise ValueError(f"n-grams of 1 to {HIGHEST_ORDER} words")
    return order


def _parse_count(text: str) -> int:
    digits = text.strip()
    if not digits.isdecimal() or len(digits) > 18:
        raise ValueError("a count of at most 18 digits")
    return int(digits)
