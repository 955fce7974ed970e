import io
import random
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from conftest import SMALL_MODEL
from torch import nn
from transcribe.loudness import (
    FRAME,
    SAMPLE_RATE,
    TOKENIZER,
    LoudnessModel,
    make_waveform,
    write,
)

from speechgru.decode.greedy import GreedyDecoder
from speechgru.interfaces import InputError, Span
from speechgru.transcribe import recording
from speechgru.transcribe import transcriber as module
from speechgru.transcribe.many import plan_batches
from speechgru.transcribe.transcriber import (
    Failure,
    Transcriber,
    Transcript,
)


def encode_wav(text: str) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, make_waveform(text), SAMPLE_RATE, format="WAV")
    return stream.getvalue()


@pytest.fixture
def transcriber() -> Transcriber:
    return Transcriber(LoudnessModel(), TOKENIZER, GreedyDecoder(), {"corpus": "an4"})


def test_a_file_becomes_text_with_times(transcriber, tmp_path):
    path = write(tmp_path / "a.wav", "AB C")
    transcript = transcriber.transcribe(path)
    assert transcript.source == str(path)
    assert transcript.text == "AB C"
    assert transcript.duration == pytest.approx(0.08)
    assert [word.text for word in transcript.words] == ["AB", "C"]
    assert transcript.words[1].start == pytest.approx(0.06)
    assert transcript.words[1].end == pytest.approx(0.07)
    assert len(transcript.tokens) == 4
    assert 0.9 < transcript.confidence <= 1
    assert transcript.score < 0


def test_path_text_bytes_stream_and_waveform_say_the_same(transcriber, tmp_path):
    path = write(tmp_path / "a.wav", "CAB")
    expected = transcriber.transcribe(path)
    with path.open("rb") as file:
        assert transcriber.transcribe(file) == expected
    assert transcriber.transcribe(str(path)) == expected
    nameless = replace(expected, source="-")
    assert transcriber.transcribe(path.read_bytes()) == nameless
    assert transcriber.transcribe(io.BytesIO(path.read_bytes())) == nameless
    samples, sample_rate = soundfile.read(path, dtype="float32")
    waveform = torch.from_numpy(samples)
    assert transcriber.transcribe(waveform, sample_rate) == nameless
    stereo = torch.stack([waveform * 2, waveform * 0]).double()
    assert transcriber.transcribe(stereo, sample_rate=sample_rate) == nameless


def test_standard_input_has_the_name_dash(transcriber):
    stream = io.BytesIO(encode_wav("A"))
    stream.name = "<stdin>"
    assert transcriber.transcribe(stream).source == "-"


@pytest.mark.parametrize("sample_rate", [16000, 48000])
def test_audio_is_resampled_to_the_rate_of_the_model(
    transcriber, tmp_path, sample_rate
):
    path = write(tmp_path / "a.wav", "A CAB", sample_rate)
    transcript = transcriber.transcribe(path)
    assert transcript.text == "A CAB"
    assert transcript.duration == pytest.approx(0.1)
    waveform = torch.from_numpy(soundfile.read(path, dtype="float32")[0])
    assert transcriber.transcribe(waveform, sample_rate).text == "A CAB"


def test_silence_is_an_empty_text_without_confidence(transcriber):
    transcript = transcriber.transcribe(torch.zeros(800), SAMPLE_RATE)
    assert transcript.text == ""
    assert transcript.confidence is None
    assert transcript.words == transcript.tokens == ()


def test_spaces_alone_are_an_empty_text_without_confidence(transcriber):
    spaces = np.tile(np.repeat(np.float32([0.1, 0]), FRAME), 5)  # of the token " "
    transcript = transcriber.transcribe(spaces, SAMPLE_RATE)
    assert [token.text for token in transcript.tokens] == [" "] * 5
    assert (transcript.text, transcript.words) == ("", ())
    assert transcript.confidence is None


def test_dropout_is_off(transcriber):
    assert not transcriber.model.training


def test_results_do_not_depend_on_the_other_files(transcriber, tmp_path):
    generator = random.Random(8)
    paths = [
        write(
            tmp_path / f"{index}.wav",
            "A" + "".join(generator.choices("ABC ", k=generator.randrange(40))),
        )
        for index in range(30)
    ]
    alone = [transcriber.transcribe(path) for path in paths]
    for batch_seconds in (0.001, 1.0, 60.0):
        together = list(transcriber.transcribe_many(paths, batch_seconds))
        assert together == alone
    order = generator.sample(range(30), k=11)
    some = list(transcriber.transcribe_many([paths[index] for index in order]))
    assert some == [alone[index] for index in order]


