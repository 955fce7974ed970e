import math

import pytest
import torch
from lm.tables import tabulate

from speechgru.interfaces import InputError
from speechgru.lm.arpa import read_arpa, write_arpa
from speechgru.lm.kneser_ney import estimate_kneser_ney
from speechgru.lm.ngram import NGramModel, perplexity
from speechgru.lm.table import BEGIN, END, UNKNOWN

# Natural log-probabilities and backoff weights, easy to add.
BY_HAND = {
    (UNKNOWN,): (-10.0, 0.0),
    (BEGIN,): (-math.inf, -0.5),
    (END,): (-2.0, 0.0),
    ("a",): (-3.0, -0.25),
    ("b",): (-4.0, -0.125),
    (BEGIN, "a"): (-1.0, -0.0625),
    ("a", "b"): (-1.5, -0.03125),
    (BEGIN, "a", "b"): (-0.75, 0.0),
}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["a"], [-1.0, -0.0625 - 0.25 - 2.0]),
        (["a", "b"], [-1.0, -0.75, -0.03125 - 0.125 - 2.0]),
        (["b", "a", "b"], [-0.5 - 4.0, -0.125 - 3.0, -1.5, -0.15625 - 2.0]),
        (["new"], [-0.5 - 10.0, -2.0]),
        ([], [-0.5 - 2.0]),
    ],
)
def test_backs_off_as_worked_by_hand(words, expected):
    model = NGramModel(tabulate(BY_HAND))
    assert model.score_sentence(words) == pytest.approx(expected)


def test_many_words_at_once_are_scored_as_one_by_one(sentences):
    model = NGramModel(estimate_kneser_ney(sentences, 3).ngrams)
    generator = torch.Generator().manual_seed(0)
    shape = (50, 7)
    states = torch.randint(len(model._states), shape, generator=generator)
    words = torch.randint(len(model.words), shape, generator=generator)
    log_probs, reached = model.score(states, words)
    for row in range(0, 50, 7):
        for column in range(7):
            alone = model.score(states[row, column], words[row, column])
            assert alone[0] == log_probs[row, column]
            assert alone[1] == reached[row, column]


def test_perplexity_is_e_to_the_mean_loss():
    model = NGramModel(tabulate(BY_HAND))
    mean = (1.0 + 2.3125 + 2.5) / 3
    assert perplexity(model, [["a"], []]) == pytest.approx(math.exp(mean))


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("reference", ["kenlm", "flashlight"])
def test_the_same_file_means_the_same_to_kenlm(order, reference, sentences, tmp_path):
    path = tmp_path / "lm.arpa"
    write_arpa(path, estimate_kneser_ney(sentences[:200], order).ngrams)
    ours = NGramModel(read_arpa(path))
    tested = [[*words, "new"] if n % 3 else words for n, words in enumerate(sentences)]
    theirs = score_by_kenlm(reference, path, tested, ours.words)
    for words, log10_probs in zip(tested, theirs, strict=True):
        expected = [value * math.log(10) for value in log10_probs]
        assert ours.score_sentence(words) == pytest.approx(expected, abs=1e-4)
    values = [value for some in theirs for value in some]
    expected = 10 ** -(math.fsum(values) / len(values))
    assert perplexity(ours, tested) == pytest.approx(expected, abs=1e-3)


def score_by_kenlm(reference, path, sentences, words) -> list[list[float]]:
    """log10, by the package kenlm or by the copy of it that flashlight holds."""
    if reference == "kenlm":
        kenlm = pytest.importorskip("kenlm", reason="kenlm is not installed")
        model = kenlm.Model(str(path))
        return [[s[0] for s in model.full_scores(" ".join(each))] for each in sentences]
    kenlm = pytest.importorskip("flashlight.lib.text.decoder.kenlm")
    dictionary = pytest.importorskip("flashlight.lib.text.dictionary")
    known = list({*words}.union(*sentences))
    model = kenlm.KenLM(str(path), dictionary.Dictionary(known))
    scores = []
    for each in sentences:
        state = model.start(False)
        scores.append([])
        for word in each:
            state, score = model.score(state, known.index(word))
            scores[-1].append(score)
        scores[-1].append(model.finish(state)[1])
    return scores


def test_refuses_a_model_without_ends_or_beginnings():
    without_end = {key: value for key, value in BY_HAND.items() if key != (END,)}
    with pytest.raises(InputError, match=r"has no </s> among its 4 words"):
        NGramModel(tabulate(without_end))
    without_history = {k: v for k, v in BY_HAND.items() if k != (BEGIN, "a")}
    with pytest.raises(InputError, match="has the n-gram '<s> a b', but not '<s> a'"):
        tabulate(without_history)
    without_unknown = {k: v for k, v in BY_HAND.items() if k != (UNKNOWN,)}
    with pytest.raises(InputError, match="neither 'new' nor <unk>"):
        NGramModel(tabulate(without_unknown)).score_sentence(["new"])
