"""Sound in the containers that FFmpeg writes, made where a test needs it."""

from fractions import Fraction
from io import BytesIO

import numpy as np
import pytest

av = pytest.importorskip("av", reason='needs pip install "speechgru[media]"')

KINDS = {
    "m4a": ("ipod", "aac", 16000),
    "alac.m4a": ("ipod", "alac", 16000),
    "mp4": ("mp4", "aac", 48000),
    "mov": ("mov", "pcm_s16le", 16000),
    "webm": ("webm", "libopus", 48000),
    "mka": ("matroska", "aac", 16000),
    "3gp": ("3gp", "libopencore_amrnb", 8000),
    "amr": ("amr", "libopencore_amrnb", 8000),
    "wma": ("asf", "wmav2", 44100),
    "aac": ("adts", "aac", 16000),
    "flv": ("flv", "aac", 44100),
    "avi": ("avi", "mp2", 16000),
    "ts": ("mpegts", "aac", 16000),
    "ac3": ("ac3", "ac3", 48000),
    "wv": ("wv", "wavpack", 16000),
    "tta": ("tta", "tta", 16000),
}
"""Endings; FFmpeg's names of container and codec, and a rate, Hz."""


def sweep(seconds: float, rate: int, seed: int = 0) -> np.ndarray:
    """A tone whose pitch wanders, so that every place sounds different; (S,)."""
    time = np.arange(round(seconds * rate)) / rate
    pitch = np.random.default_rng(seed).uniform(300, 1500, 1 + int(seconds * 10))
    phase = 2 * np.pi * np.cumsum(np.interp(time * 10, range(len(pitch)), pitch)) / rate
    return (0.3 * np.sin(phase)).astype(np.float32)


def encode_media(
    channels: np.ndarray,
    kind: str,
    tracks: int = 1,
    picture: bool = False,
    options: dict[str, str] | None = None,
) -> bytes:
    """Encode (S,) or (C, S), as often as there are tracks, with a picture beside it."""
    container, codec, rate = KINDS[kind]
    channels = np.atleast_2d(channels).astype(np.float32)
    layout = "mono" if len(channels) == 1 else "stereo"
    file = BytesIO()
    with av.open(file, "w", format=container, options=options or {}) as output:
        # All streams before the first packet, which writes the header.
        shown = _add_picture(output) if picture else None
        streams = [
            output.add_stream(codec, rate=rate, layout=layout) for _ in range(tracks)
        ]
        for stream in streams:
            stream.bit_rate = 12_200 if "amr" in codec else 96_000
        encoded = [
            packet
            for stream in streams
            for frame in [
                *frames_of(stream.codec_context, channels, rate, layout),
                None,
            ]
            for packet in stream.encode(frame)
        ]
        if shown is not None:
            encoded += _show(shown, channels.shape[1] / rate)
        output.mux(encoded)
    return file.getvalue()


def frames_of(codec, channels, rate, layout):
    """Cut (C, S) into frames as a codec takes them."""
    codec.open()
    whole = av.AudioFrame.from_ndarray(channels, format="fltp", layout=layout)
    whole.sample_rate, whole.pts = rate, 0
    cutter = av.AudioResampler(codec.format, layout, rate, codec.frame_size or 1024)
    return [*cutter.resample(whole), *cutter.resample(None)]


def _add_picture(output):
    stream = output.add_stream("mpeg4", rate=5)
    stream.width = stream.height = 32
    return stream


def _show(stream, seconds):
    packets = []
    for number in range(round(5 * seconds)):
        grey = np.full((32, 32, 3), 10 * number % 256, np.uint8)
        frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, 5)
        packets += stream.encode(frame)
    return packets + stream.encode(None)