def test_order_holds_over_several_windows(transcriber, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "WINDOW", 3)
    texts = ["A", "BBB", "CC", "AB", "C A B", "B", "CCC"]
    paths = [write(tmp_path / f"{index}.wav", text) for index, text in enumerate(texts)]
    results = transcriber.transcribe_many(paths)
    assert next(results).text == "A"
    assert len(transcriber.model.batches) == 1  # the other windows have not begun
    assert [result.text for result in results] == texts[1:]


def test_batches_stay_within_their_size(transcriber, tmp_path):
    texts = ["A" * n for n in (1, 9, 2, 50, 3, 8, 2)]
    paths = [write(tmp_path / f"{index}.wav", text) for index, text in enumerate(texts)]
    results = list(transcriber.transcribe_many(paths, batch_seconds=0.4))
    assert [result.text for result in results] == texts
    sizes = [
        batch * samples / SAMPLE_RATE for batch, samples in transcriber.model.batches
    ]
    assert sizes[0] == pytest.approx(1.0)  # longer than a batch: alone
    assert max(sizes[1:]) <= 0.4
    assert len(sizes) == 3


def test_plan_sorts_by_length_and_keeps_every_key():
    durations = {0: 1.0, 1: 9.0, 2: 3.0, 3: 2.9, 4: 0.5, 5: 0.5}
    assert plan_batches(durations, 6.0) == [[1], [2, 3], [0, 4, 5]]
    assert plan_batches({}, 6.0) == []


def test_failures_take_their_place_and_stop_nobody(transcriber, tmp_path):
    good = write(tmp_path / "good.wav", "AB")
    empty = tmp_path / "empty.wav"
    empty.write_bytes(b"")
    noise = tmp_path / "noise.wav"
    noise.write_bytes(random.Random(9).randbytes(999))
    short = tmp_path / "short.wav"
    soundfile.write(short, np.zeros(FRAME - 1, np.float32), SAMPLE_RATE)
    broken = tmp_path / "nan.wav"
    soundfile.write(
        broken, np.full(800, np.nan, np.float32), SAMPLE_RATE, subtype="FLOAT"
    )
    bad = [tmp_path / "missing.wav", empty, noise, short, broken, tmp_path]
    sources = [bad[0], good, *bad[1:], good]
    results = list(transcriber.transcribe_many(sources))
    assert [type(result) for result in results] == [
        Failure,
        Transcript,
        *[Failure] * 5,
        Transcript,
    ]
    for source, result in zip(sources, results, strict=True):
        assert result.source == str(source)
        if isinstance(result, Failure):
            assert str(source) in result.message
            with pytest.raises(InputError) as error:
                transcriber.transcribe(source)
            assert str(error.value) == result.message
    assert results[1] == results[-1] == transcriber.transcribe(good)


def test_nameless_sources_fail_as_dash_and_streams_by_name(transcriber, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"")
    with path.open("rb") as file:
        sources = [encode_wav("A"), b"", io.BytesIO(b"nonsense"), file]
        good, *failures = transcriber.transcribe_many(sources)
    assert good.text == "A"
    assert [failure.source for failure in failures] == ["-", "-", str(path)]
    assert all(f.message.startswith(f"{f.source}: ") for f in failures)


def test_a_stream_that_cannot_be_read_is_a_failure(transcriber):
    class Broken(io.BytesIO):
        def read(self, *_):
            raise OSError(5, "Input/output error")

    [failure] = transcriber.transcribe_many([Broken()])
    assert failure == Failure("-", "-: [Errno 5] Input/output error")


def test_all_failures_and_no_sources_are_fine(transcriber, tmp_path):
    results = list(transcriber.transcribe_many([tmp_path / "x", tmp_path / "y"]))
    assert all(isinstance(result, Failure) for result in results)
    assert list(transcriber.transcribe_many([])) == []


def test_audio_is_decoded_one_batch_at_a_time(transcriber, tmp_path, monkeypatch):
    paths = [write(tmp_path / f"{index}.wav", "ABC") for index in range(6)]
    loaded = []
    load_audio = recording.load_audio
    monkeypatch.setattr(
        recording,
        "load_audio",
        lambda *args, **options: loaded.append(1) or load_audio(*args, **options),
    )
    results = transcriber.transcribe_many(paths, batch_seconds=0.12)
    next(results)
    assert len(loaded) == 2


@pytest.mark.parametrize("num_samples", [0, 1, FRAME - 1])
def test_audio_shorter_than_a_frame_is_an_error(transcriber, num_samples):
    with pytest.raises(
        InputError, match=rf"waveform: {num_samples} samples .* one output frame"
    ):
        transcriber.transcribe(torch.zeros(num_samples), SAMPLE_RATE)


