"""What is cut at silences is scored as it is transcribed."""

import numpy as np
import pytest
from conftest import make_tones

import speechgru
from speechgru.data.manifest import read_manifest
from speechgru.evaluation.outputs import default_output
from speechgru.options import EvaluateOptions, choose
from speechgru.transcribe.segments import hearing
from speechgru.transcribe.segments.voice_activity import FRAME, Activity

pytestmark = pytest.mark.usefixtures("threads")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return make_tones(tmp_path_factory.mktemp("tones"), "test", 4, seed=5)


def score(checkpoint, manifest, segment):
    corpus = choose("corpus", "manifest", test=str(manifest))
    options = EvaluateOptions(corpus=corpus, batch_seconds=4, segment=segment)
    return speechgru.evaluate(checkpoint, options)


@pytest.fixture
def halves(monkeypatch):
    """Say that the second half of each recording is speech."""

    def find(blocks):
        num_samples = sum(map(len, blocks))
        frames = -(-num_samples // FRAME)
        speech = (np.arange(frames) >= frames / 2).astype(np.float32)
        return Activity(speech, speech)

    monkeypatch.setattr(hearing, "find_activity", find)


def test_evaluate_hears_the_pieces_that_transcribe_hears(checkpoint, manifest, halves):
    transcriber = speechgru.Transcriber.from_checkpoint(checkpoint, segment="vad")
    expected = [
        transcriber.transcribe(utterance.audio_path)
        for utterance in read_manifest(manifest)
    ]
    evaluation = score(checkpoint, manifest, "vad")
    assert [r.hypothesis for r in evaluation.results] == [t.text for t in expected]
    whole = score(checkpoint, manifest, "none")
    assert [r.hypothesis for r in whole.results] != [t.text for t in expected]
    assert [r.reference for r in evaluation.results] == [
        r.reference for r in whole.results
    ]


def test_auto_leaves_what_is_short_whole(checkpoint, manifest, halves):
    auto, none = (score(checkpoint, manifest, segment) for segment in ("auto", "none"))
    assert auto.results == none.results


def test_what_was_cut_is_named_and_written_beside_the_whole(checkpoint, manifest):
    corpus = choose("corpus", "manifest", test=str(manifest))
    whole, cut = (
        EvaluateOptions(corpus=corpus, segment=segment) for segment in ("none", "vad")
    )
    assert default_output(checkpoint, whole) != default_output(checkpoint, cut)
