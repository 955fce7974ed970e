import itertools
import math

import pytest
import torch
from decode.brute_force import noise

from speechgru.decode.align import align_tokens
from speechgru.interfaces import InputError

A, B = 2, 3


@pytest.mark.parametrize("token_ids", [[A], [A, B], [A, A], [B, A, B], [A, A, A]])
def test_takes_the_best_of_all_paths(token_ids, tokenizer):
    log_probs = noise(len(token_ids), 6, 4)
    best, best_score = (), -math.inf
    for path in itertools.product(range(4), repeat=6):
        if [token for token, _ in itertools.groupby(path) if token] == token_ids:
            score = sum(f[t].item() for f, t in zip(log_probs, path, strict=True))
            best, best_score = (
                (path, score) if score > best_score else (best, best_score)
            )
    spans = align_tokens(log_probs, token_ids, tokenizer, 0.5)
    assert [span.text for span in spans] == [tokenizer.tokens[i] for i in token_ids]
    path = [0] * 6
    for span, token_id in zip(spans, token_ids, strict=True):
        first, last = round(span.start / 0.5), round(span.end / 0.5)
        path[first:last] = [token_id] * (last - first)
        mean = log_probs[first:last, token_id].exp().mean().item()
        assert span.confidence == pytest.approx(mean)
    assert tuple(path) == best


def test_no_tokens_take_no_time(tokenizer):
    assert align_tokens(noise(0, 5, 4), [], tokenizer, 0.5) == []
    assert align_tokens(torch.zeros(0, 4), [], tokenizer, 0.5) == []


@pytest.mark.parametrize(("token_ids", "needed"), [([A, B, A], 3), ([A, A], 3)])
def test_too_few_frames_are_an_error(token_ids, needed, tokenizer):
    with pytest.raises(
        InputError, match=f"2 output frames, expected at least {needed}"
    ):
        align_tokens(noise(0, 2, 4), token_ids, tokenizer, 0.5)
