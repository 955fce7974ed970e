"""Heard frame by frame, an utterance has the hypothesis of the whole."""

from itertools import pairwise

import pytest
import torch
from decode.brute_force import noise

from speechgru.decode.greedy import GreedyDecoder
from speechgru.decode.prefix_beam import PrefixBeamDecoder
from speechgru.interfaces import StreamingDecoder

NUM_FRAMES = 30


@pytest.fixture(params=["greedy", "prefix_beam", "words"])
def decoder(request, word_lm) -> StreamingDecoder:
    if request.param == "greedy":
        return GreedyDecoder(blank_penalty=0.5)
    if request.param == "words":
        return PrefixBeamDecoder(20, lm=str(word_lm), num_best=2)
    return PrefixBeamDecoder(20, num_best=3, blank_penalty=0.5)


@pytest.mark.parametrize("size", [1, 7, NUM_FRAMES])
def test_chunks_of_any_size_have_the_hypothesis_of_the_whole(decoder, tokenizer, size):
    log_probs = noise(3, 1, NUM_FRAMES, len(tokenizer.tokens))
    decoding = decoder.begin(tokenizer, 0.04)
    for chunk in log_probs[0].split(size):
        decoding = decoding.advance(chunk)
    whole = decoder(log_probs, torch.tensor([NUM_FRAMES]), tokenizer, 0.04)
    assert [decoding.finish()] == whole


def test_an_utterance_may_end_before_its_first_frame(decoder, tokenizer):
    empty = torch.zeros(1, 0, len(tokenizer.tokens))
    assert [decoder.begin(tokenizer, 0.04).finish()] == decoder(
        empty, torch.tensor([0]), tokenizer, 0.04
    )


def test_one_may_go_back(decoder, tokenizer):
    log_probs = noise(4, 1, NUM_FRAMES, len(tokenizer.tokens))[0]
    middle = decoder.begin(tokenizer, 0.04).advance(log_probs[:10])
    first = middle.advance(log_probs[10:])
    expected = first.finish()
    middle.advance(log_probs[10:].flip(0))
    assert middle.advance(log_probs[10:]).finish() == expected == first.finish()


def test_what_is_heard_greedily_is_never_revised(tokenizer):
    decoding = GreedyDecoder().begin(tokenizer, 0.04)
    texts = []
    for frame in noise(5, 1, NUM_FRAMES, len(tokenizer.tokens))[0].split(1):
        decoding = decoding.advance(frame)
        texts.append(decoding.text)
    assert len(set(texts)) > 5
    assert all(b.startswith(a) for a, b in pairwise(texts))
    assert texts[-1] == decoding.finish().text


def test_a_beam_shows_the_best_text_so_far_with_its_open_word(word_lm, tokenizer):
    decoder = PrefixBeamDecoder(50, lm=str(word_lm))
    decoding = decoder.begin(tokenizer, 0.04)
    log_probs = torch.full((2, len(tokenizer.tokens)), -20.0)
    log_probs[0, tokenizer.tokens.index("B")] = log_probs[1, 0] = 0.0
    assert decoding.text == ""
    decoding = decoding.advance(log_probs)
    assert decoding.text == "B" == decoding.finish().text
