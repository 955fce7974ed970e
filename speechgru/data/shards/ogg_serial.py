"""The number of an Ogg stream, which encoders draw at random.

Source: RFC 3533, section 6.
"""

import struct

from speechgru.audio.ogg import page_checksum

_HEADER = 27  # bytes, before the table of segments


def set_serial(content: bytes, serial: int) -> bytes:
    """Give every page of an Ogg file another serial number, and its checksum anew.

    Args:
        content: a whole file of one stream, just encoded.
        serial: 32 bits.
    """
    pages, position = [], 0
    while position < len(content):
        sizes = content[position + _HEADER :][: content[position + _HEADER - 1]]
        end = position + _HEADER + len(sizes) + sum(sizes)
        page = bytearray(content[position:end])
        page[14:18] = struct.pack("<I", serial)
        page[22:26] = bytes(4)
        page[22:26] = struct.pack("<I", page_checksum(bytes(page)))
        pages.append(bytes(page))
        position = end
    return b"".join(pages)
