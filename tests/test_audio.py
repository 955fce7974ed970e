import math
import os
import struct
from io import BytesIO

import numpy as np
import pytest
import soundfile
import torch

from speechgru.audio import (
    AudioError,
    inspect_audio,
    load_audio,
    read_audio,
    resample_audio,
    resampled_length,
)
from speechgru.interfaces import InputError

RATE = 16000
FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "float.wav": ("WAV", "FLOAT"),
    "rf64": ("RF64", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "sph": ("NIST", "PCM_16"),
}
LOSSLESS = {"wav", "float.wav", "rf64", "w64", "flac", "aiff", "au", "sph"}


def make_noise(num_samples: int = 2 * RATE) -> np.ndarray:
    noise = 0.1 * np.random.default_rng(0).standard_normal(num_samples)
    return (np.round(noise * 32768) / 32768).astype(np.float32)


def encode(
    samples: np.ndarray, kind: str = "wav", rate: int = RATE, **options
) -> bytes:
    file = BytesIO()
    format, subtype = FORMATS[kind]
    soundfile.write(file, samples, rate, format=format, subtype=subtype, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_decoded(kind):
    waveform, rate = read_audio(encode(make_noise(), kind))
    assert (waveform.dtype, waveform.shape, rate) == (torch.float32, (2 * RATE,), RATE)
    if kind in LOSSLESS:
        torch.testing.assert_close(waveform, torch.from_numpy(make_noise()))


def test_paths_bytes_and_streams_give_the_same(tmp_path):
    encoded = encode(make_noise())
    path = tmp_path / "é, a=b.wav"
    path.write_bytes(encoded)
    expected, _ = read_audio(encoded)
    with open(path, "rb") as stream:
        for source in (path, str(path), stream):
            assert torch.equal(read_audio(source)[0], expected)


def test_a_pipe_can_be_read():
    encoded = encode(make_noise(1000))
    read_end, write_end = os.pipe()
    with open(write_end, "wb") as pipe:
        pipe.write(encoded)
    with open(read_end, "rb") as pipe:
        assert torch.equal(read_audio(pipe)[0], read_audio(encoded)[0])


def test_channels_are_averaged():
    samples = np.stack([np.full(100, 0.5), np.full(100, -0.25)], axis=1)
    waveform, _ = read_audio(encode(samples))
    torch.testing.assert_close(waveform, torch.full((100,), 0.125))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_segment_equals_the_slice_of_the_whole(kind):
    encoded = encode(make_noise(), kind)
    segment, _ = read_audio(encoded, offset=0.7, duration=0.3)
    whole, _ = read_audio(encoded)
    assert segment.shape == (4800,)
    torch.testing.assert_close(segment, whole[11200:16000])


def test_a_segment_may_miss_the_end_by_rounding_only():
    encoded = encode(make_noise())
    assert read_audio(encoded, offset=1.5, duration=0.51)[0].shape == (8000,)
    with pytest.raises(AudioError, match=r"1.5 s \+ 0.6 s ends 0.100 s after the file"):
        read_audio(encoded, offset=1.5, duration=0.6)
    with pytest.raises(AudioError, match=r"no samples at 2 s"):
        read_audio(encoded, offset=2.0)


def test_an_mp3_of_variable_rate_without_a_tag_is_decoded_to_its_end():
    tone = 0.3 * np.sin(2 * math.pi * 440 * np.arange(3 * RATE) / RATE)
    options = {"bitrate_mode": "CONSTANT"}
    low = encode(tone, "mp3", compression_level=0.9, **options)
    high = encode(make_noise(3 * RATE), "mp3", compression_level=0.1, **options)
    # From the second frame on: the first holds the tag.
    joined = b"".join(part[part.find(part[:3], 4) :] for part in (high, low))
    assert inspect_audio(joined).num_samples < 5 * RATE  # libsndfile's guess
    assert len(read_audio(joined)[0]) == pytest.approx(6 * RATE, abs=3000)
    tagged = b"ID3\x03\x00\x00\x00\x00\x02\x01" + bytes(257) + joined
    assert torch.equal(read_audio(tagged)[0], read_audio(joined)[0])


@pytest.mark.parametrize("fraction", [0.999, 0.6])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_truncated_file_is_refused(kind, fraction, tmp_path):
    encoded = encode(make_noise(), kind)
    path = tmp_path / f"cut.{kind}"
    path.write_bytes(encoded[: int(len(encoded) * fraction)])
    with pytest.raises(AudioError, match=r"cut.*: truncated.*copy the file") as caught:
        read_audio(path)
    assert caught.value.kind == "truncated"


def test_a_streamed_wav_of_unknown_length_is_whole():
    encoded = bytearray(encode(make_noise()))
    encoded[4:8] = encoded[40:44] = struct.pack("<I", 0xFFFFFFFF)
    assert read_audio(bytes(encoded))[0].shape == (2 * RATE,)


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"", "empty-file", "bad.wav: 0 bytes, expected audio"),
        (np.random.default_rng(0).bytes(5000), "undecodable", "bad.wav: not decodable"),
        (b"just text\n" * 50, "undecodable", "expected wav, flac, ogg"),
        (encode(make_noise())[:44], "no-samples", "bad.wav: a header without samples"),
        (encode(np.zeros(0)), "no-samples", "bad.wav: a header without samples"),
    ],
    ids=["0 bytes", "random bytes", "text", "header only", "no samples"],
)
def test_unusable_content_is_refused(content, kind, message, tmp_path):
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    for read in (read_audio, inspect_audio):
        with pytest.raises(InputError, match=message) as caught:
            read(path)
        assert caught.value.kind == kind


