"""Flashlight's beam search, by torchaudio; an optional extra, but fast."""

import math
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from speechgru.bounded import GZIP, read_unpacked
from speechgru.decode.beam import BeamDecoder, Found, Search
from speechgru.decode.language import SPACE, ScorerSum, token_names
from speechgru.decode.vocabulary import Language
from speechgru.interfaces import BLANK, InputError, Tokenizer
from speechgru.lm.arpa import write_arpa
from speechgru.lm.binary import is_binary, read_binary
from speechgru.lm.table import UNKNOWN
from speechgru.ranges import SIZE, check

if TYPE_CHECKING:
    from torchaudio.models.decoder import CTCDecoder, CTCDecoderLM


class FlashlightDecoder(BeamDecoder):
    """Search in C++, on one thread, with KenLM inside.

    The options mean what they mean in `PrefixBeamDecoder`, and texts and scores
    are nearly the same: flashlight prunes in another order. With tokens of several
    characters, it asks our scorers for what a lexicon or a language model of words
    adds, and is then no faster than `PrefixBeamDecoder`.

    Args:
        tokens_per_frame: the most probable ones, which alone are tried; None: all.
        options: see `BeamDecoder`.

    Raises:
        InputError: the extra is not installed.

    Source:
        "Flashlight: enabling innovation in tools for machine learning",
        arXiv:2201.12465.
    """

    name = "flashlight"

    def __init__(
        self, beam_size: int = 100, *, tokens_per_frame: int | None = 10, **options: Any
    ) -> None:
        super().__init__(beam_size, **options)
        if tokens_per_frame is not None:
            check("tokens_per_frame", tokens_per_frame, SIZE)
        self.tokens_per_frame = tokens_per_frame
        try:
            import torchaudio.models.decoder  # noqa: F401
            from flashlight.lib.text import decoder  # noqa: F401
        except ImportError as error:
            raise InputError(
                f"decoder=flashlight needs flashlight-text ({error}); install it with: "
                "pip install 'speechgru[flashlight]', or take decoder=prefix_beam"
            ) from error

    def scores_words(self, tokenizer: Tokenizer) -> bool:
        """See `BeamDecoder`."""
        return self.read_language(tokenizer).lexicon is not None

    def prepare(self, language: Language, tokenizer: Tokenizer) -> Search:
        """See `BeamDecoder`."""
        if language.lexicon is None and self.word_score:
            raise InputError(
                f"decoder.word_score is {self.word_score}, expected 0 for "
                "decoder=flashlight without a lexicon, where it has no such score; "
                "set it to 0, or take decoder=prefix_beam"
            )
        is_wide = any(len(token) > 1 for token in tokenizer.tokens[1:])
        if is_wide or " " not in tokenizer.tokens:
            return self._prepare_wide(language, tokenizer)
        return self._prepare_characters(language, tokenizer)

    def _prepare_wide(self, language: Language, tokenizer: Tokenizer) -> Search:
        """For tokens of several characters, or of a script without spaces."""
        from speechgru.decode.flashlight_scorer import SILENCE, ScorerLM, TokenSearch

        num_tokens = len(tokenizer.tokens)
        names = ["<blank>", *token_names(tokenizer), SILENCE]
        if language.lexicon is None:
            decoder = self._make_decoder(names, SILENCE)
        else:
            scorers = language.scorers(tokenizer, self.lm_weight, self.word_score)
            lm = ScorerLM(ScorerSum(scorers, num_tokens), num_tokens)
            decoder = self._make_decoder(names, SILENCE, scorer=lm)
        return TokenSearch(decoder, num_tokens)

    def _prepare_characters(self, language: Language, tokenizer: Tokenizer) -> Search:
        """For single characters and the space, all in C++."""
        if language.lexicon is not None and language.is_of_tokens:
            raise InputError(
                "decoder=flashlight takes a lexicon or a language model of tokens, not "
                "both; take decoder=prefix_beam"
            )
        names = ["<blank>", *token_names(tokenizer)]
        words = language.lexicon.words if language.lexicon is not None else None
        decoder = self._make_decoder(names, SPACE, words)
        space = tokenizer.tokens.index(" ")
        return _FlashlightSearch(decoder, words is not None, space)

    def _make_decoder(
        self,
        names: Sequence[str],
        silence: str,
        words: Sequence[str] | None = None,
        scorer: "CTCDecoderLM | None" = None,
    ) -> "CTCDecoder":
        """Make torchaudio's decoder.

        Args:
            names: of the tokens.
            silence: that of the token between words.
            words: of the lexicon, if there is one, spelled in characters.
            scorer: instead of the language model, weighed already.
        """
        from torchaudio.models.decoder import ctc_decoder

        with tempfile.TemporaryDirectory() as folder:
            spelling = None
            if words is not None:
                spelling = Path(folder, "lexicon.txt")
                lines = [f"{word} {' '.join(word)} {silence}\n" for word in words]
                spelling.write_text("".join(lines), encoding="utf-8")
            # Else torchaudio numbers the tokens anew for the language model.
            dictionary = Path(folder, "tokens.txt")
            dictionary.write_text("\n".join([*names, UNKNOWN, ""]), encoding="utf-8")
            lm = None if self.lm_path is None else _unpack(self.lm_path, folder)
            return ctc_decoder(
                lexicon=None if spelling is None else str(spelling),
                tokens=list(names),
                lm=scorer or lm,
                lm_dict=None if spelling else str(dictionary),
                nbest=self.beam_size,
                beam_size=self.beam_size,
                beam_size_token=self.tokens_per_frame,
                beam_threshold=self.beam_threshold,
                # KenLM's logarithms are to the base 10.
                lm_weight=1.0 if scorer else self.lm_weight * math.log(10),
                word_score=self.word_score,
                log_add=True,
                blank_token=names[BLANK],
                sil_token=silence,
            )


