import math
import os
import struct
import threading

import numpy as np
import pytest
import torch
from audio.sounds import FORMATS, LOSSY, RATE, encode, make_noise

from speechgru.audio import (
    AudioError,
    inspect_audio,
    load_audio,
    read_audio,
    read_blocks,
)
from speechgru.interfaces import InputError


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_decoded(kind):
    waveform, rate = read_audio(encode(make_noise(), kind))
    assert (waveform.dtype, waveform.shape, rate) == (torch.float32, (2 * RATE,), RATE)
    if kind not in LOSSY:
        torch.testing.assert_close(waveform, torch.from_numpy(make_noise()))


def test_paths_bytes_and_streams_give_the_same(tmp_path):
    encoded = encode(make_noise())
    path = tmp_path / "é, a=b.wav"
    path.write_bytes(encoded)
    expected, _ = read_audio(encoded)
    with open(path, "rb") as stream:
        for source in (path, str(path), stream):
            assert torch.equal(read_audio(source)[0], expected)


@pytest.mark.parametrize("kind", ["wav", "mp3"])
def test_a_named_pipe_is_read_like_a_file(kind, tmp_path):
    encoded = encode(make_noise(1000), kind)
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(encoded,))
    writer.start()
    heard, _ = read_audio(path)
    writer.join()
    assert torch.equal(heard, read_audio(encoded)[0])


def test_a_device_is_no_file():
    with pytest.raises(AudioError, match=r"/dev/zero: cannot be opened \(a device"):
        read_audio("/dev/zero")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_on_disk_gives_what_its_bytes_give(kind, tmp_path):
    encoded = encode(make_noise(), kind)
    path = tmp_path / "a"
    path.write_bytes(encoded)
    for part in ((), (0.7, 0.3)):
        assert torch.equal(read_audio(path, *part)[0], read_audio(encoded, *part)[0])
    path.write_bytes(encode(make_noise(500), kind))  # not what was there before
    assert inspect_audio(path) == inspect_audio(path.read_bytes())


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


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        ("wav", "GSM610"),
        ("w64", "GSM610"),
        ("aiff", "GSM610"),
        ("wav", "G721_32"),
        ("au", "G723_24"),
        ("wav", "NMS_ADPCM_16"),
        ("aiff", "DWVW_16"),
        ("wav", "IMA_ADPCM"),
        ("wav", "MS_ADPCM"),
        ("wav", "ULAW"),
    ],
)
def test_a_segment_of_what_telephones_record_is_the_same(kind, subtype):
    encoded = encode(make_noise(), kind, subtype=subtype)
    whole, _ = read_audio(encoded)
    assert torch.equal(read_audio(encoded, 0.7, 0.3)[0], whole[11200:16000])
    assert torch.equal(read_audio(encoded, 1.5)[0], whole[24000:])


def test_only_the_segment_of_a_long_file_is_decoded(tmp_path):
    path = tmp_path / "day.wav"
    num_samples = 26 * 3600 * RATE  # 3 GB, of which nothing is on the disk
    header = bytearray(encode(make_noise(1))[:44])
    header[4:8] = struct.pack("<I", 36 + 2 * num_samples)
    header[40:44] = struct.pack("<I", 2 * num_samples)
    with open(path, "wb") as file:
        file.write(header)
        file.truncate(44 + 2 * num_samples)
    assert inspect_audio(path).num_samples == num_samples
    assert read_audio(path, 25 * 3600, 2)[0].shape == (2 * RATE,)


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
    assert len(read_audio(joined)[0]) == pytest.approx(6 * RATE, abs=3000)
    assert inspect_audio(joined).num_samples == len(read_audio(joined)[0])
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


@pytest.mark.parametrize("value", [1e10, -1e19, 1e38])
def test_samples_far_out_of_range_are_refused(value):
    samples = make_noise(100)
    samples[3] = value
    message = "1 of 100 samples are out of range, the largest 1e.*expected numbers in"
    with pytest.raises(AudioError, match=message) as caught:
        read_audio(encode(samples, "float.wav"))
    assert caught.value.kind == "out-of-range"


def test_samples_somewhat_out_of_range_are_said(caplog):
    assert read_audio(encode(5 * make_noise(100), "float.wav"))[0].max() > 1
    assert not caplog.records  # a little over 1 is common
    read_audio(encode(np.full(100, 20_000.0), "float.wav"))
    assert "samples reach 2e+04, expected numbers in [-1, 1]" in caplog.text


@pytest.mark.parametrize("rate", [1, 999, 2**31 - 1])
def test_a_rate_that_no_sound_has_is_refused(rate):
    header = bytearray(encode(make_noise(100)))
    header[24:28] = struct.pack("<I", rate)
    message = f"sample_rate is {rate} Hz, expected 1000 to 1000000"
    for read in (read_audio, inspect_audio):
        with pytest.raises(AudioError, match=message):
            read(bytes(header))


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


def test_the_header_tells_rate_length_and_channels():
    info = inspect_audio(encode(np.zeros((8000, 2)), rate=8000))
    assert (info.sample_rate, info.num_samples, info.num_channels) == (8000, 8000, 2)
    assert info.duration == 1.0


@pytest.mark.parametrize("kind", ["wav", "mp3", "ogg"])
def test_blocks_are_the_whole_in_pieces(kind):
    encoded = encode(make_noise(), kind)
    whole, rate = read_audio(encoded)
    blocks = [block for block, _ in read_blocks(encoded, 0.25)]
    assert {len(block) for block in blocks[:-1]} == {rate // 4}
    assert torch.equal(torch.cat(blocks), whole)
    part = [block for block, _ in read_blocks(encoded, 0.25, 0.6, 0.7)]
    assert torch.equal(torch.cat(part), read_audio(encoded, 0.6, 0.7)[0])


def test_of_a_part_it_is_said_how_long_it_is():
    encoded = encode(make_noise())
    assert inspect_audio(encoded, 0.5).num_samples == 24_000
    assert inspect_audio(encoded, 0.5, 1.0).num_samples == 16_000


def test_a_channel_can_be_taken(tmp_path):
    left, right = make_noise(8000), make_noise(8000, seed=1)
    encoded = encode(np.stack([left, right], axis=1))
    for channel, said in enumerate([left, right]):
        assert np.array_equal(read_audio(encoded, channel=channel)[0], said)
    opposite = encode(np.stack([left, -left], axis=1))
    assert np.array_equal(read_audio(opposite, channel=1)[0], -left)
    with pytest.raises(AudioError, match="channel is 1, but there is only channel 0"):
        read_audio(encode(left), channel=1)
