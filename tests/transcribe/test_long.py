"""A long recording has the transcript of the whole, whatever its form."""

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from conftest import SMALL_MODEL

from speechgru.checkpoint.models import build_model
from speechgru.decode.greedy import GreedyDecoder
from speechgru.decode.prefix_beam import PrefixBeamDecoder
from speechgru.interfaces import InputError
from speechgru.text.tokenizer import CharacterTokenizer
from speechgru.transcribe import long
from speechgru.transcribe.batch_scoring import BatchScoring
from speechgru.transcribe.long import LongHearing, LongScores, decode_long
from speechgru.transcribe.recording import Recording
from speechgru.transcribe.transcriber import Transcriber, Transcript

RATE = 8000
TOKENIZER = CharacterTokenizer(" ABC")


class Own:
    """A decoder that cannot hear block by block."""

    name = "own"

    def __call__(self, *arguments):
        return GreedyDecoder()(*arguments)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    model = build_model(SMALL_MODEL, len(TOKENIZER.tokens)).eval()
    for weights in model.encoder.parameters():
        torch.nn.init.normal_(weights, std=1.0)
    torch.nn.init.normal_(model.head.weight, std=3.0)
    model.normalize.mean.fill_(-8.0)
    model.normalize.std.fill_(3.0)
    return model


@pytest.fixture
def heard_long(monkeypatch) -> list[str]:
    """Hear what lasts more than half a second block by block, and note what does."""
    monkeypatch.setattr(long, "LONG", 0.5)
    heard: list[str] = []
    score = LongHearing.score
    monkeypatch.setattr(
        LongHearing,
        "score",
        lambda self, recording, duration: (
            heard.append(recording.name) or score(self, recording, duration)
        ),
    )
    monkeypatch.setattr(LongHearing.takes, "__defaults__", (0.5,))
    return heard


def make_sound(num_samples: int, seed: int = 0) -> np.ndarray:
    """A tone, or none, for each tenth of a second at 8 kHz, in noise."""
    generator = np.random.default_rng(seed)
    pitches = generator.choice([0.0, 0.05, 0.11, 0.21, 0.34], num_samples // 800 + 1)
    phases = 2 * np.pi * np.cumsum(np.repeat(pitches, 800)[:num_samples])
    noise = generator.standard_normal(num_samples)
    return (0.2 * np.sin(phases) + 0.002 * noise).astype(np.float32)


def agree(one: Transcript, other: Transcript) -> None:
    assert one.text == other.text
    assert one.duration == other.duration
    assert one.score == pytest.approx(other.score, abs=2e-3)
    assert [(span.text, span.start, span.end) for span in one.words] == [
        (span.text, span.start, span.end) for span in other.words
    ]
    assert one.confidence == pytest.approx(other.confidence, abs=1e-4)


@pytest.mark.parametrize("decoder", [GreedyDecoder(), PrefixBeamDecoder(8), Own()])
def test_every_decoder_hears_what_it_hears_of_the_whole(model, heard_long, decoder):
    transcriber = Transcriber(model, TOKENIZER, decoder)
    sound = make_sound(3 * RATE + 17)
    found = transcriber.transcribe(sound, RATE)
    assert heard_long == ["-"]
    assert len(found.text) > 5
    agree(found, transcriber._hear(["-"], [torch.from_numpy(sound)])[0])


@pytest.mark.parametrize("block", [1, 13, 2000])
def test_blocks_of_any_size_give_the_text_and_the_scores_of_the_whole(model, block):
    sound = make_sound(2 * RATE + 3)
    recording = Recording.of(sound, RATE)
    transcriber = Transcriber(model, TOKENIZER, GreedyDecoder())
    whole, _ = BatchScoring(transcriber.model).score(["-"], [torch.from_numpy(sound)])
    with LongHearing(model).score(recording, 2.0) as scores:
        scores = LongScores(model, recording, scores._scratch, block)
        torch.testing.assert_close(scores.gather(), whole[0], atol=1e-4, rtol=0)
        assert scores.num_samples == len(sound)
    with LongHearing(model).score(recording, 2.0) as scores:
        scores = LongScores(model, recording, scores._scratch, block)
        found = decode_long(scores, GreedyDecoder(), TOKENIZER, 0.02)
    lengths = torch.tensor([whole.size(1)])
    [expected] = GreedyDecoder()(whole, lengths, TOKENIZER, 0.02)
    assert found.text == expected.text
    assert len(expected.tokens) > 5


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (16000, 2), (44100, 1)])
def test_files_of_any_kind_and_rate_are_heard_as_when_they_are_loaded(
    model, heard_long, tmp_path, ending, rate, channels
):
    path = tmp_path / f"a.{ending}"
    sound = make_sound(2 * rate + 5)
    soundfile.write(path, np.stack([sound] * channels, axis=1), rate)
    transcriber = Transcriber(model, TOKENIZER, GreedyDecoder())
    whole = BatchScoring(transcriber.model).load(Recording.of(path))
    expected = transcriber._hear([str(path)], [whole])[0]
    found = transcriber.transcribe(path)
    assert heard_long == [str(path)]
    agree(found, expected)
    agree(transcriber.transcribe(io.BytesIO(path.read_bytes())), expected)


