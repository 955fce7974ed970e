import math
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from speechgru.interfaces import InputError
from speechgru.lm import counting, kneser_ney
from speechgru.lm.kneser_ney import FALLBACK, estimate_kneser_ney
from speechgru.lm.ngram import NGramModel
from speechgru.lm.table import BEGIN, END, UNKNOWN
from speechgru.ranges import OptionError


def test_bigrams_worked_by_hand():
    # Counts: <s> a 2, <s> b 1, a b 1, a </s> 2, b a 1, b </s> 1; too few for
    # discounts, so these are 0.5, 1 and 1.5.
    estimate = estimate_kneser_ney([["a"], ["a", "b"], ["b", "a"]], order=2)
    assert estimate.fallbacks == (1, 2)
    assert estimate.discounts == (FALLBACK, FALLBACK)
    # a, b and </s> each follow two words, which leaves 1 of 2, three times of 6.
    left = Fraction(3, 6)
    a = b = end = Fraction(1, 6) + left / 4
    # After a: b once, </s> twice. The discounts take 0.5 + 1 of 3.
    after_a = Fraction(3, 2) / 3
    expected = {
        ("a",): a,
        (UNKNOWN,): left / 4,
        ("a", "b"): Fraction(1, 2) / 3 + after_a * b,
        ("a", END): Fraction(1) / 3 + after_a * end,
        (BEGIN, "a"): Fraction(1) / 3 + Fraction(3, 2) / 3 * a,
    }
    for ngram, probability in expected.items():
        assert math.exp(estimate.ngrams[ngram][0]) == pytest.approx(float(probability))
    assert math.exp(estimate.ngrams[("a",)][1]) == pytest.approx(float(after_a))
    assert estimate.ngrams[(BEGIN,)][0] == -math.inf
    assert (estimate.num_sentences, estimate.num_words) == (3, 5)


def test_discounts_by_counts_of_counts():
    # Of the words, 4 follow one other word, 2 two, 1 three and 1 four: Y = 1/2.
    followed = {"a": 1, "b": 1, "c": 1, "d": 1, "e": 2, "f": 2, "g": 3, "h": 4}
    sentences = [
        [f"x{number}", word]
        for word, times in followed.items()
        for number in range(times)
    ]
    # The others: x0 to x3 follow <s> alone, </s> eight words.
    sentences = [sentence for sentence in sentences for _ in range(1)]
    estimate = estimate_kneser_ney(sentences, order=2)
    ones, twos, threes, fours = 4 + 4, 2, 1, 1
    share = ones / (ones + 2 * twos)
    assert estimate.discounts[0] == pytest.approx(
        (
            1 - 2 * share * twos / ones,
            2 - 3 * share * threes / twos,
            3 - 4 * share * fours / threes,
        )
    )
    assert 1 not in estimate.fallbacks


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_of_all_words_sum_to_one_after_every_history(order, sentences):
    assert_sums_to_one(NGramModel(estimate_kneser_ney(sentences, order).ngrams))


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ([["a"]], 0, "order is 0, expected a whole number from 1"),
        ([], 2, "no words"),
        ([[], []], 2, "no words"),
        ([["a"], ["b", "</s>"]], 2, "sentence 2 holds '</s>'"),
    ],
)
def test_refuses_text_without_words_and_markers_in_it(text, order, expected):
    with pytest.raises(InputError, match=expected):
        estimate_kneser_ney(text, order)


@pytest.mark.parametrize("block", [7, 64])
def test_work_in_blocks_gives_the_same(block, sentences, monkeypatch, tmp_path):
    whole = estimate_kneser_ney(sentences, 3, prune=[0, 0, 1], most_words=20)
    monkeypatch.setattr(counting, "BLOCK", block)
    monkeypatch.setattr(kneser_ney, "BLOCK", block)
    cut = estimate_kneser_ney(
        sentences, 3, prune=[0, 0, 1], most_words=20, folder=tmp_path
    )
    assert dict(cut.ngrams) == dict(whole.ngrams)
    assert len(cut.ngrams) > 100
    assert replace(cut, ngrams=whole.ngrams) == whole
    # Nothing remains but the table.
    assert {path.suffix for path in tmp_path.iterdir()} == {".array"}


@pytest.mark.parametrize("prune", [[0, 0, 1], [0, 1, 2], [0, 3]])
def test_what_is_pruned_is_foreseen_by_shorter_ngrams(prune, sentences):
    whole = estimate_kneser_ney(sentences, 3)
    pruned = estimate_kneser_ney(sentences, 3, prune=prune)
    assert pruned.discounts == whole.discounts
    raw = Counter(
        ngram
        for words in sentences
        for ngram in list_ngrams([BEGIN, *words, END], 3)
        if ngram != (BEGIN,)
    )
    thresholds = [*prune, prune[-1]]
    expected = {n for n, times in raw.items() if times > thresholds[len(n) - 1]}
    assert set(pruned.ngrams) == expected | {(BEGIN,), (UNKNOWN,)}
    assert sum(pruned.num_pruned) == len(whole.ngrams) - len(pruned.ngrams)
    assert_sums_to_one(NGramModel(pruned.ngrams))


def test_rare_words_count_as_unknown(sentences):
    estimate = estimate_kneser_ney(sentences, 2, most_words=5)
    words = Counter(word for words in sentences for word in words)
    kept = {word for word, _ in words.most_common(5)}
    assert set(estimate.ngrams.words) == {*kept, BEGIN, END, UNKNOWN}
    assert estimate.num_unknown == words.total() - sum(words[word] for word in kept)
    # As if all of them were one more word, but that it has always been an outcome.
    replaced = [[w if w in kept else "rare" for w in words] for words in sentences]
    same = estimate_kneser_ney(replaced, 2)
    assert estimate.discounts == same.discounts
    assert estimate.ngrams.numbers[1] == same.ngrams.numbers[1]
    assert_sums_to_one(NGramModel(estimate.ngrams))


@pytest.mark.parametrize("prune", [[1], [0, 2, 1], [0, 0, 0, 1]])
def test_pruning_begins_with_no_words_and_never_falls(prune):
    with pytest.raises(OptionError, match="0 first and none lower"):
        estimate_kneser_ney([["a"]], 3, prune=prune)


def list_ngrams(words, order):
    return [
        tuple(words[begin:end])
        for end in range(1, len(words) + 1)
        for begin in range(max(0, end - order), end)
    ]


def assert_sums_to_one(model):
    word_ids = torch.arange(len(model.words))
    for state in {model.begin, *model._states.tolist()}:
        log_probs, _ = model.score(torch.full_like(word_ids, state), word_ids)
        assert log_probs.exp().sum().item() == pytest.approx(1.0, abs=1e-5)