@pytest.mark.parametrize("name", ["absent.wav", ".", "a\0b.wav"])
def test_what_cannot_be_opened_is_named(name, tmp_path):
    with pytest.raises(AudioError, match=r"cannot be opened .* expected an audio file"):
        read_audio(str(tmp_path / name))


def test_raw_samples_are_undecodable(tmp_path):
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(100))
    with pytest.raises(AudioError, match="not decodable"):
        read_audio(path)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_samples_that_are_no_numbers_are_refused(value):
    samples = make_noise(100)
    samples[3] = value
    with pytest.raises(AudioError, match="1 of 100 samples are NaN or infinite"):
        read_audio(encode(samples, "float.wav"))


def test_silence_is_audio():
    assert not read_audio(encode(np.zeros(50)))[0].any()


def test_another_rate_is_an_error_unless_resampled(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(encode(make_noise(8000), rate=8000))
    message = (
        "a.wav: sample_rate is 8000 Hz, expected 16000; "
        "resample the corpus or set data.resample=true"
    )
    with pytest.raises(InputError, match=message):
        load_audio(path, RATE, resample=False)
    assert load_audio(path, RATE, resample=True).shape == (RATE,)


def test_resampling_keeps_a_tone():
    time = torch.arange(8000) / 8000
    doubled = resample_audio(torch.sin(2 * math.pi * 440 * time), 8000, RATE)
    expected = torch.sin(2 * math.pi * 440 * torch.arange(RATE) / RATE)
    torch.testing.assert_close(doubled[500:-500], expected[500:-500], atol=2e-3, rtol=0)


@pytest.mark.parametrize("rates", [(8000, 16000), (22050, 16000), (44100, 16000)])
@pytest.mark.parametrize("num_samples", [1, 441, 999, 1000])
def test_the_resampled_length_is_known_beforehand(rates, num_samples):
    resampled = resample_audio(torch.zeros(num_samples), *rates)
    assert len(resampled) == resampled_length(num_samples, *rates)


def test_the_header_tells_rate_length_and_channels():
    info = inspect_audio(encode(np.zeros((8000, 2)), rate=8000))
    assert (info.sample_rate, info.num_samples, info.num_channels) == (8000, 8000, 2)
    assert info.duration == 1.0
