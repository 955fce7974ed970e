"""Learning the pieces of words from transcripts, by sentencepiece."""

import io
import logging
import re
from collections.abc import Mapping

from speechgru.ranges import OptionError, Range
from speechgru.text.pieces import Kind

log = logging.getLogger(__name__)

COVERAGE = Range(0.98, 1)
"""Shares of characters that sentencepiece can do with."""

MARK = "\u2581"
"""The beginning of a word, in sentencepiece; a space here."""


def learn_pieces(
    words: Mapping[str, int],
    size: int,
    kind: Kind,
    character_coverage: float,
    byte_fallback: bool,
) -> dict[str, float]:
    """Learn pieces; the same from the same words, in whatever order they come.

    Args:
        words: how often each occurs, as normalised; none holds `MARK`.
        size: of the vocabulary: the pieces, the bytes and the blank.
        kind: "unigram" or "bpe".
        character_coverage: share of all characters that must have a piece.
        byte_fallback: whether 256 tokens of the vocabulary are bytes.

    Returns:
        The score of each piece. One that begins with a space begins a word.

    Raises:
        OptionError: the words have no vocabulary of this size; the message says
            which sizes they have.
    """
    from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

    model = io.BytesIO()
    log.info("learning %d %s tokens from %d different words", size, kind, len(words))
    try:
        SentencePieceTrainer.train(
            sentence_iterator=iter([f"{w}\t{n}" for w, n in sorted(words.items())]),
            input_format="tsv",
            model_writer=model,
            model_type=kind,
            vocab_size=size,
            hard_vocab_limit=False,  # looked at below
            character_coverage=character_coverage,
            byte_fallback=byte_fallback,
            normalization_rule_name="identity",  # the words are normalised already
            split_by_unicode_script=False,  # else no piece has an apostrophe
            max_sentence_length=1 << 30,  # longer ones would be left out
            num_threads=1,  # sums are the same on every machine
            unk_id=0,  # counts for the blank
            bos_id=-1,
            eos_id=-1,
            minloglevel=2,
        )
    except RuntimeError as error:
        least = re.search(r"required_chars\. \d+ vs (\d+)", str(error))
        if least is None:
            raise OptionError(
                f"vocabulary_size is {size}, but sentencepiece cannot learn it from "
                f"{len(words)} different words ({error}); try another one"
            ) from error
        raise OptionError(
            f"vocabulary_size is {size}, expected at least {least[1]}, for the blank, "
            f"every character{' and 256 bytes' * byte_fallback}; raise it"
        ) from error
    learnt = SentencePieceProcessor(model_proto=model.getvalue())
    most = learnt.get_piece_size()
    if most < size:
        raise OptionError(
            f"vocabulary_size is {size}, but the {len(words)} different words of the "
            f"training texts give {most} {kind} tokens at most; lower it to {most} or "
            "less, or train on more texts"
        )
    return {
        learnt.id_to_piece(id).replace(MARK, " "): learnt.get_score(id)
        for id in range(most)
        if not (learnt.is_unknown(id) or learnt.is_byte(id))
    }
