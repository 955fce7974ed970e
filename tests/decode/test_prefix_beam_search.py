"""The search against the definition: all paths of all texts, tried one by one."""

import itertools
import math

import pytest
import torch
from decode.brute_force import noise, rank_by_force

from speechgru.decode.hotwords import HotwordScorer
from speechgru.decode.language import SPACE, ScorerSum, TokenScorer, WordScorer
from speechgru.decode.lexicon import Lexicon
from speechgru.decode.prefix_beam_search import PrefixSearch
from speechgru.lm.arpa import read_arpa
from speechgru.lm.ngram import NGramModel
from speechgru.text.word_tokenizer import WordTokenizer

EVERY_PREFIX = 1500
WORDS = ("A", "B", "AB", "BA")


def assert_equal_to_force(scorers, tokenizer, score=lambda tokens: 0.0, lengths=(5, 4)):
    num_tokens = len(tokenizer.tokens)
    log_probs = noise(sum(lengths), len(lengths), max(lengths), num_tokens)
    scorer = ScorerSum(scorers, num_tokens)
    for index, found in enumerate(
        PrefixSearch(scorer, EVERY_PREFIX)(log_probs, torch.tensor(lengths))
    ):
        valid = log_probs[index, : lengths[index]]
        expected = rank_by_force(valid, tokenizer, score)
        assert len(found) == len(expected)
        assert dict((one.token_ids, one.score) for one in found) == pytest.approx(
            dict(expected), abs=1e-4
        )
        assert found[0].token_ids == expected[0][0]
        assert all(a.score >= b.score for a, b in itertools.pairwise(found))


def test_every_text_has_the_probability_of_all_its_paths(tokenizer):
    assert_equal_to_force([], tokenizer)


@pytest.mark.parametrize("lengths", [(1,), (2, 1), (0, 3)])
def test_short_utterances_and_empty_ones(lengths, tokenizer):
    assert_equal_to_force([], tokenizer, lengths=lengths)


@pytest.mark.parametrize(("weight", "bonus"), [(0.7, 0.3), (0.0, 0.0), (2.0, -1.0)])
def test_a_model_of_tokens_adds_what_it_gives_the_whole_text(
    weight, bonus, token_lm, tokenizer
):
    lm = NGramModel(read_arpa(token_lm))

    def score(tokens: list[str]) -> float:
        words = [token.replace(" ", SPACE) for token in tokens]
        return weight * sum(lm.score_sentence(words)) + bonus * tokens.count(" ")

    assert_equal_to_force([TokenScorer(lm, tokenizer, weight, bonus)], tokenizer, score)


def split_words(tokens: list[str]) -> list[str]:
    """Words between spaces; a space that ends no word makes an empty one."""
    text = ""
    for token in tokens:
        if token == " " and (not text or text.endswith(" ")):
            return [""]
        text += token
    return text.split()


def score_words(tokens: list[str], lm, weight: float, bonus: float) -> float:
    """What texts of known words get."""
    words = split_words(tokens)
    if not set(words) <= set(WORDS):
        return -math.inf
    language = weight * sum(lm.score_sentence(words)) if lm else 0.0
    return language + bonus * len(words)


@pytest.mark.parametrize("with_lm", [True, False])
def test_a_lexicon_lets_only_its_words_through(with_lm, word_lm, tokenizer):
    lm = NGramModel(read_arpa(word_lm)) if with_lm else None
    scorer = WordScorer(Lexicon(WORDS, tokenizer), tokenizer, lm, 0.7, 0.3)
    assert_equal_to_force(
        [scorer], tokenizer, lambda tokens: score_words(tokens, lm, 0.7, 0.3)
    )


def test_an_open_lexicon_lets_other_words_through_at_a_price(word_lm, tokenizer):
    lm = NGramModel(read_arpa(word_lm))
    lexicon = Lexicon(WORDS[:2], tokenizer, open_vocabulary=True)
    scorer = WordScorer(lexicon, tokenizer, lm, 0.7, 0.3, unknown_score=-2.0)

    def score(tokens: list[str]) -> float:
        words = split_words(tokens)
        if "" in words:
            return -math.inf
        known = [word if word in WORDS[:2] else "<unk>" for word in words]
        language = 0.7 * sum(lm.score_sentence(known)) + 0.3 * len(words)
        return language - 2.0 * known.count("<unk>")

    assert_equal_to_force([scorer], tokenizer, score)


def test_tokens_of_whole_words_walk_through_the_lexicon(word_lm):
    tokenizer = WordTokenizer(" AB", ["AB"])
    lm = NGramModel(read_arpa(word_lm))
    scorer = WordScorer(Lexicon(WORDS, tokenizer), tokenizer, lm, 0.7, 0.3)
    assert_equal_to_force(
        [scorer],
        tokenizer,
        lambda tokens: score_words(tokens, lm, 0.7, 0.3),
        lengths=(5, 3),
    )


