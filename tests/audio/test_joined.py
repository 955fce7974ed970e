"""Files that are joined end to end are heard to their end."""

import pytest
import torch
from audio.sounds import FORMATS, RATE, encode, make_noise

from speechgru.audio import AudioError, inspect_audio, read_audio


@pytest.mark.parametrize("kind", FORMATS)
def test_every_part_is_heard_and_sought_in(kind):
    parts = [encode(make_noise(16_000, seed), kind) for seed in range(3)]
    expected = torch.cat([read_audio(part)[0] for part in parts])
    joined = b"".join(parts)
    assert inspect_audio(joined).num_samples == len(expected) == 3 * RATE
    assert torch.equal(read_audio(joined)[0], expected)
    # From the first part into the last; then from the second.
    torch.testing.assert_close(read_audio(joined, 0.5, 2.0)[0], expected[8000:40_000])
    torch.testing.assert_close(read_audio(joined, 1.25)[0], expected[20_000:])


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_a_part_that_is_cut_is_said(kind):
    encoded = encode(make_noise(), kind)
    with pytest.raises(AudioError, match="truncated"):
        read_audio(encoded + encoded[: len(encoded) // 2])


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_parts_of_several_rates_are_refused(kind):
    joined = encode(make_noise(), kind) + encode(make_noise(), kind, 8000)
    with pytest.raises(AudioError, match="files of 16000 and 8000 Hz are joined"):
        read_audio(joined)


def test_parts_may_differ_in_channels():
    mono, stereo = make_noise(1000), make_noise(2000).reshape(1000, 2)
    joined = encode(mono) + encode(stereo)
    assert inspect_audio(joined).num_channels == 2
    expected = torch.cat([torch.from_numpy(mono), torch.from_numpy(stereo.mean(1))])
    assert torch.equal(read_audio(joined)[0], expected)


def test_a_thousand_files_in_one_are_an_error_that_says_so(tmp_path):
    path = tmp_path / "many.wav"
    path.write_bytes(b"RIFF\0\0\0\0WAVEdata\0\0\0\0" * 2000)
    with pytest.raises(AudioError, match=r"many\.wav: hundreds of files joined"):
        inspect_audio(path)
