"""Starting a model from another one's weights."""

from collections.abc import Iterable
from contextlib import suppress

import torch

from speechgru.checkpoint.load import LoadedCheckpoint
from speechgru.interfaces import ExtensibleTokenizer, InputError, Tokenizer
from speechgru.model.acoustic import AcousticModel
from speechgru.text.word_counts import count_words

OF_TOKENS = ("head.", "encoder.conditioning.")
"""What has rows, or columns, for each token."""


def extend_tokenizer(tokenizer: Tokenizer, texts: Iterable[str]) -> Tokenizer:
    """Append the characters that a tokenizer lacks, behind those it has.

    Texts that cannot be normalised are left to the doctor, and so are characters
    that a tokenizer of the user's own lacks and cannot take up.
    """
    if not isinstance(tokenizer, ExtensibleTokenizer):
        return tokenizer
    words = count_words(texts)
    characters = set(" " if words.several else "")
    for word in words.counts:
        with suppress(InputError):
            characters.update(tokenizer.normalize(word))
    return tokenizer.extended(sorted(characters))


@torch.no_grad()
def initialise_from(
    model: AcousticModel, tokenizer: Tokenizer, start: LoadedCheckpoint[AcousticModel]
) -> list[str]:
    """Copy weights; what belongs to new tokens keeps its random start.

    Args:
        model: built from the checkpoint's configuration, for `tokenizer`.
        tokenizer: begins with the checkpoint's tokens.
        start: what the weights are taken from.

    Returns:
        Lines that say what was and was not taken over.
    """
    weights = start.model.state_dict()
    known = len(start.tokenizer.tokens)
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if name.startswith(OF_TOKENS) and name in weights:
            grown = parameter.clone()
            grown[tuple(slice(size) for size in weights[name].shape)] = weights[name]
            weights[name] = grown
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(
            f"init_from: the weights do not fit the model ({error}); leave the model's "
            "sizes as the checkpoint has them"
        ) from error
    new = tokenizer.tokens[known:]
    lines = [f"{known} tokens and all layers taken over"]
    if new:
        lines.append(f"new head rows for {len(new)} tokens: {' '.join(map(repr, new))}")
    return lines