@pytest.mark.parametrize(
    ("waveform", "sample_rate", "message"),
    [
        (torch.zeros(800), None, "sample_rate is None, expected Hz"),
        (torch.zeros(800), 0, "sample_rate is 0, expected Hz"),
        (torch.zeros(800, dtype=torch.int64), 8000, "int64 .*expected floats"),
        (torch.zeros(1, 1, 800), 8000, r"shape \(1, 1, 800\), expected \(samples,\)"),
        (torch.full((800,), torch.nan), 8000, "holds NaN"),
    ],
)
def test_rejects_unusable_waveforms(transcriber, waveform, sample_rate, message):
    with pytest.raises(InputError, match=message):
        transcriber.transcribe(waveform, sample_rate)


def test_rejects_a_sample_rate_beside_a_file(transcriber, tmp_path):
    with pytest.raises(InputError, match=r"a.wav: sample_rate=8000 is given"):
        transcriber.transcribe(write(tmp_path / "a.wav", "A"), sample_rate=8000)


@pytest.mark.parametrize("batch_seconds", [0, -1.0, float("nan")])
def test_rejects_batches_without_size(transcriber, batch_seconds):
    with pytest.raises(InputError, match="expected more than 0 s"):
        transcriber.transcribe_many([], batch_seconds)


def test_confidence_is_the_geometric_mean_of_the_tokens(transcriber):
    def decoder(log_probs, output_lengths, tokenizer, seconds_per_frame):
        [hypothesis] = GreedyDecoder()(
            log_probs, output_lengths, tokenizer, seconds_per_frame
        )
        tokens = (Span("A", 0, 1, 0.9), Span("B", 1, 2, 0.4))
        return [replace(hypothesis, tokens=tokens)]

    transcriber = Transcriber(transcriber.model, TOKENIZER, decoder)
    transcript = transcriber.transcribe(torch.zeros(800), SAMPLE_RATE)
    assert transcript.confidence == pytest.approx(0.6)


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    from speechgru.checkpoint.models import build_model
    from speechgru.checkpoint.storage import describe, write_checkpoint

    torch.manual_seed(10)
    model = build_model(SMALL_MODEL, len(TOKENIZER.tokens))
    # Far from a tie in any frame, unlike a fresh model.
    nn.init.normal_(model.head.weight, std=20.0)
    path = tmp_path / "tiny.ckpt"
    content = describe(SMALL_MODEL, TOKENIZER.config(), {"corpus": "an4", "seed": 1})
    weights = {f"model.{name}": value for name, value in model.state_dict().items()}
    write_checkpoint(content | {"state_dict": weights}, path)
    return path


def test_a_checkpoint_alone_transcribes_the_same_in_any_company(checkpoint, tmp_path):
    generator = np.random.default_rng(11)
    paths = []
    for index, num_samples in enumerate([4000, 90, 12345, 700, 8000]):
        paths.append(tmp_path / f"{index}.wav")
        soundfile.write(
            paths[-1], 0.1 * generator.standard_normal(num_samples), SAMPLE_RATE
        )
    transcriber = Transcriber.from_checkpoint(checkpoint)
    assert transcriber.metadata["corpus"] == "an4"
    assert transcriber.tokenizer.tokens == TOKENIZER.tokens
    together = list(transcriber.transcribe_many(paths))
    assert any(transcript.text for transcript in together)
    for path, transcript in zip(paths, together, strict=True):
        alone = Transcriber.from_checkpoint(str(checkpoint)).transcribe(path)
        assert alone.text == transcript.text
        assert alone.score == pytest.approx(transcript.score, abs=1e-2)


def test_the_decoder_and_trusted_modules_can_be_chosen(checkpoint, monkeypatch):
    from speechgru.checkpoint import load as room

    load_checkpoint, seen = room.load_checkpoint, []
    monkeypatch.setattr(
        room,
        "load_checkpoint",
        lambda path, trust: seen.append(trust) or load_checkpoint(path, trust=trust),
    )
    decoder = GreedyDecoder()
    transcriber = Transcriber.from_checkpoint(
        checkpoint, decoder=decoder, trust=["my.room"]
    )
    assert transcriber.decoder is decoder
    assert seen == [["my.room"]]


@pytest.mark.parametrize("device", ["cuda:99", "abacus"])
def test_a_device_that_is_not_there_is_named(checkpoint, device):
    with pytest.raises(InputError, match=f"device '{device}' cannot be used"):
        Transcriber.from_checkpoint(checkpoint, device=device)


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none.ckpt"):
        Transcriber.from_checkpoint(tmp_path / "none.ckpt")


def test_the_package_offers_the_transcriber():
    import speechgru

    assert speechgru.Transcriber is sys.modules[Transcriber.__module__].Transcriber
