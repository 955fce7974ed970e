"""Prefix beam search in torch: no compiler, every kind of token."""

from collections.abc import Sequence
from typing import Any, cast

from speechgru.decode.beam import BeamDecoder
from speechgru.decode.hotwords import HotwordScorer, normalize_phrases
from speechgru.decode.language import ScorerSum
from speechgru.decode.prefix_beam_decoding import PrefixBeamDecoding
from speechgru.decode.prefix_beam_search import PrefixSearch
from speechgru.decode.vocabulary import Language
from speechgru.interfaces import InputError, Tokenizer
from speechgru.ranges import LOG_SCORE, OptionError, check


class PrefixBeamDecoder(BeamDecoder):
    """Keep the best texts frame by frame, each with the sum of all its paths.

    Args:
        unknown_score: added per word that is not in the lexicon, beside what
            the language model gives <unk>; None: there are no such words.
        hotwords: words or phrases that are expected.
        hotword_score: added per occurrence of one of them.
        options: see `BeamDecoder`.
    """

    name = "prefix_beam"

    def __init__(
        self,
        beam_size: int = 100,
        *,
        unknown_score: float | None = None,
        hotwords: Sequence[str] = (),
        hotword_score: float = 5.0,
        **options: Any,
    ) -> None:
        super().__init__(beam_size, **options)
        if unknown_score is not None:
            check("unknown_score", unknown_score, LOG_SCORE)
        check("hotword_score", hotword_score, LOG_SCORE)
        if isinstance(hotwords, str):
            raise OptionError(
                f"hotwords is {hotwords!r}, expected a list; write "
                f"'decoder.hotwords=[{hotwords}]'"
            )
        for phrase in hotwords:
            if not isinstance(phrase, str):
                raise OptionError(
                    f"hotwords holds {phrase!r}, expected text; write it in quotes: "
                    f"'decoder.hotwords=[\"{phrase}\"]'"
                )
        self.unknown_score = unknown_score
        self.hotwords = tuple(hotwords)
        self.hotword_score = hotword_score

    @property
    def open_vocabulary(self) -> bool:
        """See `BeamDecoder`."""
        return self.unknown_score is not None

    def prepare(self, language: Language, tokenizer: Tokenizer) -> PrefixSearch:
        """See `BeamDecoder`."""
        if language.lexicon is None and self.open_vocabulary:
            raise InputError(
                f"decoder.unknown_score is {self.unknown_score}, but there is neither "
                "a lexicon nor a language model of words; leave it out"
            )
        scorers = language.scorers(
            tokenizer, self.lm_weight, self.word_score, self.unknown_score or 0.0
        )
        if self.hotwords:
            self._refuse_unheard(language, tokenizer)
            scorers.append(HotwordScorer(self.hotwords, tokenizer, self.hotword_score))
        return PrefixSearch(
            ScorerSum(scorers, len(tokenizer.tokens)),
            self.beam_size,
            self.beam_threshold,
        )

    def begin(
        self, tokenizer: Tokenizer, seconds_per_frame: float
    ) -> PrefixBeamDecoding:
        """See `StreamingDecoder`."""
        search = cast(PrefixSearch, self.fit(tokenizer))  # as `prepare` gives it
        return PrefixBeamDecoding(
            self, search, tokenizer, seconds_per_frame, search.begin(1)
        )

    def _refuse_unheard(self, language: Language, tokenizer: Tokenizer) -> None:
        """See that the lexicon has the hotwords. Raises InputError."""
        if language.lexicon is None or self.open_vocabulary:
            return
        known = set(language.lexicon.words)
        for phrase in normalize_phrases(self.hotwords, tokenizer):
            missing = next((word for word in phrase.split() if word not in known), None)
            if missing is not None:
                raise InputError(
                    f"the hotword {missing!r} is not among the {len(known)} words that "
                    "can be heard; let others in by decoder.unknown_score=-10, or add "
                    "it to the lexicon"
                )