def test_among_many_the_long_ones_are_heard_by_themselves(model, heard_long):
    transcriber = Transcriber(model, TOKENIZER, GreedyDecoder())
    sounds = [make_sound(n, n) for n in (3000, 9000, 3500, 0, 12_000)]
    results = [*transcriber.transcribe_many(sounds, 0.4, RATE)]
    assert len(heard_long) == 2
    assert "no samples" in results[3].message or "0 samples" in results[3].message
    for sound, result in zip(sounds, results, strict=True):
        if len(sound):
            waveform = torch.from_numpy(sound)
            agree(result, transcriber._hear(["-"], [waveform])[0])
    # Batches that are longer than these recordings hold them whole.
    heard_long.clear()
    assert len([*transcriber.transcribe_many(sounds[:2], 60.0, RATE)]) == 2
    assert heard_long == []


def test_a_text_is_aligned_as_with_the_whole(model, heard_long, tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    soundfile.write(path, make_sound(2 * RATE + 40), RATE)
    transcriber = Transcriber(model, TOKENIZER, GreedyDecoder())
    found = transcriber.align(path, "AB CAB A")
    assert heard_long == [str(path)]
    monkeypatch.setattr(LongHearing, "takes", lambda *arguments: False)
    agree(found, transcriber.align(path, "AB CAB A"))


def test_nan_is_an_error_with_the_name_of_the_recording(heard_long, tmp_path):
    broken = build_model(SMALL_MODEL, len(TOKENIZER.tokens)).eval()
    broken.encoder.layers[1].weight_hh_l0.data[0, 0] = torch.nan
    path = tmp_path / "a.wav"
    soundfile.write(path, make_sound(RATE), RATE)
    with pytest.raises(InputError, match=r"a\.wav: the model finds NaN in it"):
        Transcriber(broken, TOKENIZER, GreedyDecoder()).transcribe(path)


def test_a_file_that_is_cut_off_is_an_error_and_not_half_a_text(
    model, heard_long, tmp_path
):
    path = tmp_path / "a.flac"
    soundfile.write(path, make_sound(4 * RATE), RATE)
    path.write_bytes(path.read_bytes()[:-9000])
    with pytest.raises(InputError, match=r"a\.flac: truncated"):
        Transcriber(model, TOKENIZER, GreedyDecoder()).transcribe(path)


def test_no_room_for_temporary_files_names_recording_folder_and_need(
    model, heard_long, tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(
        "shutil.disk_usage", lambda folder: type("Usage", (), {"free": 3_000_000})
    )
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(8000), RATE)
    transcriber = Transcriber(model, TOKENIZER, GreedyDecoder())
    transcriber.transcribe(path)
    # 3600 s of 50 frames: two layers of 12 numbers, 4 bytes each.
    with (
        pytest.raises(
            InputError,
            match=rf"a\.wav: temporary files in {tmp_path}: 3 MB free, expected "
            r"room for 17\.3 MB; free some, or .* TMPDIR",
        ),
        LongHearing(model).score(Recording.of(Path("a.wav")), 3600.0),
    ):
        raise AssertionError
