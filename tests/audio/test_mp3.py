import random
import struct

import numpy as np
import pytest
import soundfile
import torch
from audio.sounds import RATE, encode, make_noise, replace_at

from speechgru.audio import AudioError, inspect_audio, read_audio
from speechgru.audio.crc16 import crc16
from speechgru.audio.mpeg import Frame, walk

ENCODED = encode(make_noise(), "mp3")
FRAMES = list(walk(ENCODED, 0))
UNTAGGED = ENCODED[FRAMES[1].position :]  # the first holds the tag
ID3V1 = b"TAG" + bytes(125)
ID3V2 = b"ID3\x03\0\0\0\0\x02\x01" + b"\xff\xfb\x90\xc4" * 64 + b"x"
APE = b"APETAGEX" + struct.pack("<IIII", 2000, 32, 0, 1 << 31) + bytes(8)


def heard(encoded: bytes) -> torch.Tensor:
    return read_audio(encoded)[0]


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("mode", ["CONSTANT", "AVERAGE", "VARIABLE"])
def test_frames_of_every_kind_follow_each_other(rate, mode, caplog):
    for channels in (1, 2):
        noise = make_noise(10_000 * channels).reshape(-1, channels)
        encoded = encode(noise, "mp3", rate, bitrate_mode=mode)
        frames = list(walk(encoded, 0))
        assert all(isinstance(frame, Frame) for frame in frames)
        assert frames[-1].end == len(encoded)
        assert {frame.header.sample_rate for frame in frames} == {rate}
        assert inspect_audio(encoded).num_samples == 10_000
    assert not caplog.records  # LAME's checksums are right


def test_a_long_one_is_decoded_like_a_short_one(tmp_path):
    time = np.arange(75 * RATE) / RATE
    tone = 0.3 * np.sin(2 * np.pi * (200 + 3 * time) * time) * (time % 7 < 3)
    path = tmp_path / "a.mp3"
    soundfile.write(path, tone, RATE)
    expected, _ = soundfile.read(path, dtype="float32")  # in one go
    # soundfile seeks to the start, which changes the first frames a little.
    np.testing.assert_allclose(read_audio(path)[0].numpy(), expected, atol=1e-4)


@pytest.mark.parametrize(
    "encoded",
    [
        ENCODED + ID3V1,
        ENCODED + APE,
        ENCODED + APE + ID3V1,
        ID3V2 + ENCODED,
        ID3V2 + ID3V2 + ENCODED + ID3V1,
        ENCODED + bytes(5000),
        ENCODED + b"junk" * 500,
        b"\xff\xf3junk" * 20 + ENCODED,
        # What begins like a tag, and is none.
        ENCODED + b"APETAGEX\xd0\x07\0\0",
        ENCODED + b"ID3\x04\0",
        ENCODED + b"ID3\x03\0\0\0\0\x80\x10" + bytes(50),
        ENCODED + b"LYRICSBEGIN" + bytes(50),
    ],
)
def test_tags_and_junk_around_complete_sound_change_nothing(encoded):
    assert torch.equal(heard(encoded), heard(ENCODED))


def test_tags_between_joined_files_are_no_damage():
    expected = torch.cat([heard(ENCODED)] * 2)
    assert torch.equal(heard(ENCODED + ID3V1 + ID3V2 + ENCODED), expected)


def test_sound_behind_what_a_tag_announces_is_heard():
    encoded = ENCODED + UNTAGGED
    waveform = heard(encoded)
    assert torch.equal(waveform[: 2 * RATE], heard(ENCODED))
    assert len(waveform) == 2 * RATE + 576 * (len(FRAMES) - 1)
    assert torch.equal(read_audio(encoded, offset=3.0)[0], waveform[3 * RATE :])


@pytest.mark.parametrize("num_lost", [2, 3, 20])
def test_lost_frames_are_counted(num_lost):
    first, behind = FRAMES[20].position, FRAMES[20 + num_lost].position
    num_frames = len(FRAMES) - 1
    message = f"truncated, {num_frames - num_lost} of the {num_frames} frames"
    with pytest.raises(AudioError, match=message):
        inspect_audio(ENCODED[:first] + ENCODED[behind:])


@pytest.mark.parametrize("encoded", [ENCODED, UNTAGGED])
def test_bytes_between_frames_are_said(encoded):
    frames = list(walk(encoded, 0))
    where = frames[20].position
    message = f"damaged, 300 bytes at byte {where} .* neither frames of MPEG nor a tag"
    for middle in (b"x" * 300, bytes(300)):
        with pytest.raises(AudioError, match=message):
            inspect_audio(encoded[:where] + middle + encoded[where:])


def test_a_last_frame_that_is_cut_is_said():
    with pytest.raises(AudioError, match=r"truncated, .* bytes of its last frame"):
        inspect_audio(UNTAGGED[:-10])


def test_zeros_behind_untagged_frames_are_said(caplog):
    assert torch.equal(heard(UNTAGGED + bytes(500)), heard(UNTAGGED))
    assert "500 bytes at byte" in caplog.text
    assert "are zero, where sound may have been" in caplog.text


def test_flipped_bits_are_said_with_the_file_and_never_on_descriptor_2(
    tmp_path, caplog, capfd
):
    generator = random.Random(0)
    path = tmp_path / "a.mp3"
    for _ in range(40):
        position = generator.randrange(FRAMES[1].position, len(ENCODED))
        flipped = bytes([ENCODED[position] ^ 1 << generator.randrange(8)])
        path.write_bytes(replace_at(ENCODED, position, flipped))
        caplog.clear()
        said = ""
        try:
            read_audio(path)
        except AudioError as error:
            said = str(error)
        assert f"{path}: " in said + caplog.text
    assert capfd.readouterr().err == ""


def test_the_checksum_is_the_standard_one():
    assert crc16(b"123456789") == 0xBB3D
    assert crc16(b"") == 0
    assert crc16(bytes(1000) + b"123456789") == 0xBB3D
