"""Every decoder with pieces of words for tokens, and with bytes among them."""

import itertools
import math
import random

import pytest
import torch
from decode.beams import BEAMS
from decode.brute_force import noise, rank_by_force

from speechgru.decode.align import align_tokens
from speechgru.decode.flashlight import FlashlightDecoder
from speechgru.decode.greedy import GreedyDecoder
from speechgru.decode.hotwords import HotwordScorer
from speechgru.decode.language import SPACE, ScorerSum, TokenScorer, WordScorer
from speechgru.decode.lexicon import Lexicon
from speechgru.decode.n_best import Rescoring
from speechgru.decode.prefix_beam import PrefixBeamDecoder
from speechgru.decode.prefix_beam_search import PrefixSearch
from speechgru.decode.spans import group_words
from speechgru.interfaces import InputError
from speechgru.lm.arpa import read_arpa, write_arpa
from speechgru.lm.kneser_ney import estimate_kneser_ney
from speechgru.lm.ngram import NGramModel
from speechgru.text.byte_tokens import BROKEN
from speechgru.text.subword_tokenizer import SubwordTokenizer

SENTENCES = ["A B", "AB A", "B", "BA A B", "AB", "A", "BAAB AB"]
WORDS = ("A", "B", "AB", "BA", "BAAB")
SECONDS = 0.04  # a frame


def make(**options) -> SubwordTokenizer:
    pieces = [" ", "A", "B", "AB", " A", " AB", " BA"]
    return SubwordTokenizer(pieces, [-4.0, -3, -3, -3.5, -3, -4, -4], **options)


@pytest.fixture(scope="module")
def tokenizer() -> SubwordTokenizer:
    return make()


@pytest.fixture(scope="module")
def models(tmp_path_factory, tokenizer) -> dict[str, str]:
    """Files of language models of words and of tokens, and of a lexicon."""
    folder = tmp_path_factory.mktemp("lm")
    names = [token.replace(" ", SPACE) for token in tokenizer.tokens]
    of_tokens = [[names[id] for id in tokenizer.encode(text)] for text in SENTENCES]
    estimated = estimate_kneser_ney(map(str.split, SENTENCES), 2)
    write_arpa(folder / "words.arpa", estimated.ngrams)
    write_arpa(folder / "tokens.arpa", estimate_kneser_ney(of_tokens, 3).ngrams)
    (folder / "words.txt").write_text("\n".join(WORDS))
    files = {"words": "words.arpa", "tokens": "tokens.arpa", "lexicon": "words.txt"}
    return {name: str(folder / file) for name, file in files.items()}


KNOWLEDGE = ["none", "lexicon", "words", "tokens", "words and lexicon", "all"]


def know(what: str, models: dict[str, str]) -> dict[str, str]:
    """Options of a beam decoder that knows something of the language."""
    return {
        "none": {},
        "lexicon": {"lexicon": models["lexicon"]},
        "words": {"lm": models["words"]},
        "tokens": {"lm": models["tokens"]},
        "words and lexicon": {"lm": models["words"], "lexicon": models["lexicon"]},
        "all": {"lm": models["tokens"], "lexicon": models["lexicon"]},
    }[what]


def hear(tokens, tokenizer, doubt=None, frames=2):
    """(1, T, C): each token for some frames, and a blank behind it.

    Args:
        doubt: (place, token) that could be heard there nearly as well.
    """
    ids = [i for each in tokens for i in [tokenizer.tokens.index(each)] * frames + [0]]
    logits = torch.zeros(1, len(ids), len(tokenizer.tokens))
    logits[0, range(len(ids)), ids] = 8.0
    if doubt is not None:
        place, token = doubt
        first = (frames + 1) * place
        logits[0, first : first + frames, tokenizer.tokens.index(token)] = 7.8
    return logits.log_softmax(-1)


def decode(decoder, log_probs, tokenizer):
    lengths = torch.full((len(log_probs),), log_probs.size(1))
    return decoder(log_probs, lengths, tokenizer, SECONDS)


SPOKEN = [" AB", " ", "B", " BA", "AB"]
"""Tokens of AB B BAAB, six hundredths of a second apart."""


def assert_heard(hypothesis):
    assert hypothesis.text == "AB B BAAB"
    assert [token.text for token in hypothesis.tokens] == SPOKEN
    # Frames: " AB" 0-2, " " 3-5, "B" 6-8, " BA" 9-11, "AB" 12-14.
    assert [
        (word.text, round(word.start / SECONDS), round(word.end / SECONDS))
        for word in hypothesis.words
    ] == [("AB", 0, 2), ("B", 6, 8), ("BAAB", 9, 14)]
    assert all(word.confidence > 0.9 for word in hypothesis.words)


