"""Any source to a mono float32 waveform, at any rate."""

from speechgru.audio.error import AudioError
from speechgru.audio.read import (
    AudioInfo,
    duration_tolerance,
    inspect_audio,
    is_cut_exactly,
    load_audio,
    read_audio,
    read_blocks,
    wrong_sample_rate,
)
from speechgru.audio.resample import resample_audio, resampled_length
from speechgru.audio.source import AudioSource, name_audio

__all__ = [
    "AudioError",
    "AudioInfo",
    "AudioSource",
    "duration_tolerance",
    "inspect_audio",
    "is_cut_exactly",
    "load_audio",
    "name_audio",
    "read_audio",
    "read_blocks",
    "resample_audio",
    "resampled_length",
    "wrong_sample_rate",
]
