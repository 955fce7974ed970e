"""Cutting words into pieces: by hand, by force, and as sentencepiece does it."""

import io
import itertools
import math
from collections import Counter
from random import Random

import pytest
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

from speechgru.text.bpe import BpeCutter
from speechgru.text.unigram import UnigramCutter

SCORES = {"a": -3.0, "b": -3.0, "c": -3.0, "ab": -2.0, "bc": -2.5, "abc": -4.6}

WORDS = """the speech recogniser learns to spell what it has heard and the words that
it has never heard are spelled by their pieces as well as those that are frequent
spelling speller spelled learner learning learned hearing hears piecewise wording"""


def all_ways(word, scores):
    """Every way to cut a word into known pieces."""
    for marks in itertools.product([False, True], repeat=len(word) - 1):
        ends = [place for place, mark in enumerate(marks, 1) if mark]
        pieces = [
            word[begin:end]
            for begin, end in zip([0, *ends], [*ends, len(word)], strict=True)
        ]
        if all(piece in scores for piece in pieces):
            yield tuple(pieces)


def probabilities(word, scores, strength):
    ways = list(all_ways(word, scores))
    weights = [math.exp(strength * sum(scores[p] for p in way)) for way in ways]
    return {way: w / sum(weights) for way, w in zip(ways, weights, strict=True)}


def test_the_best_way_has_the_highest_product():
    assert UnigramCutter(SCORES).cut("abc") == ["abc"]
    assert UnigramCutter(SCORES | {"abc": -5.5}).cut("abc") == ["ab", "c"]
    assert UnigramCutter(SCORES).cut("cab") == ["c", "ab"]


def test_merges_come_in_the_order_in_which_they_were_learnt():
    assert BpeCutter({"ab": 0.0, "bc": -1.0}).cut("abc") == ["ab", "c"]
    assert BpeCutter({"ab": -1.0, "bc": 0.0}).cut("abc") == ["a", "bc"]
    assert BpeCutter({"bc": 0.0, "abc": -1.0}).cut("abcbc") == ["abc", "bc"]
    assert BpeCutter({"aa": 0.0}).cut("aaaaa") == ["aa", "aa", "a"]


@pytest.mark.parametrize("cutter", [UnigramCutter(SCORES), BpeCutter(SCORES)])
def test_what_is_no_piece_stands_alone(cutter):
    assert cutter.cut("ab?c") == ["ab", "?", "c"]
    assert "".join(cutter.sample("ab?c", 0.5, Random(1))) == "ab?c"
    assert cutter.cut("") == []


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_ways_are_drawn_by_their_probability(strength):
    cutter = UnigramCutter(SCORES)
    expected = probabilities("abcab", SCORES, strength)
    draws = Random(7)
    number = 4000
    found = Counter(
        tuple(cutter.sample("abcab", strength, draws)) for _ in range(number)
    )
    assert set(found) <= set(expected)
    for way, probability in expected.items():
        deviation = math.sqrt(number * probability * (1 - probability))
        assert abs(found[way] - number * probability) < 5 * deviation + 1


def test_merges_are_left_out_as_often_as_asked():
    cutter = BpeCutter({"ab": 0.0})
    draws = Random(3)
    found = sum(cutter.sample("ab", 0.25, draws) == ["a", "b"] for _ in range(4000))
    assert abs(found / 4000 - 0.25) < 0.03
    assert cutter.sample("abab", 1.0, draws) == list("abab")
    assert cutter.sample("abab", 0.0, draws) == ["ab", "ab"]


@pytest.mark.parametrize(
    ("kind", "make"), [("unigram", UnigramCutter), ("bpe", BpeCutter)]
)
def test_words_are_cut_as_sentencepiece_cuts_them(kind, make):
    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(WORDS.split("\n")),
        model_writer=model,
        model_type=kind,
        vocab_size=60,
        hard_vocab_limit=False,
        normalization_rule_name="identity",
        minloglevel=2,
    )
    theirs = SentencePieceProcessor(model_proto=model.getvalue())
    ours = make(
        {
            theirs.id_to_piece(id): theirs.get_score(id)
            for id in range(theirs.get_piece_size())
            if not theirs.is_control(id) and not theirs.is_unknown(id)
        }
    )
    letters = sorted(set(WORDS) - set(" \n"))
    draws = Random(5)
    made_up = [
        "".join(draws.choices(letters, k=draws.randrange(1, 14))) for _ in range(300)
    ]
    for word in [*WORDS.split(), *made_up]:
        assert ours.cut(f"▁{word}") == theirs.encode(word, out_type=str), word


def test_a_long_word_takes_no_longer_than_it_is_long():
    # 200,000 characters; by the square of that it would take hours.
    word = "abc" * 66_667
    for cutter in (UnigramCutter(SCORES), BpeCutter(SCORES)):
        assert "".join(cutter.cut(word)) == word
