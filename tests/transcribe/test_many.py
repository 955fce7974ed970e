"""One source's fault is that source's alone, whatever its kind."""

import io
import os
import sys
import threading
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from transcribe.loudness import (
    SAMPLE_RATE,
    TOKENIZER,
    LoudnessModel,
    make_waveform,
    write,
)

from speechgru.bounded import read_stream
from speechgru.decode.greedy import GreedyDecoder
from speechgru.interfaces import InputError
from speechgru.transcribe.inputs import expand
from speechgru.transcribe.transcriber import Failure, Transcriber, Transcript

LOUD = 0.9
"""A level that `BrokenModel` cannot bear."""


class BrokenModel(LoudnessModel):
    """Fails if any waveform of a batch reaches the level LOUD."""

    def __init__(self, fault) -> None:
        super().__init__()
        self.fault = fault

    def forward(self, waveforms, waveform_lengths):
        log_probs, lengths = super().forward(waveforms, waveform_lengths)
        loud = (waveforms > LOUD).any(dim=1)
        if loud.any():
            if isinstance(self.fault, BaseException):
                raise self.fault
            log_probs[loud] = self.fault
        return log_probs, lengths


@pytest.fixture
def files(tmp_path) -> list[Path]:
    """Forty good files, and a bad one among them."""
    texts = ["A", "AB", "C A", "BBB"]
    paths = [write(tmp_path / f"{index}.wav", texts[index % 4]) for index in range(41)]
    soundfile.write(paths[17], np.full(400, 0.95, np.float32), SAMPLE_RATE)
    return paths


def check_only_one_fails(results, files, message):
    failures = [result for result in results if isinstance(result, Failure)]
    assert [failure.source for failure in failures] == [str(files[17])]
    assert failures[0].message.startswith(f"{files[17]}: ")
    assert message in failures[0].message
    texts = [result.text for result in results if isinstance(result, Transcript)]
    assert texts == [["A", "AB", "C A", "BBB"][i % 4] for i in range(41) if i != 17]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (MemoryError(), "not enough memory"),
        (RuntimeError("[enforce fail] can't allocate"), "RuntimeError: [enforce fail]"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (IndexError("list index"), "IndexError: list index"),
        (AssertionError(), "AssertionError"),
        (torch.nan, "the model finds NaN in it, expected probabilities"),
    ],
)
def test_a_fault_of_the_model_takes_nobody_elses_text(files, fault, message):
    transcriber = Transcriber(BrokenModel(fault), TOKENIZER, GreedyDecoder())
    check_only_one_fails([*transcriber.transcribe_many(files)], files, message)
    expected = type(fault) if isinstance(fault, Exception) else InputError
    with pytest.raises(expected):
        transcriber.transcribe(files[17])


@pytest.mark.parametrize("fault", [MemoryError(), ValueError("no"), KeyError("x")])
def test_a_fault_of_the_decoder_takes_nobody_elses_text(files, fault):
    def decoder(log_probs, lengths, tokenizer, seconds_per_frame):
        if (lengths == 5).any():  # the bad one alone is so long
            raise fault
        return GreedyDecoder()(log_probs, lengths, tokenizer, seconds_per_frame)

    soundfile.write(files[17], np.zeros(400, np.float32), SAMPLE_RATE)
    transcriber = Transcriber(LoudnessModel(), TOKENIZER, decoder)
    check_only_one_fails([*transcriber.transcribe_many(files)], files, "")


@pytest.mark.parametrize("function", ["inspect_audio", "load_audio"])
@pytest.mark.parametrize("fault", [MemoryError("5 GiB"), RuntimeError("x"), OSError(5)])
def test_a_fault_in_reading_takes_nobody_elses_text(
    files, monkeypatch, function, fault
):
    from speechgru.transcribe import recording

    real = getattr(recording, function)

    def broken(source, *arguments, **options):
        if source == str(files[17]):
            raise fault
        return real(source, *arguments, **options)

    monkeypatch.setattr(recording, function, broken)
    transcriber = Transcriber(LoudnessModel(), TOKENIZER, GreedyDecoder())
    check_only_one_fails([*transcriber.transcribe_many(files)], files, "")


