"""ARPA files, which hold n-gram models in every toolkit."""

import contextlib
import math
from collections import Counter
from pathlib import Path

from speechgru.files import read_lines, replace_file
from speechgru.interfaces import InputError
from speechgru.lm.ngram import NGrams

LN_10 = math.log(10)
KENLM = b"mmap lm http://kheafield.com/code"
"""First bytes of a binary language model."""
IMPOSSIBLE = -99.0
"""Stands for the logarithm of 0; of all probabilities at or below it."""

HIGHEST_ORDER = 50
"""Of n-grams that are read; the time for one grows with the square of its length."""

LARGEST_BACKOFF = 1000.0
"""Decimal logarithm, above or below 0; what adds up stays a number."""


def write_arpa(path: str | Path, ngrams: NGrams) -> None:
    """Write an ARPA file; probabilities to seven digits.

    Source:
        The format of Doug Paul's tools: "ARPA n-gram language models",
        manual page ngram-format(5) of SRILM.
    """
    order = max(map(len, ngrams))
    by_order: list[list[tuple[str, ...]]] = [[] for _ in range(order)]
    for ngram in ngrams:
        by_order[len(ngram) - 1].append(ngram)
    lines = ["\\data\\"]
    lines += [f"ngram {n}={len(some)}" for n, some in enumerate(by_order, 1)]
    for n, some in enumerate(by_order, 1):
        lines += ["", f"\\{n}-grams:"]
        for ngram in some:
            log_prob, backoff = ngrams[ngram]
            shown = IMPOSSIBLE if log_prob == -math.inf else log_prob / LN_10
            line = f"{shown:.7g}\t{' '.join(ngram)}"
            # Readers take an absent backoff as 0.
            lines.append(line if n == order else f"{line}\t{backoff / LN_10:.7g}")
    lines += ["", "\\end\\", ""]
    replace_file(path, "\n".join(lines).encode("utf-8"))


def read_arpa(path: str | Path) -> NGrams:
    """Read an ARPA file, which may be compressed by gzip.

    Raises:
        InputError: the file cannot be read, is truncated or binary, or a line of
            it is not what its section says.
    """
    path = Path(path)
    _refuse_binary(path)
    ngrams: dict[tuple[str, ...], tuple[float, float]] = {}
    counts: dict[int, int] = {}
    section: int | None = None  # None: before \data\; 0: in it; n: n-grams
    ended = False
    for number, raw in enumerate(read_lines(path, "an ARPA file"), 1):
        line = raw.strip()
        try:
            if not line:
                continue
            if line == "\\data\\":
                section = 0
            elif line == "\\end\\":
                ended = True
                break
            elif line.startswith("\\") and line.endswith("-grams:"):
                section = _parse_order(line[1 : -len("-grams:")])
            elif section == 0:
                order, _, count = line.removeprefix("ngram ").partition("=")
                counts[_parse_order(order)] = _parse_count(count)
            elif section:
                ngram, values = _parse_ngram(line, section)
                if ngram in ngrams:
                    raise ValueError("an n-gram that is new")
                ngrams[ngram] = values
        except ValueError as error:
            raise InputError(
                f"{path}:{number}: is {line[:80]!r}, expected {error}; the file "
                "is damaged or cut off: write it again, e.g. by speechgru lm"
            ) from None
    if not ended or not counts:
        raise InputError(
            f"{path}: is not a whole ARPA file, expected \\data\\ first and \\end\\ "
            "last; it is truncated or another kind of file: write it again, e.g. by "
            "speechgru lm"
        )
    found = Counter(map(len, ngrams))
    for n in sorted({*counts, *found}):
        if found[n] != counts.get(n, 0):
            raise InputError(
                f"{path}: holds {found[n]} {n}-grams, expected {counts.get(n, 0)} as "
                "its head says; write it again"
            )
    return ngrams


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


def _parse_ngram(line: str, n: int) -> tuple[tuple[str, ...], tuple[float, float]]:
    """Raises ValueError, which says what was expected."""
    fields = line.split()
    if len(fields) not in (n + 1, n + 2):
        raise ValueError(f"a log-probability and {n} words")
    try:
        log_prob, *backoff = map(float, (fields[0], *fields[n + 1 :]))
    except ValueError:
        raise ValueError("numbers at both ends") from None
    if not (log_prob < 1e-4 and all(abs(b) <= LARGEST_BACKOFF for b in backoff)):
        raise ValueError(
            "a log-probability of at most 0, and a backoff of at most "
            f"{LARGEST_BACKOFF:g}"
        )
    natural = -math.inf if log_prob <= IMPOSSIBLE else min(log_prob, 0.0) * LN_10
    return tuple(fields[1 : n + 1]), (natural, sum(backoff) * LN_10)


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
