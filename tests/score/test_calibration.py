import pytest

from speechgru.interfaces import Span
from speechgru.score.calibration import calibrate
from speechgru.score.results import Result, make_result


def result(id: str, reference: str, *heard: tuple[str, float]) -> Result:
    words = tuple(Span(word, 0.0, 0.1, confidence) for word, confidence in heard)
    hypothesis = " ".join(word for word, _ in heard)
    return make_result(id, reference, hypothesis, "levenshtein", words=words)


def test_worked_by_hand():
    calibration = calibrate(
        [
            result("a", "GO ON", ("GO", 0.95), ("OFF", 0.75)),
            result("b", "STOP", ("STOP", 1.0), ("IT", 0.72)),
            result("c", "UP"),
        ]
    )
    low, high = calibration.bins
    assert (low.num_words, low.accuracy) == (2, 0.0)
    assert low.confidence == pytest.approx(0.735)
    assert (high.num_words, high.accuracy) == (2, 1.0)
    assert high.confidence == pytest.approx(0.975)
    assert calibration.num_words == 4
    assert calibration.accuracy == 0.5
    assert calibration.confidence == pytest.approx(0.855)
    assert calibration.error == pytest.approx((2 * 0.735 + 2 * 0.025) / 4)


def test_without_words_there_is_nothing_to_say():
    assert calibrate([result("a", "GO")]) is None
    assert calibrate([make_result("a", "GO", "GO", "levenshtein")]) is None