def test_greedy_hears_pieces_when_they_are_said(tokenizer):
    [hypothesis] = decode(GreedyDecoder(), hear(SPOKEN, tokenizer), tokenizer)
    assert_heard(hypothesis)


@pytest.mark.parametrize("what", KNOWLEDGE)
@pytest.mark.parametrize("kind", BEAMS)
def test_beams_hear_pieces_when_they_are_said(kind, what, models, tokenizer):
    decoder = kind(**know(what, models))
    [hypothesis] = decode(decoder, hear(SPOKEN, tokenizer), tokenizer)
    assert_heard(hypothesis)
    [silence] = decode(decoder, hear([], tokenizer, frames=1), tokenizer)
    assert (silence.text, silence.words) == ("", ())


@pytest.mark.parametrize("what", KNOWLEDGE)
def test_both_searches_find_the_same_texts_and_scores(what, models, tokenizer):
    pytest.importorskip("flashlight")
    options = {"num_best": 5, "beam_threshold": 500.0, **know(what, models)}
    if "lm" in options:
        options["lm_weight"] = 0.8
    log_probs = hear(SPOKEN[:4], tokenizer, frames=1)
    log_probs = (0.3 * log_probs + noise(2, *log_probs.shape)).log_softmax(-1)
    ours, theirs = (
        decode(kind(400, **options), log_probs, tokenizer)[0]
        for kind in (PrefixBeamDecoder, FlashlightDecoder)
    )
    assert ours.text == theirs.text
    assert ours.score == pytest.approx(theirs.score, abs=0.02)
    assert ours.tokens == theirs.tokens
    others = [one.text for one in ours.alternatives]
    assert others == [one.text for one in theirs.alternatives]


@pytest.mark.parametrize("what", ["lexicon", "words", "all"])
@pytest.mark.parametrize("kind", BEAMS)
def test_what_is_known_of_words_mends_what_is_unclear(kind, what, models, tokenizer):
    log_probs = hear([" AB", "B", " A"], tokenizer, doubt=(1, " BA"))
    assert decode(kind(), log_probs, tokenizer)[0].text == "ABB A"  # no word
    decoder = kind(**know(what, models))
    assert decode(decoder, log_probs, tokenizer)[0].text == "AB BA A"


@pytest.mark.parametrize("kind", BEAMS)
def test_a_word_that_never_ended_is_left_out(kind, tmp_path, tokenizer):
    path = tmp_path / "words.txt"
    path.write_text("A\nABBA\n")
    decoder = kind(beam_size=1, lexicon=str(path))
    [hypothesis] = decode(decoder, hear([" A", " AB", "B"], tokenizer), tokenizer)
    assert hypothesis.text == "A"
    assert [word.text for word in hypothesis.words] == ["A"]


def test_hotwords_are_heard_however_they_are_cut(tokenizer):
    for pieces, place in (([" AB", " A"], 1), ([" A", "B", " A"], 2)):
        log_probs = hear(pieces, tokenizer, doubt=(place, " BA"), frames=1)
        assert decode(PrefixBeamDecoder(), log_probs, tokenizer)[0].text == "AB A"
        decoder = PrefixBeamDecoder(hotwords=["ba"])
        assert decode(decoder, log_probs, tokenizer)[0].text == "AB BA"


def assert_equal_to_force(scorer, tokenizer, score):
    log_probs = noise(5, 1, 3, len(tokenizer.tokens))
    scorer = ScorerSum([scorer], len(tokenizer.tokens))
    [found] = PrefixSearch(scorer, 5000)(log_probs, torch.tensor([3]))
    expected = rank_by_force(log_probs[0], tokenizer, score)
    assert {one.token_ids: one.score for one in found} == pytest.approx(
        dict(expected), abs=1e-4
    )
    assert len(found) > 5


@pytest.mark.parametrize("open_vocabulary", [False, True])
def test_a_lexicon_lets_exactly_its_words_through(open_vocabulary, models, tokenizer):
    lm = NGramModel(read_arpa(models["words"]))
    known = WORDS[:3]
    lexicon = Lexicon(known, tokenizer, open_vocabulary)

    def score(tokens):
        words = [word if word in known else "<unk>" for word in "".join(tokens).split()]
        if "<unk>" in words and not open_vocabulary:
            return -math.inf
        language = 0.7 * sum(lm.score_sentence(words)) + 0.3 * len(words)
        return language - 2.0 * words.count("<unk>")

    scorer = WordScorer(lexicon, tokenizer, lm, 0.7, 0.3, -2.0)
    assert_equal_to_force(scorer, tokenizer, score)


