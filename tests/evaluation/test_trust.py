import numpy as np
import pytest

from speechgru.decode.confidence import features, sigmoid
from speechgru.evaluation.trust import find_trust, fit
from speechgru.interfaces import Alternative, Hypothesis, InputError, Span


def draw(weights, count=20_000):
    """Words whose log-odds to be right are as the weights say."""
    random = np.random.default_rng(1)
    inputs = features(random.uniform(0.2, 1, count), random.uniform(0.05, 1, count))
    chances = sigmoid(inputs @ np.array(weights))
    return inputs, (random.uniform(size=count) < chances).astype(np.float64)


def test_weights_are_found_that_made_words_right():
    assert fit(*draw([1.0, 0.4, 0.8])) == pytest.approx([1.0, 0.4, 0.8], abs=0.1)


def test_what_speaks_for_a_word_never_speaks_against_it():
    bias, votes, sound = fit(*draw([0.5, 0.6, -0.7]))
    assert sound == 0
    assert votes > 0.3
    assert bias > 0.5  # what the sound would have said
    assert list(fit(*draw([0.5, -0.6, -0.7]))[1:]) == [0, 0]


@pytest.mark.parametrize("are_right", [0.0, 1.0])
def test_few_words_do_not_say_too_much(are_right):
    inputs = features([1.0] * 20, [1.0] * 20)
    weights = fit(inputs, np.full(20, are_right))
    assert np.abs(weights).max() < 10
    chance = sigmoid(inputs[:1] @ weights)[0]
    assert 0.8 < (chance if are_right else 1 - chance) < 0.9995


def hypothesis(text, sounds, others=()):
    tokens = tuple(
        Span(f" {word}" if place else word, place, place + 1, sound)
        for place, (word, sound) in enumerate(zip(text.split(), sounds, strict=True))
    )
    alternatives = tuple(Alternative(other, -9.0) for other in others)
    return Hypothesis(text, -1.0, tokens, tokens, alternatives)


def test_words_that_all_texts_share_are_told_apart_by_their_sound():
    references, hypotheses = [], []
    random = np.random.default_rng(2)
    for _ in range(300):
        is_right = random.uniform(size=5) < 0.7
        sounds = np.where(is_right, 0.9, 0.3) * random.uniform(0.8, 1.0, 5)
        references.append(" ".join("AB"[not right] for right in is_right))
        hypotheses.append(hypothesis("A A A A A", sounds, ["A A A A C"]))
    before, after = find_trust(references, hypotheses)
    assert before.calibration.confidence > 0.99
    assert before.calibration.error > 0.25
    assert after.calibration.error < 0.03
    assert after.calibration.num_words == 1500
    assert after.surprise < before.surprise / 4
    assert after.confidence.sound > 1


def test_nothing_heard_is_told():
    silent = Hypothesis("", -1.0, (), (), ())
    with pytest.raises(InputError, match="no word was heard with the best weights"):
        find_trust(["A"], [silent])
