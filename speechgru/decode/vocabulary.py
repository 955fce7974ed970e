"""What a search knows of the language: a model of it, and the words there are."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from speechgru.decode.language import (
    SPACE,
    Scorer,
    TokenScorer,
    WordScorer,
    token_names,
)
from speechgru.decode.lexicon import Lexicon, read_lexicon
from speechgru.decode.writing import SoundWriter
from speechgru.interfaces import (
    InputError,
    NoSoundError,
    PhoneticTokenizer,
    Tokenizer,
)
from speechgru.lm.files import read_table
from speechgru.lm.ngram import NGramModel
from speechgru.lm.table import BEGIN, END, UNKNOWN

log = logging.getLogger(__name__)

NUM_NAMED = 3
"""Words that cannot be heard, and are named."""


@dataclass(frozen=True)
class Language:
    """What is known of the language, fitted to a model's tokens.

    Attributes:
        lm: of words or of tokens, if there is one.
        is_of_tokens: whether it is one of tokens.
        lexicon: of the words that may be heard; None: any.
        writer: writes tokens that are sounds as words of the lexicon; None: the
            tokenizer says how tokens are written.
    """

    lm: NGramModel | None
    is_of_tokens: bool
    lexicon: Lexicon | None
    writer: SoundWriter | None

    def scorers(
        self,
        tokenizer: Tokenizer,
        lm_weight: float,
        word_score: float,
        unknown_score: float = 0.0,
    ) -> list[Scorer]:
        """What weighs texts by all that is known; see `BeamDecoder`.

        Args:
            tokenizer: of the tokens.
            lm_weight: of the language model's natural log-probabilities.
            word_score: added per word.
            unknown_score: added per word that is not in an open lexicon.
        """
        scorers: list[Scorer] = []
        if self.lexicon is not None:
            words = None if self.is_of_tokens else self.lm
            scorers.append(
                WordScorer(
                    self.lexicon, tokenizer, words, lm_weight, word_score, unknown_score
                )
            )
            word_score = 0.0  # words are counted once
        if self.lm is not None and self.is_of_tokens:
            scorers.append(TokenScorer(self.lm, tokenizer, lm_weight, word_score))
        return scorers


def read_language(
    lm: str | None, lexicon: str | None, open_vocabulary: bool, tokenizer: Tokenizer
) -> Language:
    """Read a language model and a lexicon for a model's tokens.

    Args:
        lm: an ARPA file; None: none.
        lexicon: a file with one word a line; None: the words of the language
            model, if it is one of words; those that have no sound, where tokens are
            sounds, are left out, which is said.
        open_vocabulary: whether words may be heard that are not in the lexicon.
        tokenizer: of the model.

    Raises:
        InputError: they cannot be read, or do not fit the tokens.
    """
    model = None if lm is None else NGramModel(read_table(lm))
    of_tokens = model is not None and is_of_tokens(model, tokenizer)
    words: list[str] | None = None
    sounds: list[Sequence[str]] = []
    if lexicon is not None:
        words, sounds = read_lexicon(lexicon, tokenizer)
    elif model is not None and not of_tokens:
        words = [word for word in model.words if word not in (BEGIN, END, UNKNOWN)]
        if isinstance(tokenizer, PhoneticTokenizer):
            words, sounds = _pronounce(words, tokenizer, str(lm))
    fitted = (
        None if words is None else Lexicon(words, tokenizer, open_vocabulary, sounds)
    )
    writer = None
    if fitted is not None and isinstance(tokenizer, PhoneticTokenizer):
        writer = SoundWriter(fitted, None if of_tokens else model, tokenizer)
    return Language(model, of_tokens, fitted, writer)


def _pronounce(
    words: Iterable[str], tokenizer: PhoneticTokenizer, name: str
) -> tuple[list[str], list[Sequence[str]]]:
    """The words that have a sound, and their sounds; says which have none."""
    sounds: dict[str, Sequence[str]] = {}
    refused: list[str] = []
    for word in words:
        try:
            sounds[word] = tokenizer.pronounce(word)
        except NoSoundError as error:
            refused.append(str(error))
    if refused:
        log.warning(
            "%s: %d of %d words cannot be pronounced, so they are not heard: %s; a "
            "decoder.lexicon may say how they sound",
            name, len(refused), len(sounds) + len(refused),
            "; ".join(refused[:NUM_NAMED]),
        )  # fmt: skip
    return list(sounds), list(sounds.values())


def is_of_tokens(lm: NGramModel, tokenizer: Tokenizer) -> bool:
    """Whether the words of a language model are tokens.

    Raises:
        InputError: they must be, since there is a space in one, but one is not.
    """
    words = set(lm.words) - {BEGIN, END, UNKNOWN}
    foreign = words - set(token_names(tokenizer))
    spaced = any(word.startswith(SPACE) for word in words)
    if foreign and spaced:
        raise InputError(
            f"the language model of tokens holds {min(foreign)!r}, which is not among "
            f"the model's {len(tokenizer.tokens)} tokens; estimate it with the model's "
            "text options by speechgru lm unit=token checkpoint=CHECKPOINT"
        )
    has_spaces = any(token.startswith(" ") for token in tokenizer.tokens)
    return not foreign and (spaced or not has_spaces)
