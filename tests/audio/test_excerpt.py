"""A part of an MP3 has the very samples that it has in the whole, and costs as much."""

import random

import numpy as np
import pytest
import torch
from audio.sounds import encode, make_noise, replace_at

from speechgru.audio import AudioError, is_cut_exactly, read_audio
from speechgru.audio import sound as decoding
from speechgru.audio.mpeg import walk

KINDS = [  # rate, channels, mode, level: all versions, with and without a tag
    (44100, 2, "CONSTANT", 0.5),
    (44100, 1, "CONSTANT", 0.99),  # 32 kbit/s without a tag
    (48000, 2, "VARIABLE", 0.1),
    (22050, 2, "AVERAGE", 0.5),
    (16000, 1, "VARIABLE", 0.9),
    (16000, 1, "CONSTANT", 0.9),
    (8000, 1, "CONSTANT", 0.5),
]


def make_sound(rate: int, num_channels: int, duration: float = 9.0) -> np.ndarray:
    """Tones that come and go over noise: frames need many bits, or few."""
    time = np.arange(int(rate * duration)) / rate
    tone = 0.2 * np.sin(2 * np.pi * (200 + 300 * np.sin(time)) * time)
    noise = make_noise(len(time)) / 5
    sound = tone * (np.sin(1.3 * time) > 0) + noise * (np.sin(0.7 * time) > -0.5)
    both = np.stack([sound, np.roll(sound, 99) / 2], axis=1)
    return both[:, :num_channels]


def make_mp3(rate: int = 16000, channels: int = 1, mode="CONSTANT", level=0.5) -> bytes:
    options = {"bitrate_mode": mode, "compression_level": level}
    return encode(make_sound(rate, channels), "mp3", rate, **options)


@pytest.fixture
def whole_decodes(monkeypatch) -> list[bool]:
    """For every part that was read, whether the whole was decoded for it."""
    found = []
    cut = decoding._cut

    def watched(*arguments):
        result = cut(*arguments)
        found.append(result is None)
        return result

    monkeypatch.setattr(decoding, "_cut", watched)
    return found


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_part_is_that_of_the_whole(kind, tmp_path, whole_decodes):
    path = tmp_path / "a.mp3"
    path.write_bytes(make_mp3(*kind))
    whole, rate = read_audio(path)
    assert is_cut_exactly(path)
    draw = random.Random(0)
    starts = [draw.randrange(rate, len(whole) - 1) for _ in range(15)]
    parts = [
        (start, draw.randint(1, min(2 * rate, len(whole) - start))) for start in starts
    ]
    ends = [(len(whole) - count, count) for count in (1, 700, 2000)]
    for start, count in parts + ends:
        part, _ = read_audio(path, start / rate, count / rate)
        assert torch.equal(part, whole[start : start + count])
    # At the very start the whole is decoded, and where a tag tells of less at the end.
    assert sum(whole_decodes) <= 5


def test_tags_in_front_and_behind_change_nothing(tmp_path, whole_decodes):
    path = tmp_path / "a.mp3"
    path.write_bytes(b"ID3\x03\0\0\0\0\x02\x01" + bytes(257) + make_mp3() + b"TAG" * 40)
    whole, rate = read_audio(path)
    part, _ = read_audio(path, 6.0, 2.0)
    assert torch.equal(part, whole[6 * rate : 8 * rate])
    assert whole_decodes == [False]


def test_joined_files_are_decoded_from_their_start(tmp_path, whole_decodes):
    path = tmp_path / "a.mp3"
    path.write_bytes(make_mp3() * 2)
    assert not is_cut_exactly(path)
    whole, rate = read_audio(path)
    part, _ = read_audio(path, 11.0, 2.0)
    assert torch.equal(part, whole[11 * rate : 13 * rate])
    assert whole_decodes == [True]


def test_a_stream_that_begins_in_the_middle_is_decoded_from_its_start(tmp_path):
    encoded = make_mp3(16000, 1, "CONSTANT", 0.9)
    frames = list(walk(encoded, 0))
    cold = next(f for f in frames[20:] if encoded[f.position + 4])  # needs others
    path = tmp_path / "a.mp3"
    path.write_bytes(encoded[cold.position :])
    assert not is_cut_exactly(path)
    whole, rate = read_audio(path)
    part, _ = read_audio(path, 5.0, 1.0)
    assert torch.equal(part, whole[5 * rate : 6 * rate])


def test_a_wrong_delay_in_the_tag_is_noticed(tmp_path, whole_decodes, monkeypatch):
    encoded = make_mp3()
    path = tmp_path / "a.mp3"
    path.write_bytes(encoded)
    whole, rate = read_audio(path)
    # As if the decoder left out another number of samples than it does.
    monkeypatch.setattr("speechgru.audio.excerpt._DECODER_DELAY", 530)
    path.write_bytes(replace_at(encoded, len(encoded) - 1, b"x"))
    part, _ = read_audio(path, 5.0, 1.0)
    assert torch.equal(part, whole[5 * rate : 6 * rate])
    assert whole_decodes == [True]


def test_a_part_behind_the_end_is_said_as_ever(tmp_path):
    path = tmp_path / "a.mp3"
    path.write_bytes(make_mp3())
    with pytest.raises(AudioError, match=r"8 s \+ 3 s ends 2.000 s after the file"):
        read_audio(path, 8.0, 3.0)


def test_a_part_of_a_long_file_reads_little_of_it(tmp_path, monkeypatch):
    path = tmp_path / "long.mp3"
    path.write_bytes(make_mp3(44100, 1, "CONSTANT", 0.99) * 20)  # no tags: one stream
    whole, rate = read_audio(path)
    read = []
    cut = decoding._cut

    def counted(layout, stream, *excerpt):
        result = cut(layout, stream, *excerpt)
        read.append(sum(map(len, result[0].pieces)) - (1 << 16))
        return result

    monkeypatch.setattr(decoding, "_cut", counted)
    part, _ = read_audio(path, 150.0, 1.0)
    assert torch.equal(part, whole[150 * rate : 151 * rate])
    assert read[0] < path.stat().st_size / 100
