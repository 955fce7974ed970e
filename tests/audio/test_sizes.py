"""Size fields that are wrong: all the sound, or an error with both numbers."""

import os
import struct
import threading

import numpy as np
import pytest
import torch
from audio.sounds import RATE, encode, make_noise, replace_at

from speechgru.audio import AudioError, inspect_audio, read_audio

NOISE = torch.from_numpy(make_noise())
SIZE = 2 * len(NOISE)  # bytes of sound
WAV, AIFF, AU, CAF, W64, RF64, SPH = (
    encode(make_noise(), kind)
    for kind in ("wav", "aiff", "au", "caf", "w64", "rf64", "sph")
)


def wav(size: int) -> bytes:
    return replace_at(WAV, 40, struct.pack("<I", size))


def rf64(size: int) -> bytes:
    return replace_at(RF64, 28, struct.pack("<Q", size))


def aiff(size: int) -> bytes:
    return replace_at(AIFF, AIFF.index(b"SSND") + 4, struct.pack(">I", size))


def au(size: int) -> bytes:
    return replace_at(AU, 8, struct.pack(">I", size))


def caf(size: int) -> bytes:
    return replace_at(CAF, CAF.index(b"data", 4000) + 4, struct.pack(">q", size))


def w64(size: int) -> bytes:
    return replace_at(W64, W64.index(b"data\xf3") + 16, struct.pack("<q", size))


def sph(count: int) -> bytes:
    field = b"sample_count -i %d"
    return SPH.replace(field % len(NOISE), (field % count).ljust(21))


@pytest.mark.parametrize(
    "encoded",
    [
        *map(wav, [0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]),
        replace_at(wav(0), 4, bytes(4)),
        *map(rf64, [0, 2**64 - 1]),
        b"BW64" + RF64[4:],
        *map(aiff, [0, 8, 0xFFFFFFFF]),
        *map(au, [0, 0xFFFFFFFF]),
        *map(caf, [0, -1]),
        *map(w64, [0, 24, -1]),
        sph(0),
    ],
)
def test_where_the_recorder_was_killed_all_is_heard(encoded):
    assert inspect_audio(encoded).num_samples == len(NOISE)
    assert torch.equal(read_audio(encoded)[0], NOISE)
    assert torch.equal(read_audio(encoded, 0.7, 0.3)[0], NOISE[11200:16000])


@pytest.mark.parametrize(
    ("encoded", "announced"),
    [
        (wav(SIZE // 2), SIZE // 2),
        (rf64(SIZE // 2), SIZE // 2),
        (aiff(SIZE // 2 + 8), SIZE // 2 + 8),
        (au(SIZE // 2), SIZE // 2),
        (caf(SIZE // 2 + 4), SIZE // 2 + 4),
        (w64(SIZE // 2 + 24), SIZE // 2),
        (sph(len(NOISE) // 2), f"{len(NOISE) // 2} samples"),
    ],
)
def test_sound_beyond_the_size_is_said(encoded, announced):
    message = (
        rf"damaged, its header announces {announced} .*\b(64000|64008|64004|32000)\b"
    )
    with pytest.raises(AudioError, match=message) as caught:
        read_audio(encoded)
    assert caught.value.kind == "damaged"


@pytest.mark.parametrize(
    ("encoded", "own"),
    [
        (wav(2 * SIZE), 0),
        (rf64(2 * SIZE), 0),
        (aiff(2 * SIZE + 8), 8),
        (au(2 * SIZE), 0),
        (caf(2 * SIZE + 4), 4),
        (w64(2 * SIZE + 24), 0),
    ],
)
def test_less_sound_than_the_size_is_said(encoded, own):
    message = f"truncated, {SIZE + own} of the {2 * SIZE + own} bytes of sound"
    for read in (read_audio, inspect_audio):
        with pytest.raises(AudioError, match=message):
            read(encoded)


@pytest.mark.parametrize(
    "tail",
    [
        b"LIST" + struct.pack("<I", 4) + b"INFO",
        b"TAG" + bytes(125),
        b"ID3\x03\0\0\0\0\x02\x01" + b"x" * 257,
        bytes(5000),
        b"junk" * 20,
        b"id3 " + struct.pack("<I", 1000) + b"\xff" * 1000,
    ],
    ids=["chunk", "ID3v1", "ID3v2", "zeros", "a little", "large chunk"],
)
def test_what_is_no_sound_may_follow(tail):
    assert torch.equal(read_audio(WAV + tail)[0], NOISE)


@pytest.mark.parametrize("encoded", [WAV, encode(make_noise(), "flac"), AIFF, AU, SPH])
def test_a_tag_may_stand_in_front(encoded):
    tagged = b"ID3\x03\0\0\0\0\x02\x01" + b"x" * 257 + encoded
    assert torch.equal(read_audio(tagged)[0], NOISE)


def test_several_chunks_of_sound_are_all_heard():
    twice = WAV + b"data" + struct.pack("<I", SIZE) + WAV[44:]
    assert torch.equal(read_audio(twice)[0], torch.cat([NOISE, NOISE]))


@pytest.mark.parametrize("size", [SIZE, 0, 0xFFFFFFFF])  # wrapped, killed, streamed
def test_sound_beyond_4_gib_is_heard(size, tmp_path):
    path = tmp_path / "day.wav"
    num_bytes = 2**32 + SIZE  # none of them on the disk but the last
    with open(path, "wb") as file:
        file.write(wav(size))
        file.truncate(44 + num_bytes - SIZE)
        file.seek(0, 2)
        file.write(WAV[44:])
    assert inspect_audio(path).num_samples == num_bytes // 2
    last, _ = read_audio(path, offset=(num_bytes - SIZE) / 2 / RATE)
    assert torch.equal(last, NOISE)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
@pytest.mark.parametrize("kind", ["path", "pipe"])
def test_half_a_frame_at_the_end_is_no_sound(size, kind, tmp_path):
    stereo = encode(np.stack([make_noise(), make_noise()], axis=1))
    killed = replace_at(stereo, 40, struct.pack("<I", size))[:-3]
    path = tmp_path / "a.wav"
    if kind == "pipe":
        os.mkfifo(path)
        writer = threading.Thread(target=lambda: path.write_bytes(killed))
        writer.start()
        waveform, _ = read_audio(path)
        writer.join()
    else:
        path.write_bytes(killed)
        assert inspect_audio(path).num_samples == len(NOISE) - 1
        waveform, _ = read_audio(path)
    assert torch.equal(waveform, NOISE[:-1])
