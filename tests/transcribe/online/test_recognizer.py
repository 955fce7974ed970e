"""A stream says what its recording says, however it comes."""

from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, pairwise

import numpy as np
import pytest
import torch
from conftest import SAMPLE_RATE
from transcribe.online.tone_model import speak

from speechgru.audio import resample_audio
from speechgru.decode.prefix_beam import PrefixBeamDecoder
from speechgru.interfaces import InputError
from speechgru.ranges import OptionError
from speechgru.transcribe.online.endpoints import Endpoints
from speechgru.transcribe.online.recognizer import OnlineRecognizer
from speechgru.transcribe.transcriber import Transcriber

WHOLE = Endpoints(100, 100, 100)
"""Never but at the end of these streams."""


SPEECH = speak(0.7, "AB CD", 2.0, "D CA", 3.9, "BB", 0.1)


def finals(results):
    return [result for result in results if result.is_final]


def with_beam(live: Transcriber) -> Transcriber:
    return Transcriber(live.model, live.tokenizer, PrefixBeamDecoder(8, num_best=2))


@pytest.mark.parametrize("size", [1, 77, 800, 12_345])
def test_chunks_of_any_size_give_the_same_results(live, size):
    whole = [*live.stream([SPEECH], SAMPLE_RATE)]
    length = 8000 if size == 1 else len(SPEECH)  # one by one, a second is enough
    chunks = [SPEECH[i : i + size] for i in range(0, length, size)]
    chunks.append(SPEECH[length:])
    assert [*live.stream(chunks, SAMPLE_RATE)] == whole
    assert len(finals(whole)) == 3


@pytest.mark.parametrize("decode", [lambda live: live, with_beam])
def test_the_text_of_an_utterance_is_that_of_its_samples(live, decode):
    transcriber = decode(live)
    heard = finals(transcriber.stream([SPEECH], SAMPLE_RATE))
    assert [result.text.replace(" ", "") for result in heard] == ["ABCD", "DCA", "BB"]
    for result in heard:
        start, end = (round(time * SAMPLE_RATE) for time in (result.start, result.end))
        alone = transcriber.transcribe(SPEECH[start:end], SAMPLE_RATE)
        assert result.text == alone.text
        assert result.confidence == pytest.approx(alone.confidence, abs=1e-4)
        for word, expected in zip(result.words, alone.words, strict=True):
            assert word.text == expected.text
            assert word.start == pytest.approx(result.start + expected.start)
            assert word.end == pytest.approx(result.start + expected.end)
        assert [each.text for each in result.alternatives] == [
            each.text for each in alone.alternatives
        ]


@pytest.mark.parametrize("step", [0.001, 0.1, 1.0])
def test_without_endpoints_the_text_is_that_of_the_whole(live, step):
    *_, last = live.stream([SPEECH], SAMPLE_RATE, WHOLE, step)
    assert last.is_final
    assert last.text == live.transcribe(SPEECH, SAMPLE_RATE).text
    assert (last.start, last.end) == (0, len(SPEECH) / SAMPLE_RATE)


def test_a_stream_of_another_rate_is_resampled_as_a_file_is(live):
    for rate in (16_000, 11_025):
        speech = resample_audio(torch.from_numpy(SPEECH), SAMPLE_RATE, rate).numpy()
        whole = [*live.stream([speech], rate, WHOLE)]
        assert whole[-1].text == live.transcribe(speech, rate).text
        assert [*live.stream(np.array_split(speech, 997), rate, WHOLE)] == whole


def test_integers_are_scaled_by_the_range_of_their_type(live):
    scaled = np.round(SPEECH * 2**15).astype(np.int16)
    [first, *_] = finals(live.stream([scaled], SAMPLE_RATE))
    assert first.text == finals(live.stream([SPEECH], SAMPLE_RATE))[0].text


def test_partial_results_grow_and_come_before_the_silence(live):
    results = [*live.stream([SPEECH], SAMPLE_RATE)]
    partial = results[: results.index(finals(results)[0])]
    assert len(partial) > 1
    texts = [result.text for result in partial]
    assert all(b.startswith(a) for a, b in pairwise(texts))
    # 0.7 s of silence and 0.8 s of sound, and what a result has to wait for.
    recognizer = recognize(live)
    assert partial[-1].end <= 1.5 + recognizer.latency.most + 0.02


