"""An utterance that a prefix beam search hears frame by frame."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from speechgru.decode.beam import BeamDecoder
from speechgru.decode.blank_penalty import penalize_blank
from speechgru.decode.prefix_beam_search import PrefixSearch, Searched
from speechgru.interfaces import Hypothesis, Tokenizer


@dataclass(frozen=True)
class PrefixBeamDecoding:
    """How far an utterance is decoded; see `interfaces.Decoding`.

    Attributes:
        decoder: whose search it is.
        search: with the decoder's language.
        tokenizer: of the texts.
        seconds_per_frame: s.
        searched: how far the search has come.
        log_probs: (T, C) of each chunk so far, the blank's penalty included.
    """

    decoder: BeamDecoder
    search: PrefixSearch
    tokenizer: Tokenizer
    seconds_per_frame: float
    searched: Searched
    log_probs: tuple[Tensor, ...] = ()

    def advance(self, log_probs: Tensor) -> "PrefixBeamDecoding":
        """See `interfaces.Decoding`."""
        log_probs = log_probs.detach().to("cpu", torch.float32)
        log_probs = penalize_blank(log_probs, self.decoder.blank_penalty)
        return replace(
            self,
            searched=self.search.advance(self.searched, log_probs[None]),
            log_probs=(*self.log_probs, log_probs),
        )

    @property
    def text(self) -> str:
        """See `interfaces.Decoding`."""
        token_ids = self.search.best(self.searched)
        [text] = self.decoder.write([token_ids], self.tokenizer)
        return text

    def finish(self) -> Hypothesis:
        """See `interfaces.Decoding`."""
        none = torch.empty(0, len(self.tokenizer.tokens))
        [found] = self.search.found(self.searched)
        return self.decoder.describe(
            found,
            torch.cat([none, *self.log_probs]),
            self.tokenizer,
            self.seconds_per_frame,
        )