@pytest.mark.parametrize("end", [KeyboardInterrupt(), SystemExit(3)])
def test_who_wants_to_end_it_still_can(files, end):
    transcriber = Transcriber(BrokenModel(end), TOKENIZER, GreedyDecoder())
    with pytest.raises(type(end)):
        list(transcriber.transcribe_many(files))


def test_what_is_no_audio_at_all_is_a_failure_of_its_own(files):
    transcriber = Transcriber(LoudnessModel(), TOKENIZER, GreedyDecoder())
    text = io.StringIO("RIFF")
    sources = [None, 3, {"a": 1}, object(), text, files[0], "a\0b.wav", "x" * 9999]
    results = list(transcriber.transcribe_many(sources))
    assert [type(result) for result in results] == [
        *[Failure] * 5,
        Transcript,
        *[Failure] * 2,
    ]
    assert "a NoneType is no audio, expected a path" in results[0].message
    assert 'open the file in binary mode, "rb"' in results[4].message
    assert "\0" not in results[6].message


@pytest.mark.parametrize(
    "one",
    [
        *("a.wav", Path("a.wav"), b"RIFF", bytearray(2), memoryview(b"a")),
        *(io.BytesIO(), np.zeros(800), torch.zeros(800)),
    ],
)
def test_one_recording_where_several_are_expected_is_said(one):
    transcriber = Transcriber(LoudnessModel(), TOKENIZER, GreedyDecoder())
    with pytest.raises(InputError, match="one recording, expected several; give a lis"):
        transcriber.transcribe_many(one)


def test_any_iterable_of_sources_will_do(files):
    transcriber = Transcriber(LoudnessModel(), TOKENIZER, GreedyDecoder())
    expected = list(transcriber.transcribe_many(files[:5]))
    assert list(transcriber.transcribe_many(path for path in files[:5])) == expected
    assert list(transcriber.transcribe_many(iter(files[:5]))) == expected
    assert {*transcriber.transcribe_many(set(files[:5]))} == {*expected}


def test_content_of_any_kind_and_waveforms_go_together(files):
    transcriber = Transcriber(LoudnessModel(), TOKENIZER, GreedyDecoder())
    content = files[1].read_bytes()
    waveform = make_waveform("AB")
    sources = [content, bytearray(content), memoryview(content), io.BytesIO(content)]
    sources += [waveform, np.int16(32767 * waveform), np.stack([waveform] * 2, axis=1)]
    results = list(transcriber.transcribe_many(sources, sample_rate=SAMPLE_RATE))
    assert [result.text for result in results] == ["AB"] * 7
    [failure] = transcriber.transcribe_many([waveform])
    assert "sample_rate is None" in failure.message


def test_a_pipe_is_read_once_and_named(files, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = files[1].read_bytes()
    feeder = threading.Thread(target=pipe.write_bytes, args=(content,))
    feeder.start()
    transcriber = Transcriber(LoudnessModel(), TOKENIZER, GreedyDecoder())
    [transcript] = transcriber.transcribe_many([pipe])
    feeder.join()
    assert (transcript.source, transcript.text) == (str(pipe), "AB")


def test_a_name_stays_on_its_line(tmp_path):
    name = tmp_path / "a\nb\t\x1b[31m\udcff.wav"
    transcriber = Transcriber(LoudnessModel(), TOKENIZER, GreedyDecoder())
    [failure] = transcriber.transcribe_many([name])
    assert failure.source == str(name)
    assert "a\\nb\\t\\x1b[31m\\xff.wav: " in failure.message
    assert failure.message.isprintable()


def test_what_a_pipe_brings_without_end_is_a_failure(tmp_path, monkeypatch):
    few = partial(read_stream, most=1000)
    monkeypatch.setattr("speechgru.transcribe.recording.read_stream", few)
    monkeypatch.setattr("speechgru.transcribe.inputs.read_stream", few)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    feeder = threading.Thread(target=pipe.write_bytes, args=(bytes(1500),))
    feeder.start()
    transcriber = Transcriber(LoudnessModel(), TOKENIZER, GreedyDecoder())
    [failure] = transcriber.transcribe_many([pipe])
    feeder.join()
    assert "pipe: a pipe that brings more than 0 MiB" in failure.message
    standard = SimpleNamespace(buffer=io.BytesIO(bytes(1500)))
    monkeypatch.setattr(sys, "stdin", standard)
    [failure] = expand("-")
    assert failure.message.startswith("-: standard input cannot be read (more than")