def test_a_model_of_tokens_adds_what_it_gives_the_whole_text(models, tokenizer):
    lm = NGramModel(read_arpa(models["tokens"]))

    def score(tokens):
        names = [token.replace(" ", SPACE) for token in tokens]
        begun = sum(token.startswith(" ") for token in tokens)
        return 0.7 * sum(lm.score_sentence(names)) + 0.3 * begun

    assert_equal_to_force(TokenScorer(lm, tokenizer, 0.7, 0.3), tokenizer, score)


@pytest.mark.parametrize("phrases", [["AB"], ["A", "A B"], ["BA", "BAB", "B A"]])
def test_hotwords_add_their_score_for_each_whole_occurrence(phrases, tokenizer):
    def score(tokens):
        padded = f" {' '.join(''.join(tokens).split())} "
        begun = itertools.product(phrases, range(len(padded)))
        return 1.5 * sum(padded.startswith(f" {p} ", place) for p, place in begun)

    assert_equal_to_force(HotwordScorer(phrases, tokenizer, 1.5), tokenizer, score)


def test_a_text_is_aligned_with_its_pieces(tokenizer):
    log_probs = hear(SPOKEN, tokenizer)[0]
    ids = tokenizer.encode("ab b baab")
    spans = align_tokens(log_probs, ids, tokenizer, SECONDS)
    assert [span.text for span in spans] == SPOKEN
    words = [(w.text, round(w.start / SECONDS)) for w in group_words(spans)]
    assert words == [("AB", 0), ("B", 6), ("BAAB", 9)]


class Likes:
    """A language model that gives a text 0, and every other -10."""

    def __init__(self, text):
        self.text = text

    def score_texts(self, texts):
        return [0.0 if text == self.text else -10.0 for text in texts]


def test_rescoring_takes_texts_whatever_their_pieces(tokenizer):
    log_probs = hear([" AB", " A"], tokenizer, doubt=(1, " BA"))
    rescoring = Rescoring(Likes("AB BA"), 1.0, 50)
    decoder = PrefixBeamDecoder(rescoring=rescoring)
    assert decode(decoder, log_probs, tokenizer)[0].text == "AB BA"


E_ACUTE = ["<0xC3>", "<0x89>"]


@pytest.mark.parametrize("kind", [GreedyDecoder, *BEAMS])
def test_bytes_are_joined_to_characters(kind):
    tokenizer = make(byte_fallback=True)
    log_probs = hear([" AB", *E_ACUTE, " ", *E_ACUTE, "A"], tokenizer)
    [hypothesis] = decode(kind(), log_probs, tokenizer)
    assert hypothesis.text == "ABÉ ÉA"
    assert [word.text for word in hypothesis.words] == ["ABÉ", "ÉA"]
    assert [token.text for token in hypothesis.tokens[1:3]] == E_ACUTE


@pytest.mark.parametrize("kind", [GreedyDecoder, *BEAMS])
def test_broken_bytes_are_shown_and_never_end_a_word(kind):
    tokenizer = make(byte_fallback=True)
    log_probs = hear([" AB", "<0x89>", "<0x20>", " A"], tokenizer)
    [hypothesis] = decode(kind(), log_probs, tokenizer)
    assert hypothesis.text == f"AB{BROKEN}{BROKEN} A"
    assert [word.text for word in hypothesis.words] == [f"AB{BROKEN}{BROKEN}", "A"]
    draws = random.Random(4)
    for seed in range(20):
        tokens = draws.choices(tokenizer.tokens[1:], k=6)
        clear = hear(tokens, tokenizer, frames=1)
        unclear = (clear + noise(seed, *clear.shape)).log_softmax(-1)
        [hypothesis] = decode(kind(), unclear, tokenizer)
        words = [word.text for word in hypothesis.words]
        assert words == hypothesis.text.split()


def test_a_lexicon_and_hotwords_may_need_bytes(tmp_path):
    tokenizer = make(byte_fallback=True)
    path = tmp_path / "words.txt"
    path.write_text("ÉA\nAB\n")
    log_probs = hear([" AB", " ", *E_ACUTE, "A"], tokenizer)
    for options in ({"lexicon": str(path)}, {"hotwords": ["éa"]}):
        [hypothesis] = decode(PrefixBeamDecoder(**options), log_probs, tokenizer)
        assert hypothesis.text == "AB ÉA"
    with pytest.raises(InputError, match="hotword 'ÉA' holds 'É'"):
        decode(PrefixBeamDecoder(hotwords=["éa"]), hear([" A"], make()), make())


def test_a_model_of_words_that_are_pieces_too_is_one_of_words(tmp_path, tokenizer):
    path = tmp_path / "lm.arpa"
    write_arpa(path, estimate_kneser_ney([["A", "AB"], ["AB"]], 2).ngrams)
    decoder = PrefixBeamDecoder(lm=str(path))
    language = decoder.read_language(tokenizer)
    assert not language.is_of_tokens
    assert sorted(language.lexicon.words) == ["A", "AB"]
