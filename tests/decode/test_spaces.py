"""Spaces at the ends, doubled and alone are no words, whatever decodes them."""

from importlib.util import find_spec

import pytest
import torch

from speechgru.decode.flashlight import FlashlightDecoder
from speechgru.decode.greedy import GreedyDecoder
from speechgru.decode.prefix_beam import PrefixBeamDecoder
from speechgru.decode.spans import average_confidence, group_words
from speechgru.interfaces import Span
from speechgru.text.tokenizer import CharacterTokenizer
from speechgru.text.word_tokenizer import WordTokenizer

CHARACTERS = CharacterTokenizer(" AB")
WORDS = WordTokenizer(" AB", words=["ABBA"])
SPACED = [
    *(("     ", ""), (" ", ""), ("", ""), ("  A  B ", "A B"), (" AB", "AB")),
    ("B ", "B"),
]


def hear(tokens: list[str], tokenizer) -> torch.Tensor:
    """(1, T, C): each token for two frames, a blank behind it."""
    ids = [i for token in tokens for i in [tokenizer.tokens.index(token)] * 2 + [0]]
    logits = torch.zeros(1, len(ids) + 1, len(tokenizer.tokens))
    logits[0, range(len(ids) + 1), [0, *ids]] = 9.0
    return logits.log_softmax(-1)


def decoders(tokenizer):
    yield GreedyDecoder()
    yield PrefixBeamDecoder()
    if tokenizer is CHARACTERS and find_spec("flashlight"):
        yield FlashlightDecoder()


@pytest.mark.parametrize(("spoken", "text"), SPACED)
@pytest.mark.parametrize("tokenizer", [CHARACTERS, WORDS], ids=["characters", "words"])
def test_needless_spaces_are_no_text_and_have_no_confidence(tokenizer, spoken, text):
    log_probs = hear(list(spoken), tokenizer)
    for decoder in decoders(tokenizer):
        [hypothesis] = decoder(
            log_probs, torch.tensor([log_probs.size(1)]), tokenizer, 0.04
        )
        assert hypothesis.text == text
        assert [word.text for word in hypothesis.words] == text.split()
        confidence = average_confidence(hypothesis.tokens)
        assert (confidence is None) == (text == "")


def test_words_with_spaces_before_them_are_joined_by_one():
    log_probs = hear([" ABBA", " ", " ABBA", " ", "A", " "], WORDS)
    for decoder in decoders(WORDS):
        [hypothesis] = decoder(
            log_probs, torch.tensor([log_probs.size(1)]), WORDS, 0.04
        )
        assert hypothesis.text == "ABBA ABBA A"
        assert [word.text for word in hypothesis.words] == ["ABBA", "ABBA", "A"]


def test_the_words_are_composed_as_the_text_is():
    tokens = [Span("Q", 0, 1, 0.9), Span("E", 1, 2, 0.9), Span("\u0301", 2, 3, 0.9)]
    assert [word.text for word in group_words(tokens)] == ["QÉ"]
