"""Segments of one file sound as if each were read by itself."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from audio.media import KINDS, encode_media, sweep

from speechgru.audio import AudioError, inspect_audio, read_audio
from speechgru.data import segments
from speechgru.data.segments import SegmentReader
from speechgru.interfaces import Utterance

RATE = 16000


@pytest.fixture(params=["mp3", "joined.mp3", "wav"])
def parts(request, tmp_path) -> list[Utterance]:
    """Of an MP3 that is cut anywhere, of one that is decoded whole, and of a WAV."""
    path = tmp_path / f"a.{request.param}"
    noise = np.random.default_rng(1).standard_normal(3 * RATE)
    soundfile.write(path, 0.1 * noise, RATE)
    if request.param == "joined.mp3":
        path.write_bytes(path.read_bytes() * 2)
    return [
        Utterance(str(index), path, 0.5, "", offset=0.5 * index, partial=True)
        for index in range(5)
    ]


@pytest.fixture
def decoded(monkeypatch) -> list[tuple]:
    """What was asked of `read_audio`."""
    calls = []
    monkeypatch.setattr(
        segments,
        "read_audio",
        lambda *arguments: calls.append(arguments) or read_audio(*arguments),
    )
    return calls


def test_a_part_is_what_reading_it_alone_gives(parts):
    reader = SegmentReader()
    for part in parts:
        waveform, rate = reader.read(part)
        alone, _ = read_audio(part.audio_path, part.offset, part.duration)
        assert (rate, len(waveform)) == (RATE, RATE // 2)
        assert torch.equal(waveform, alone)
        waveform.zero_()  # and is its owner's


def test_a_joined_mp3_is_decoded_once_and_others_by_the_part(parts, decoded):
    reader = SegmentReader()
    for part in [*parts, *parts]:
        reader.read(part)
    is_joined = "joined" in parts[0].audio_path.name
    assert len(decoded) == (1 if is_joined else 10)
    small = SegmentReader(max_bytes=1000)
    for part in parts:
        small.read(part)
    assert len(decoded) == (6 if is_joined else 15)


def test_no_more_is_kept_than_was_allowed(parts, tmp_path, decoded):
    if "joined" not in parts[0].audio_path.name:
        pytest.skip("nothing is kept")
    other = tmp_path / "b.mp3"
    other.write_bytes(parts[0].audio_path.read_bytes())
    elsewhere = replace(parts[0], audio_path=other)
    reader = SegmentReader(max_bytes=10 * 4 * RATE)  # holds one of 6 s
    for part in (parts[0], elsewhere, parts[1], elsewhere):
        reader.read(part)
    assert len(decoded) == 4
    roomy = SegmentReader(max_bytes=18 * 4 * RATE)
    for part in (parts[0], elsewhere, parts[1], elsewhere):
        roomy.read(part)
    assert len(decoded) == 6


def test_errors_are_those_of_reading_it_alone(parts, tmp_path):
    beyond = replace(parts[0], offset=5.9, duration=1.0)
    missing = replace(parts[0], audio_path=tmp_path / f"x{parts[0].audio_path.suffix}")
    for utterance in (beyond, missing):
        with pytest.raises(AudioError) as error:
            SegmentReader().read(utterance)
        with pytest.raises(AudioError) as alone:
            read_audio(utterance.audio_path, utterance.offset, utterance.duration)
        assert str(error.value) == str(alone.value)


def test_a_file_is_inspected_once_for_all_its_parts(parts, monkeypatch):
    calls = []
    monkeypatch.setattr(
        segments,
        "inspect_audio",
        lambda audio: calls.append(audio) or inspect_audio(audio),
    )
    reader = SegmentReader()
    assert [reader.count_channels(part) for part in parts] == [1] * len(parts)
    assert calls == [parts[0].audio]


def test_what_cannot_be_sought_in_is_decoded_once(tmp_path, decoded):
    for kind, num_decoded in (("amr", 1), ("m4a", 3)):
        path = tmp_path / f"a.{kind}"
        path.write_bytes(encode_media(sweep(3, KINDS[kind][2]), kind))
        reader = SegmentReader()
        for offset in (2.0, 0.5, 1.25):
            part = Utterance("a", path, 0.5, "", offset=offset, partial=True)
            waveform, rate = reader.read(part)
            assert torch.equal(waveform, read_audio(path, offset, 0.5)[0])
            assert len(waveform) == rate // 2
        assert len(decoded) == num_decoded
        decoded.clear()
