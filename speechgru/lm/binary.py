"""A table of n-grams in a file that need not be read to be used."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from speechgru.files import reason, replace_by_parts
from speechgru.interfaces import InputError
from speechgru.lm.table import NGramTable, blocks
from speechgru.lm.table_writer import ARRAYS

MAGIC = b"speechgru n-grams 1\n"
"""First bytes of such a file. Then come a line of JSON, the words, one a line, and
the arrays of the table in little-endian order, each from a multiple of 64 on."""

EXTENSION = ".ngrams"
MOST_HEAD = 1 << 16
"""Bytes of the line of JSON."""

ALIGNED = 64
BLOCK = 1 << 20


def write_binary(path: str | Path, ngrams: NGramTable) -> None:
    """Write a table. Raises InputError: the file cannot be written."""
    replace_by_parts(path, _write_parts(ngrams))


def _write_parts(ngrams: NGramTable) -> Iterator[bytes]:
    words = "".join([f"{word}\n" for word in ngrams.words]).encode()
    head = json.dumps({"ends": ngrams.ends, "bytes_of_words": len(words)})
    text = MAGIC + head.encode() + b"\n" + words
    yield text
    size = len(text)
    for name, dtype in ARRAYS.items():
        padding = -size % ALIGNED
        yield bytes(padding)
        array = getattr(ngrams, name)
        for begin, end in blocks(0, len(array), BLOCK):
            yield array[begin:end].astype(_little(dtype)).tobytes()
        size += padding + len(array) * np.dtype(dtype).itemsize


def is_binary(path: str | Path) -> bool:
    """Whether a file begins as one of these does."""
    with contextlib.suppress(OSError, ValueError):  # told when it is read
        if Path(path).is_file():
            with Path(path).open("rb") as file:
                return file.read(len(MAGIC)) == MAGIC
    return False


def read_binary(path: str | Path) -> NGramTable:
    """Open a table, which stays in the file.

    Raises:
        InputError: the file cannot be read, or is damaged.
    """
    try:
        size = os.stat(path).st_size
        with open(path, "rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise ValueError(f"does not begin with {MAGIC.decode().strip()!r}")
            head = json.loads(file.readline(MOST_HEAD))
            ends, num_bytes = _check_head(head, size)
            words = file.read(num_bytes).decode().split("\n")[:-1]
            place = file.tell()
        if len(words) != ends[1] - 1 or len({*words}) != len(words):
            raise ValueError(f"has {len(words)} words, some of them perhaps twice")
        arrays = []
        for dtype in map(_little, ARRAYS.values()):
            place += -place % ALIGNED
            if place + ends[-1] * dtype.itemsize > size:
                raise ValueError("is cut off")
            # To be written on, for torch, but never in the file.
            arrays.append(
                np.memmap(path, dtype, mode="c", offset=place, shape=(ends[-1],))
            )
            place += ends[-1] * dtype.itemsize
        table = NGramTable(words, ends, *arrays)
        _check_table(table)
    except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise InputError(
            f"{path}: is no whole file of n-grams ({reason(error)}); write it again by "
            "speechgru lm"
        ) from error
    return table


def _little(dtype: Any) -> np.dtype:
    little: np.dtype = np.dtype(dtype).newbyteorder("<")
    return little


def _check_head(head: dict[str, Any], size: int) -> tuple[list[int], int]:
    """Raises ValueError, TypeError or LookupError."""
    ends, num_bytes = head["ends"], head["bytes_of_words"]
    numbers = [*ends, num_bytes]
    if not all(type(number) is int and 0 <= number <= size for number in numbers):
        raise ValueError("its head holds what is no count")
    if len(ends) < 2 or ends[0] != 1 or ends != sorted(ends):
        raise ValueError("its n-grams are not in order")
    return ends, num_bytes


def _check_table(table: NGramTable) -> None:
    """See that searches in it end, and sums are numbers. Raises ValueError."""
    if not np.array_equal(table.node_keys[: len(table.words) + 1], _first_keys(table)):
        raise ValueError("its words are not in order")
    for n in range(1, table.order + 1):
        for begin, end in blocks(table.ends[n - 1], table.ends[n], BLOCK):
            keys = table.node_keys[begin - 1 : end]
            contexts = keys[1:] // len(table.words)
            low = table.ends[n - 2] if n > 1 else 0
            is_sorted = (np.diff(keys) > 0).all()
            if not is_sorted or contexts[0] < low or contexts[-1] >= table.ends[n - 1]:
                raise ValueError(f"its {n}-grams are not in order")
            shorter = table.shorter[begin:end]
            if shorter.min() < 0 or shorter.max() >= table.ends[n - 1]:
                raise ValueError(f"its {n}-grams end in none")
            log_probs, backoffs = table.log_probs[begin:end], table.backoffs[begin:end]
            if not ((log_probs <= 0).all() and np.isfinite(backoffs).all()):
                raise ValueError(f"its {n}-grams have values that are no logarithms")


def _first_keys(table: NGramTable) -> np.ndarray:
    return np.arange(-1, len(table.words))
