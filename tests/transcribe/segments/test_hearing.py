"""Segments of a recording that hold letters, by a model that hears levels."""

from dataclasses import replace

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

from speechgru.decode.greedy import GreedyDecoder
from speechgru.interfaces import InputError
from speechgru.transcribe.recording import Recording
from speechgru.transcribe.segments import hearing
from speechgru.transcribe.segments.cutting import Piece
from speechgru.transcribe.segments.hearing import excerpts
from speechgru.transcribe.segments.voice_activity import FRAME, Activity
from speechgru.transcribe.transcriber import Transcriber
from speechgru.transcribe.transcript import Failure, Transcript

AT = (0.96, 12.0, 31.04)
"""s, where `long_waveform` says something: frames of the model begin there, and of the
network."""

TEXTS = ("AB", "C A", "BBB")


@pytest.fixture(autouse=True)
def loud_is_speech(monkeypatch):
    """Take all that is not digital silence for speech, in place of the network."""

    def find(blocks):
        samples = torch.cat([torch.empty(0), *blocks])
        padded = torch.nn.functional.pad(samples, (0, -len(samples) % FRAME))
        energies = padded.view(-1, FRAME).square().mean(1).numpy()
        return Activity((energies > 1e-3).astype(np.float32), energies)

    monkeypatch.setattr(hearing, "find_activity", find)


def long_waveform(seconds: float = 40.0, rate: int = SAMPLE_RATE) -> np.ndarray:
    waveform = np.zeros(round(seconds * rate), np.float32)
    for start, text in zip(AT, TEXTS, strict=True):
        # Long enough to be speech.
        said = make_waveform(" ".join([text] * 3), rate)
        waveform[round(start * rate) : round(start * rate) + len(said)] = said
    return waveform


EXPECTED = " ".join(f"{text} {text} {text}" for text in TEXTS)


def transcriber(**options) -> Transcriber:
    return Transcriber(LoudnessModel(), TOKENIZER, GreedyDecoder(), **options)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, long_waveform(), SAMPLE_RATE)
    return path


def test_a_long_recording_is_cut_at_silences_and_times_count_from_its_start(path):
    heard = transcriber().transcribe(path)
    assert heard.text == EXPECTED
    assert heard.duration == 40.0
    assert heard.source == str(path)
    firsts = [word.start for word in heard.words]
    assert [heard.words[0].start, heard.words[3].start] == pytest.approx(
        AT[:2], abs=0.02
    )
    assert firsts == sorted(firsts)
    assert [each.text for each in heard.segments] == [f"{t} {t} {t}" for t in TEXTS]
    for segment, start in zip(heard.segments, AT, strict=True):
        assert segment.start == pytest.approx(start - 0.15, abs=0.033)


def test_what_is_heard_is_no_longer_than_its_segments(path):
    heard = transcriber()
    heard.transcribe(path)
    assert max(shape[1] for shape in heard.model.batches) < SAMPLE_RATE


def test_none_hears_the_whole_and_vad_cuts_what_is_short_too(path, tmp_path):
    whole = transcriber(segment="none").transcribe(path)
    assert whole.segments == ()
    assert whole.text == EXPECTED
    short = write(tmp_path / "short.wav", "A B C A B C")
    assert transcriber().transcribe(short).segments == ()
    cut = transcriber(segment="vad").transcribe(short)
    assert [each.text for each in cut.segments] == ["A B C A B C"]
    assert cut.words == transcriber().transcribe(short).words


@pytest.mark.parametrize("seconds", [0.5, 40.0])
def test_silence_alone_gives_no_words(seconds):
    silence = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    heard = transcriber(segment="vad").transcribe(silence, SAMPLE_RATE)
    assert heard == Transcript("-", "", seconds, 0.0, None, (), ())


def test_segments_do_not_depend_on_the_form_of_a_recording(path):
    expected = replace(transcriber().transcribe(path), source="-")
    assert transcriber().transcribe(path.read_bytes()) == expected
    samples, rate = soundfile.read(path, dtype="float32")
    assert transcriber().transcribe(samples, rate) == expected
    assert transcriber().transcribe(np.stack([samples] * 2), rate) == expected


def test_another_rate_gives_the_same_text_and_places(tmp_path, path):
    other = tmp_path / "other.wav"
    soundfile.write(other, long_waveform(rate=16_000), 16_000)
    expected, found = (transcriber().transcribe(each) for each in (path, other))
    assert found.text == expected.text
    assert [s.start for s in found.segments] == pytest.approx(
        [s.start for s in expected.segments], abs=0.033
    )


def test_many_recordings_long_and_short_come_in_their_order(path, tmp_path):
    short = write(tmp_path / "short.wav", "CAB")
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    results = list(transcriber().transcribe_many([short, path, broken, path, short]))
    assert isinstance(results[2], Failure)
    texts = [each.text for each in results if isinstance(each, Transcript)]
    assert texts == ["CAB", EXPECTED, EXPECTED, "CAB"]


def test_a_segment_that_cannot_be_heard_fails_its_recording_alone(path):
    class Broken(LoudnessModel):
        def forward(self, waveforms, waveform_lengths):
            log_probs, lengths = super().forward(waveforms, waveform_lengths)
            return log_probs * torch.nan, lengths

    broken = Transcriber(Broken(), TOKENIZER, GreedyDecoder())
    [failure] = broken.transcribe_many([path])
    assert isinstance(failure, Failure)
    assert failure.message.startswith(f"{path}: the model finds NaN")


def test_a_limit_of_memory_is_none_for_what_is_heard_in_segments(path):
    tight = transcriber(max_memory=1e-9)
    assert tight.transcribe(path).text == EXPECTED
    with pytest.raises(InputError, match="would take some"):
        transcriber(max_memory=1e-9, segment="none").transcribe(path)


def test_an_unknown_mode_is_refused():
    with pytest.raises(InputError, match="segment is 'always', expected auto, none"):
        transcriber(segment="always")


def test_excerpts_are_the_samples_between_their_ends():
    samples = torch.arange(100 * 1000, dtype=torch.float32)
    pieces = [Piece(0.0, 0.5), Piece(15.9, 16.1), Piece(20.0, 70.0), Piece(99.5, 100.0)]
    found = list(excerpts(Recording("a", samples, 1000), pieces))
    for piece, excerpt in zip(pieces, found, strict=True):
        start, stop = round(1000 * piece.start), round(1000 * piece.end)
        assert (excerpt.name, excerpt.sample_rate) == ("a", 1000)
        torch.testing.assert_close(excerpt.content, samples[start:stop])


def test_no_more_is_decoded_than_the_next_excerpt_needs(monkeypatch):
    num_blocks = 0

    class Long(Recording):
        def blocks(self, seconds):
            nonlocal num_blocks
            for _ in range(10**9):
                num_blocks += 1
                yield torch.zeros(round(seconds * 100)), 100

    endless = Long("a", torch.empty(0), 100)
    found = excerpts(endless, [Piece(1.0, 2.0), Piece(1600.0, 1601.0)])
    assert len(next(found).content) == 100
    assert num_blocks == 1
    assert len(next(found).content) == 100
    assert num_blocks == 101


@pytest.mark.parametrize(("seconds", "expected"), [(29.0, "AB"), (31.0, "A B")])
def test_words_end_at_pauses_of_a_long_recording_that_is_heard_whole(seconds, expected):
    waveform = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    for start, letter in ((0, "A"), (SAMPLE_RATE, "B")):
        waveform[start : start + 160] = make_waveform(letter)
    whole = transcriber(segment="none").transcribe(waveform, SAMPLE_RATE)
    assert whole.text == expected
