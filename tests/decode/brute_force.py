"""What searches are held against: every path, tried one by one."""

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor

from speechgru.interfaces import Tokenizer


def noise(seed: int, *shape: int) -> Tensor:
    """Log-probabilities that prefer nothing in particular."""
    generator = torch.Generator().manual_seed(seed)
    return (2 * torch.randn(*shape, generator=generator)).log_softmax(-1)


def sum_all_paths(log_probs: Tensor) -> dict[tuple[int, ...], float]:
    """The log-probability of every token sequence, by trying every path of (T, C)."""
    probabilities: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(log_probs.size(1)), repeat=len(log_probs)):
        tokens = tuple(token for token, _ in itertools.groupby(path) if token)
        score = sum(
            frame[token].item() for frame, token in zip(log_probs, path, strict=True)
        )
        probabilities[tokens] = probabilities.get(tokens, 0.0) + math.exp(score)
    return {tokens: math.log(value) for tokens, value in probabilities.items()}


def rank_by_force(
    log_probs: Tensor,
    tokenizer: Tokenizer,
    score: Callable[[list[str]], float] = lambda tokens: 0.0,
) -> list[tuple[tuple[int, ...], float]]:
    """Every token sequence with its score, the best first; no search at all."""
    scored = [
        (token_ids, acoustic + score([tokenizer.tokens[i] for i in token_ids]))
        for token_ids, acoustic in sum_all_paths(log_probs).items()
    ]
    possible = [item for item in scored if item[1] > -math.inf]
    return sorted(possible, key=lambda item: -item[1])
