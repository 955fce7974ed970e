import math

import pytest

from speechgru.decode.confidence import Confidence
from speechgru.interfaces import Span

SCORES = {"GO ON": math.log(0.6), "GO AN": math.log(0.3), "SO ON": math.log(0.1)}
WORDS = [Span("GO", 0.0, 0.5, 0.9), Span("ON", 0.5, 1.0, 0.4)]


def judge(confidence, scores=SCORES):
    words = confidence.judge(scores, WORDS)
    assert [word.text for word in words] == ["GO", "ON"]
    return [word.confidence for word in words]


def test_uncalibrated_confidences_are_the_votes():
    assert judge(Confidence()) == pytest.approx([0.9, 0.7])
    assert judge(Confidence(), {"GO ON": -3.0}) == [1.0, 1.0]


def test_calibrated_ones_have_the_log_odds_that_were_learnt():
    found = judge(Confidence(bias=0.5, votes=0.8, sound=2.0))
    log_odds = [math.log(each / (1 - each)) for each in found]
    votes = [math.log(0.9 / 0.1), math.log(0.7 / 0.3)]
    sounds = [math.log(0.9), math.log(0.4)]
    assert log_odds == pytest.approx(
        [
            0.5 + 0.8 * vote + 2 * sound
            for vote, sound in zip(votes, sounds, strict=True)
        ]
    )


def test_what_nobody_doubts_may_still_sound_wrong():
    sure, doubtful = judge(Confidence(bias=0.0, votes=0.5, sound=3.0), {"GO ON": -3.0})
    assert doubtful < sure < 1


def test_weights_are_named_as_they_are_read():
    confidence = Confidence(0.5, -1.0, 0.3, 0.2)
    assert Confidence.of_weights(confidence.weights) == confidence
    assert set(confidence.weights) == {
        f"confidence_{name}" for name in ("scale", "bias", "votes", "sound")
    }
