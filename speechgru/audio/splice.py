"""Parts of a stream, and bytes put between them, read as one stream."""

import os
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import RawIOBase
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from typing_extensions import Buffer

Piece = range | bytes
"""Positions in a stream, or bytes that stand in for some of its own."""


@dataclass(frozen=True)
class Part:
    """What a decoder should read as one file.

    Attributes:
        pieces: of the stream, one behind another.
        num_samples: per channel, where the decoder would guess it.
    """

    pieces: tuple[Piece, ...]
    num_samples: int | None = None

    @classmethod
    def of(cls, pieces: Iterable[Piece]) -> "Part":
        """Make one of pieces; neighbours are joined."""
        joined: list[Piece] = []
        for piece in pieces:
            before = joined[-1] if joined else b""
            if (
                isinstance(piece, range)
                and isinstance(before, range)
                and before.stop == piece.start
            ):
                joined[-1] = range(before.start, piece.stop)
            else:
                joined.append(piece)
        return cls(tuple(joined))

    def open(self, stream: BinaryIO) -> BinaryIO:
        """The pieces as a file; the stream itself where it is the only one."""
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        if self.pieces == (range(size),):
            return stream
        return cast(BinaryIO, Splice(stream, self.pieces))


class Splice(RawIOBase):
    """Pieces of a stream, one behind another.

    Args:
        stream: where the ranges count; it can be read at any position.
        pieces: what follows what.
    """

    def __init__(self, stream: BinaryIO, pieces: Sequence[Piece]) -> None:
        super().__init__()
        self._stream = stream
        self._pieces = [piece for piece in pieces if len(piece)]
        # Where each piece begins, and where the last ends.
        self._starts = [0, *accumulate(len(piece) for piece in self._pieces)]
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_CUR: self._position, os.SEEK_END: self._starts[-1]}
        self._position = max(0, base.get(whence, 0) + offset)
        return self._position

    def readinto(self, buffer: "Buffer") -> int:
        """Fill the buffer as far as there are bytes; short only at the end."""
        view = memoryview(buffer).cast("B")
        num_read = 0
        while num_read < len(view) and self._position < self._starts[-1]:
            index = bisect_right(self._starts, self._position) - 1
            piece = self._pieces[index]
            start = self._position - self._starts[index]
            count = min(len(view) - num_read, len(piece) - start)
            if isinstance(piece, range):
                self._stream.seek(piece.start + start)
                chunk = self._stream.read(count)
            else:
                chunk = piece[start : start + count]
            if not chunk:
                break
            view[num_read : num_read + len(chunk)] = chunk
            num_read += len(chunk)
            self._position += len(chunk)
        return num_read
