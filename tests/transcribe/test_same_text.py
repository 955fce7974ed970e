"""The same segments have the same text, whichever way they are heard.

One model, one set of recordings, and every way in: the command, Python, an evaluation
and a stream. A recording of more than 30 s and one of more than 60 s are among them,
which are heard in other ways than short ones.
"""

import json

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE
from transcribe.online.tone_model import speak, teach_tones, write_live

import speechgru
from speechgru.data.manifest import write_manifest
from speechgru.interfaces import Utterance
from speechgru.options import EvaluateOptions, TranscribeOptions, choose
from speechgru.transcribe.excerpt import Excerpt
from speechgru.transcribe.job import Job
from speechgru.transcribe.online.endpoints import Endpoints
from speechgru.transcribe.segments import hearing
from speechgru.transcribe.segments.voice_activity import FRAME, Activity
from speechgru.transcribe.transcriber import Transcriber

pytestmark = pytest.mark.usefixtures("threads")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_live(teach_tones(), tmp_path_factory.mktemp("same") / "live.ckpt")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Recordings of 2, 25, 40 and 70 s, and a manifest of them."""
    folder = tmp_path_factory.mktemp("recordings")
    utterances = []
    for seconds in (2, 25, 40, 70):
        parts = ["AB CD", 0.6, "DAB", 0.5, "C B", 0.4] * (seconds // 3 + 1)
        waveform = speak(0.3, *parts)[: seconds * SAMPLE_RATE]
        path = folder / f"r{seconds}.wav"
        soundfile.write(path, waveform, SAMPLE_RATE, "PCM_16")
        utterances.append(Utterance(path.stem, path, float(seconds), "A", "tones"))
    write_manifest(folder / "test.jsonl", utterances)
    return folder


@pytest.fixture(autouse=True)
def sound_is_speech(monkeypatch):
    """Take what is louder than the noise for speech, in place of the network."""

    def find(blocks):
        samples = np.concatenate([block.numpy() for block in blocks])
        frames = np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, FRAME)
        energies = np.square(frames).mean(axis=1)
        return Activity((energies > 1e-3).astype(np.float32), energies)

    monkeypatch.setattr(hearing, "find_activity", find)


def hear_by_command(checkpoint, folder, segment, tmp_path):
    options = TranscribeOptions(
        segment=segment, format=["json", "txt"], output=f"{tmp_path}/out/"
    )
    job = Job(str(checkpoint), options)
    job.run([str(folder / "test.jsonl")])
    assert not job.failures
    return {
        path.stem: json.loads(path.read_text())
        for path in (tmp_path / "out").glob("*.json")
    }


@pytest.mark.parametrize("segment", ["none", "auto", "vad"])
def test_command_python_and_evaluation_hear_the_same(
    checkpoint, folder, segment, tmp_path
):
    commanded = hear_by_command(checkpoint, folder, segment, tmp_path)
    paths = sorted(folder.glob("*.wav"))
    transcriber = Transcriber.from_checkpoint(checkpoint, segment=segment)
    alone = {path.stem: transcriber.transcribe(path) for path in paths}
    texts = {name: heard.text for name, heard in alone.items()}
    assert all(texts.values())
    assert {name: heard["text"] for name, heard in commanded.items()} == texts
    together = transcriber.transcribe_many(paths, batch_seconds=300)
    assert {path.stem: h.text for path, h in zip(paths, together, strict=True)} == texts
    for path in paths:
        samples, _ = soundfile.read(path, dtype="int16")
        assert transcriber.transcribe(samples, SAMPLE_RATE).text == texts[path.stem]
    corpus = choose("corpus", "manifest", test=str(folder / "test.jsonl"))
    options = EvaluateOptions(corpus=corpus, segment=segment)
    scored = speechgru.evaluate(checkpoint, options).results
    assert {each.id: each.hypothesis for each in scored} == texts


def test_a_segment_has_the_text_of_the_same_excerpt_alone(checkpoint, folder):
    cut = Transcriber.from_checkpoint(checkpoint)
    whole = Transcriber.from_checkpoint(checkpoint, segment="none")
    path = folder / "r70.wav"
    segments = cut.transcribe(path).segments
    assert len(segments) > 20
    for segment in segments:
        excerpt = Excerpt(path, segment.start, segment.end)
        assert whole.transcribe(excerpt).text == segment.text


def test_an_utterance_of_a_stream_has_the_text_of_its_samples(checkpoint, folder):
    transcriber = Transcriber.from_checkpoint(checkpoint, segment="none")
    samples, _ = soundfile.read(folder / "r40.wav", dtype="float32")
    rules = Endpoints(silence_after=0.5, max_utterance=8.0)
    for size in (800, 7919, len(samples)):
        chunks = [samples[at : at + size] for at in range(0, len(samples), size)]
        results = transcriber.stream(chunks, SAMPLE_RATE, rules)
        finals = [each for each in results if each.is_final]
        assert len(finals) > 3
        for each in finals:
            excerpt = Excerpt(samples, each.start, each.end)
            assert transcriber.transcribe(excerpt, SAMPLE_RATE).text == each.text


@pytest.mark.parametrize("segment", ["none", "auto", "vad"])
def test_times_rise_and_lie_within_what_was_heard(checkpoint, folder, segment):
    transcriber = Transcriber.from_checkpoint(checkpoint, segment=segment)
    for end in (69.99, 68.5):
        heard = transcriber.transcribe(Excerpt(folder / "r70.wav", 3.25, end, 0))
        assert heard.end == pytest.approx(end)
        for spans in (heard.words, heard.tokens, heard.segments):
            at = 3.25
            for span in spans:
                assert at - 1e-9 <= span.start < span.end <= heard.end + 1e-9
                at = span.end