def count_phrases(tokens: list[str], phrases: list[str]) -> int:
    padded = f" {' '.join(''.join(tokens).split())} "
    return sum(
        padded.startswith(f" {phrase} ", place)
        for phrase in phrases
        for place in range(len(padded))
    )


@pytest.mark.parametrize(
    "phrases", [["AB"], ["A", "A B"], ["A B A", "B A", "A"], ["BA", "BAB", "B B"]]
)
def test_hotwords_add_their_score_for_each_whole_occurrence(phrases, tokenizer):
    scorer = HotwordScorer(phrases, tokenizer, 1.5)
    assert_equal_to_force(
        [scorer], tokenizer, lambda tokens: 1.5 * count_phrases(tokens, phrases)
    )


def test_scorers_add_up(word_lm, token_lm, tokenizer):
    word_model, token_model = (
        NGramModel(read_arpa(path)) for path in (word_lm, token_lm)
    )
    scorers = [
        WordScorer(Lexicon(WORDS, tokenizer), tokenizer, word_model, 0.7, 0.3),
        TokenScorer(token_model, tokenizer, 0.5, 0.0),
        HotwordScorer(["AB"], tokenizer, 1.0),
    ]

    def score(tokens: list[str]) -> float:
        names = [token.replace(" ", SPACE) for token in tokens]
        return (
            score_words(tokens, word_model, 0.7, 0.3)
            + 0.5 * sum(token_model.score_sentence(names))
            + count_phrases(tokens, ["AB"])
        )

    assert_equal_to_force(scorers, tokenizer, score)


def test_a_narrow_beam_keeps_few_texts_and_no_score_above_the_true_one(tokenizer):
    log_probs = noise(7, 3, 6, 4)
    [*found] = PrefixSearch(ScorerSum([], 4), 5)(log_probs, torch.tensor([6, 6, 6]))
    for index, texts in enumerate(found):
        truth = dict(rank_by_force(log_probs[index], tokenizer))
        assert len(texts) == 5
        assert len({one.token_ids for one in texts}) == 5
        for one in texts:
            assert one.score <= truth[one.token_ids] + 1e-5


def test_a_threshold_drops_what_is_far_behind_the_best(tokenizer):
    log_probs, lengths = noise(8, 2, 8, 4), torch.tensor([8, 8])
    scorer = ScorerSum([], 4)
    for index, texts in enumerate(PrefixSearch(scorer, 500, 6.0)(log_probs, lengths)):
        everything = PrefixSearch(scorer, 500)(log_probs, lengths)[index]
        assert 1 < len(texts) < len(everything)
        assert all(texts[0].score - one.score <= 6.0 for one in texts)
        assert texts[0].token_ids == everything[0].token_ids


def test_texts_do_not_depend_on_the_batch(word_lm, tokenizer):
    lm = NGramModel(read_arpa(word_lm))
    word_scorer = WordScorer(Lexicon(WORDS, tokenizer), tokenizer, lm, 0.7, 0.3)
    scorer = ScorerSum([word_scorer], 4)
    log_probs = noise(3, 4, 30, 4)
    lengths = torch.tensor([30, 17, 29, 0])
    batched = PrefixSearch(scorer, 8)(log_probs, lengths)
    for index, length in enumerate(lengths.tolist()):
        alone = PrefixSearch(scorer, 8)(
            log_probs[index : index + 1, :length], lengths[index, None]
        )
        assert alone == [batched[index]]


def test_a_word_that_cannot_end_is_told(tokenizer):
    # A alone is certain, but only AB is a word.
    log_probs = torch.full((1, 2, 4), -1e3)
    log_probs[0, :, 2] = 0.0
    scorer = ScorerSum(
        [WordScorer(Lexicon(["AB"], tokenizer), tokenizer, None, 1.0, 0.0)], 4
    )
    [[best, *_]] = PrefixSearch(scorer, 1)(log_probs, torch.tensor([2]))
    assert best.token_ids == (2,)
    assert not best.is_whole


def test_long_recordings_keep_their_text_once_and_no_prefix_that_is_lost(tokenizer):
    num_tokens = len(tokenizer.tokens)
    search = PrefixSearch(ScorerSum([], num_tokens), 16)
    log_probs = noise(7, 1, 600, num_tokens)
    # Now and then all agree.
    log_probs[:, ::20] = torch.eye(num_tokens)[torch.arange(30) % num_tokens].log()
    log_probs = log_probs.clamp(min=-1e4)
    searched = search.begin(1)
    for block in log_probs.split(25, dim=1):
        searched = search.advance(searched, block)
    kept, waiting = set(), list(searched.paths[0])
    while waiting:
        path = waiting.pop()
        if path and id(path) not in kept:
            kept.add(id(path))
            waiting.append(path[0])
    longest = max(len(found.token_ids) for found in search.found(searched)[0])
    assert longest > 100
    assert len(kept) < longest + 16 * 25
    whole = search(log_probs, torch.tensor([600]))
    assert search.found(searched) == whole
