"""Language models in files of either form."""

from pathlib import Path

from speechgru.lm.arpa import read_arpa
from speechgru.lm.binary import is_binary, read_binary
from speechgru.lm.table import NGramTable


def read_table(path: str | Path) -> NGramTable:
    """Read an ARPA file, or open a binary one. Raises InputError."""
    return read_binary(path) if is_binary(path) else read_arpa(path)
