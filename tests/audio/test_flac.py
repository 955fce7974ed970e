import pytest
import torch
from audio.sounds import encode, make_noise, replace_at

from speechgru.audio import AudioError, inspect_audio, read_audio


def announce(encoded: bytes, num_samples: int) -> bytes:
    """Change the 36 bits of STREAMINFO that tell the length."""
    field = int.from_bytes(encoded[18:26], "big") >> 36 << 36 | num_samples
    return replace_at(encoded, 18, field.to_bytes(8, "big"))


@pytest.mark.parametrize("num_samples", [500, 4096, 32_000, 600_000])
@pytest.mark.parametrize("announced", [0, 1])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_S8"])
def test_the_frames_tell_a_length_that_the_header_does_not(
    num_samples, announced, subtype
):
    encoded = encode(make_noise(num_samples), "flac", subtype=subtype)
    expected, _ = read_audio(encoded)
    unsure = announce(encoded, announced)
    assert inspect_audio(unsure).num_samples == num_samples
    assert torch.equal(read_audio(unsure)[0], expected)
    assert torch.equal(read_audio(unsure, 0.01)[0], expected[160:])


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 96_000])
def test_any_rate_and_stereo_too(rate):
    encoded = encode(make_noise(20_000).reshape(-1, 2), "flac", rate)
    assert inspect_audio(announce(encoded, 0)).num_samples == 10_000


def test_silence_has_tiny_frames():
    encoded = encode(0 * make_noise(100_000), "flac")
    assert inspect_audio(announce(encoded, 0)).num_samples == 100_000


def test_fewer_samples_than_announced_are_said_without_decoding():
    message = "truncated, 32000 of the 64000 samples"
    with pytest.raises(AudioError, match=message):
        inspect_audio(announce(encode(make_noise(), "flac"), 64_000))


def test_no_frames_and_no_length_is_an_error():
    encoded = announce(encode(make_noise(), "flac"), 0)
    with pytest.raises(AudioError, match="no frame of FLAC was found"):
        inspect_audio(encoded[:60])


def test_a_flipped_bit_is_found():
    encoded = encode(make_noise(), "flac")
    for position in range(200, len(encoded), len(encoded) // 20):
        with pytest.raises(AudioError):
            read_audio(replace_at(encoded, position, bytes([encoded[position] ^ 0x10])))