class _FlashlightSearch:
    """Search with one of flashlight's decoders, one utterance after the other."""

    def __init__(self, decoder: "CTCDecoder", has_lexicon: bool, space: int) -> None:
        self._decoder = decoder
        self._has_lexicon = has_lexicon
        self._space = space
        # The decoder keeps the beam within itself.
        self._lock = threading.Lock()

    def __call__(self, log_probs: Tensor, lengths: Tensor) -> list[list[Found]]:
        """See `Search`."""
        return [
            self._search_one(log_probs[index, :length])
            for index, length in enumerate(lengths.tolist())
        ]

    def _search_one(self, log_probs: Tensor) -> list[Found]:
        """Decode (T, C)."""
        if self._has_lexicon:
            # A word ends with a space; so the last one needs one more frame.
            end = log_probs.new_full((1, log_probs.size(1)), -1e4)
            end[0, self._space] = 0.0
            log_probs = torch.cat([log_probs, end])
        with self._lock:
            [results] = self._decoder(log_probs[None].contiguous())
        found = [
            Found(tuple(self._strip(result.tokens.tolist())), result.score, True)
            for result in results
        ]
        # Sorted before the last words were scored, not after.
        return sorted(found, key=lambda one: -one.score)

    def _strip(self, token_ids: list[int]) -> list[int]:
        """Without the spaces at both ends, which flashlight adds."""
        spaces = [token_id == self._space for token_id in token_ids]
        inside = [place for place, is_space in enumerate(spaces) if not is_space]
        return token_ids[inside[0] : inside[-1] + 1] if inside else []


def _unpack(lm: str, folder: str) -> str:
    """The language model as KenLM reads it, which here takes no gzip."""
    if is_binary(lm):
        unpacked = Path(folder, "lm.arpa")
        write_arpa(unpacked, read_binary(lm))
        return str(unpacked)
    with Path(lm).open("rb") as file:
        if file.read(len(GZIP)) != GZIP:
            return lm
    unpacked = Path(folder, "lm.arpa")
    unpacked.write_bytes(read_unpacked(lm))
    return str(unpacked)