def recognize(live: Transcriber, **options) -> OnlineRecognizer:
    return OnlineRecognizer(
        live.model, live.tokenizer, live.decoder, SAMPLE_RATE, **options
    )


def test_silence_says_nothing_and_nothing_of_it_is_kept(live):
    recognizer = recognize(live)
    noise = 0.01 * np.random.default_rng(1).standard_normal(20 * SAMPLE_RATE)
    kept = []
    for chunk in np.array_split(noise, 20):
        assert recognizer.push(chunk) == []
        kept.append(recognizer._num_samples)
    assert max(kept) <= (2.4 + 1) * SAMPLE_RATE
    assert recognizer.finish() == []


def test_speech_without_a_pause_is_cut_where_it_is_too_long(live):
    speech = speak("ABCDABCDABCDABCDABCDABCD")
    limits = Endpoints(max_utterance=1.0)
    heard = finals(live.stream([speech], SAMPLE_RATE, limits))
    assert len(heard) >= 3
    assert all(result.end - result.start <= 1.1 for result in heard)
    assert all(b.start == a.end for a, b in pairwise(heard))


def test_near_the_limit_a_short_pause_ends_an_utterance(live):
    speech = speak("ABCDABCD", 0.35, "BACA", 2.0)
    assert len(finals(live.stream([speech], SAMPLE_RATE))) == 1
    near = Endpoints(max_utterance=1.6)
    first, *_ = finals(live.stream([speech], SAMPLE_RATE, near))
    assert first.text == "ABCDABCD"


def test_a_word_that_begins_while_the_silence_is_noticed_is_whole(live):
    """The utterance ends within the silence, and all behind it is heard again."""
    for pause in np.arange(0.55, 0.75, 0.02):
        speech = speak("AB", float(pause), "CD", 1.0)
        rules = Endpoints(silence_after=0.5)
        heard = finals(live.stream([speech], SAMPLE_RATE, rules))
        # This model may hear a letter twice.
        texts = ["".join(key for key, _ in groupby(each.text)) for each in heard]
        assert texts == ["AB", "CD"], pause


def test_another_stream_may_follow(live):
    recognizer = recognize(live)
    first = recognizer.push(SPEECH) + recognizer.finish()
    assert recognizer.push(SPEECH) + recognizer.finish() == first
    assert recognizer.finish() == []


def test_one_transcriber_serves_several_threads(live):
    streams = [speak(0.3, text, 1.5, text) for text in ("AB", "CD A", "DDA", "B")]
    alone = [[*live.stream([speech], SAMPLE_RATE)] for speech in streams]
    texts = [live.transcribe(speech, SAMPLE_RATE) for speech in streams]
    with ThreadPoolExecutor(4) as pool:
        streamed = pool.map(
            lambda speech: [*live.stream(np.array_split(speech, 9), SAMPLE_RATE)],
            streams,
        )
        heard = pool.map(lambda speech: live.transcribe(speech, SAMPLE_RATE), streams)
        assert [*streamed] == alone
        assert [*heard] == texts


def test_a_rate_may_be_a_whole_float(live):
    assert [*live.stream([SPEECH], 8000.0)] == [*live.stream([SPEECH], 8000)]
    assert [*live.stream([SPEECH], 44100.0)] == [*live.stream([SPEECH], 44100)]


def test_what_is_no_stream_of_sound_is_told(live):
    with pytest.raises(InputError, match=r"shape \(2, 3, 4\)"):
        [*live.stream([np.zeros((2, 3, 4))], SAMPLE_RATE)]
    with pytest.raises(InputError, match="one channel"):
        [*live.stream([np.zeros((2, 800))], SAMPLE_RATE)]
    with pytest.raises(InputError, match="sample_rate is None"):
        live.stream([], None)
    with pytest.raises(OptionError, match="step is 0"):
        live.stream([], SAMPLE_RATE, step=0)
    with pytest.raises(OptionError, match="silence_after is -1"):
        Endpoints(silence_after=-1)
