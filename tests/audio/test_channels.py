"""Channels that extinguish each other are noticed, others are averaged."""

import numpy as np
import pytest
import soundfile

from speechgru.audio import AudioError, read_audio
from speechgru.audio.channels import Mixer

TONE = np.sin(np.arange(4000) / 9).astype(np.float32)
OTHER = np.sin(np.arange(4000) / 5).astype(np.float32)


def mix(*channels: np.ndarray, block: int = 1500) -> Mixer:
    samples = np.stack(channels, axis=1)
    mixer = Mixer()
    averages = [mixer.mix(samples[at : at + block]) for at in range(0, 4000, block)]
    np.testing.assert_array_equal(np.concatenate(averages), samples.mean(axis=1))
    return mixer


@pytest.mark.parametrize(
    ("channels", "cancel"),
    [
        ([TONE, -TONE], True),
        ([TONE, -0.9 * TONE], True),
        ([TONE + 3, -TONE], True),  # an offset is no sound
        ([TONE, OTHER, -TONE - OTHER], True),
        ([TONE, TONE], False),
        ([TONE, 0 * TONE], False),
        ([TONE, OTHER], False),
        ([TONE, -0.3 * TONE], False),  # half of it is left
        ([TONE, *[0 * TONE] * 15], False),
        ([0 * TONE, 0 * TONE], False),
        ([0 * TONE + np.float32(0.1), 0 * TONE + np.float32(0.1)], False),
        ([0 * TONE + np.float32(0.3), 0 * TONE + np.float32(0.1)], False),
    ],
)
def test_only_what_is_lost_in_the_average_counts(channels, cancel):
    assert mix(*channels).cancels == cancel


def test_one_channel_and_a_moment_never_cancel():
    mixer = Mixer()
    mixer.mix(TONE[:, None])
    assert not mixer.cancels
    short = Mixer()
    short.mix(np.stack([TONE[:99], -TONE[:99]], axis=1))
    assert not short.cancels


def test_a_file_of_opposite_channels_is_an_error_with_a_remedy(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, 0.5 * np.stack([TONE, -TONE], axis=1), 8000)
    with pytest.raises(AudioError, match=r"a\.wav: its 2 channels cancel out .*ffmpeg"):
        read_audio(path)
