"""The CRC-16 by which LAME protects the frames of an MP3."""

import math

import numpy as np

_POLYNOMIAL = 0xA001  # x^16 + x^15 + x^2 + 1, lowest bit first


def _make_table() -> np.ndarray:
    table: np.ndarray = np.arange(256, dtype=np.uint16)
    for _ in range(8):
        table = table >> 1 ^ np.where(table & 1, _POLYNOMIAL, 0).astype(np.uint16)
    return table


_TABLE = _make_table()


def crc16(data: bytes) -> int:
    """The checksum of some bytes, from 0; about 200 MB/s.

    The bytes are cut into rows, which advance together; a row's result is
    then carried over the bytes of the next one.

    >>> hex(crc16(b"123456789"))
    '0xbb3d'
    """
    num_rows = math.isqrt(len(data)) + 1
    length = -(-len(data) // num_rows)
    # Zeros in front change nothing, since the checksum begins at 0.
    padded = np.zeros(num_rows * length, dtype=np.uint8)
    padded[len(padded) - len(data) :] = np.frombuffer(data, dtype=np.uint8)
    rows = padded.reshape(num_rows, length)
    # Beside the rows, what becomes of every low and every high byte.
    bytes_alone = np.arange(256, dtype=np.uint16)
    states = np.zeros(num_rows + 512, dtype=np.uint16)
    states[num_rows:] = np.concatenate([bytes_alone, bytes_alone << 8])
    incoming = np.zeros(num_rows + 512, dtype=np.uint8)
    for column in range(length):
        incoming[:num_rows] = rows[:, column]
        states = states >> 8 ^ _TABLE[states & 0xFF ^ incoming]
    low, high = states[num_rows : num_rows + 256], states[num_rows + 256 :]
    crc = 0
    for state in states[:num_rows]:
        crc = int(low[crc & 0xFF] ^ high[crc >> 8] ^ state)
    return crc
