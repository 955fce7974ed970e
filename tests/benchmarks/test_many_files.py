"""The benchmark of many short files: what it makes and says, never what it measures."""

import importlib.util

import many_files

from speechgru import Transcriber


def test_recordings_are_as_many_and_as_long_as_they_are_said_to_be(tmp_path):
    folder = many_files.make_recordings(tmp_path / "audio", 20, 49.3)
    paths = many_files.recordings(folder)
    assert len(paths) == 20
    seconds = [many_files.seconds_of(path) for path in paths]
    assert abs(sum(seconds) - 49.3) < 0.01
    assert min(seconds) < max(seconds) / 2


def test_the_model_is_one_of_three_layers_that_can_hear(tmp_path):
    audio = many_files.make_recordings(tmp_path / "audio", 1, 0.5)
    checkpoint = many_files.make_checkpoint(tmp_path / "a.ckpt")
    transcriber = Transcriber.from_checkpoint(checkpoint)
    assert len(transcriber.model.encoder.layers) == 3
    assert transcriber.transcribe(audio / "000.wav").duration == 0.5


def test_what_is_not_installed_is_said_and_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    audio = many_files.make_recordings(tmp_path / "audio", 1, 0.5)
    assert many_files.measure_rivals(audio, None, 1) == [
        "PocketSphinx: not measured, pocketsphinx is not installed",
        "Whisper: not measured, faster_whisper is not installed",
    ]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(many_files, "cpu_seconds", lambda command: 0.25)
    assert many_files.measure_rivals(audio, None, 1) == [
        "PocketSphinx: 0.2 CPU s, real-time factor 0.5000",
        "Whisper: not measured, --whisper names no weights",
    ]
