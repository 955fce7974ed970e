"""Sound through a pipe: raw, or WAV with lengths that lie."""

import io
import struct

import numpy as np
import pytest
import soundfile

from speechgru.interfaces import InputError
from speechgru.transcribe.online.pcm import RawSound
from speechgru.transcribe.online.sound_stream import SoundStream

RATE = 8000
RAW = RawSound("s16le", 1, 16_000)
SAMPLES = np.round(np.sin(np.arange(1000) / 9) * 20_000).astype(np.int16)
SOUND = SAMPLES.tobytes()


def wav(
    size: int, tag: int = 1, bits: int = 16, channels: int = 1, before: bytes = b""
) -> bytes:
    """The header of a WAV that announces so many bytes of sound."""
    block = channels * bits // 8
    fmt = struct.pack("<HHIIHH", tag, channels, RATE, RATE * block, block, bits)
    return (
        b"RIFF" + struct.pack("<I", size & 0xFFFFFFFF) + b"WAVE" + before
        + b"fmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", size)
    )  # fmt: skip


def hear(content: bytes, size: int = 100, raw: RawSound = RAW):
    """What comes out of a stream, given in parts of a size; and what is said."""
    parts = io.BytesIO(content)
    said: list[str] = []
    source = SoundStream(lambda: parts.read(size), raw, said.append)
    chunks = [*source]
    heard = np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
    return source, heard, said


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_parts_of_any_size_make_the_same_sound(size):
    source, heard, said = hear(SOUND, size)
    assert not source.is_wav
    assert source.sound == RAW
    assert np.array_equal(heard, SAMPLES.astype(np.float32) / 2**15)
    source, heard, said = hear(wav(len(SOUND)) + SOUND, size)
    assert source.is_wav
    assert source.sound == RawSound("s16le", 1, RATE)
    assert np.array_equal(heard, SAMPLES.astype(np.float32) / 2**15)
    assert said == []


@pytest.mark.parametrize("announced", [0, 2, 1000, 0x7FFFF000, 0x80000000, 0xFFFFFFFF])
def test_lengths_that_lie_are_ignored(announced):
    _, heard, said = hear(wav(announced) + SOUND)
    assert len(heard) == len(SAMPLES)
    assert said == []


@pytest.mark.parametrize("size", [1, 100])
def test_what_follows_the_sound_is_not_heard(size):
    chunk = b"LIST" + struct.pack("<I", 5) + b"hello\0"
    _, heard, _ = hear(wav(len(SOUND)) + SOUND + chunk + b"id3 \2\0\0\0ab", size)
    assert len(heard) == len(SAMPLES)
    odd = wav(3, bits=8) + b"abc\0" + chunk  # padded to an even place
    assert len(hear(odd, size)[1]) == 3


def test_one_recording_behind_another_goes_on():
    one = wav(len(SOUND)) + SOUND
    assert len(hear(one + one)[1]) == 2 * len(SAMPLES)
    with pytest.raises(InputError, match=r"another behind it of u8, 1 channel"):
        hear(one + wav(4, bits=8) + b"abcd")


def test_chunks_before_the_sound_are_skipped():
    for before in (b"JUNK\3\0\0\0abc\0", b"fact\4\0\0\0abcd"):
        _, heard, _ = hear(wav(len(SOUND), before=before) + SOUND)
        assert len(heard) == len(SAMPLES)
    with pytest.raises(InputError, match=r"a chunk b'LIST' of 4294967295 bytes"):
        hear(wav(len(SOUND), before=b"LIST\xff\xff\xff\xff") + SOUND)


@pytest.mark.parametrize("format", ["WAV", "WAVEX", "RF64"])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ULAW", "ALAW"])
def test_the_wavs_of_libsndfile_are_heard_as_it_hears_them(format, subtype, tmp_path):
    path = tmp_path / "a.wav"
    stereo = np.random.default_rng(0).uniform(-0.9, 0.9, (2000, 2))
    soundfile.write(path, stereo, RATE, format=format, subtype=subtype)
    expected, _ = soundfile.read(path, dtype="float32")
    source, heard, said = hear(path.read_bytes())
    assert source.sound.channels == 2
    assert np.allclose(heard, expected.mean(axis=1), atol=1e-7)
    assert said == []


def test_an_end_in_the_middle_of_a_frame_is_told():
    _, heard, said = hear(SOUND + b"x")
    assert len(heard) == len(SAMPLES)
    assert said == [
        "the sound ended in the middle of a sample frame: the last 1 of its 2 bytes "
        "are left out"
    ]
    assert len(hear(b"x")[1]) == 0


def test_channels_that_cancel_out_are_told_once():
    stereo = np.stack([SAMPLES, -SAMPLES], axis=1).tobytes()
    _, _, said = hear(3 * stereo, raw=RawSound("s16le", 2, RATE))
    assert len(said) == 1
    assert "cancel out" in said[0]


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"fLaC", "FLAC"),
        (b"OggS", "Ogg"),
        (b"\0\0\0\x20ftypM4A ", "MP4"),
        (b"RIFF\0\0\0\0AVI LIST", "RIFF but no WAV"),
    ],
)
def test_other_files_are_named_instead_of_heard_as_noise(head, kind):
    with pytest.raises(InputError, match=f"is {kind}, expected raw sound or WAV"):
        hear(head + SOUND)


def test_headers_that_cannot_be_understood_are_told():
    whole = wav(4)
    with pytest.raises(InputError, match="ends within the header"):
        hear(whole[:40])
    with pytest.raises(InputError, match="format 2 with 4 bits"):
        hear(wav(4, tag=2, bits=4) + b"abcd")
    with pytest.raises(InputError, match="without a fmt chunk"):
        hear(whole[:12] + whole[36:] + b"abcd")
    with pytest.raises(InputError, match="0 channels"):
        hear(wav(4, channels=0) + b"abcd")
