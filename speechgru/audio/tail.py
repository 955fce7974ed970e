"""What follows the sound of a file, and may be sound itself."""

from typing import BinaryIO

SLACK = 128
"""Bytes that need no explanation: less than 4 ms of sound, or an ID3v1 tag."""

_BLOCK = 1 << 20


def is_empty(stream: BinaryIO, start: int, end: int) -> bool:
    """Whether there are zeros only, or hardly anything."""
    if end - start <= SLACK:
        return True
    stream.seek(start)
    while start < end and (block := stream.read(min(_BLOCK, end - start))):
        if any(block):
            return False
        start += len(block)
    return True
