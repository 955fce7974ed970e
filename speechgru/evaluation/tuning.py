"""Decoding a split again and again, to learn which weights suit it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from speechgru import __version__
from speechgru.checkpoint.identity import digest_weights
from speechgru.checkpoint.load import load_checkpoint
from speechgru.evaluation.asked import Asked
from speechgru.evaluation.posteriors import (
    ScoredBatch,
    score_utterances,
    show_minutes,
    warn_if_heard,
)
from speechgru.evaluation.trust import Trust, find_trust
from speechgru.factory import build_decoder
from speechgru.interfaces import Hypothesis, InputError, TunableDecoder
from speechgru.options.evaluation import DecodeOptions, TuneOptions
from speechgru.score.counts import count_word_errors
from speechgru.threads import set_up_cpu


@dataclass(frozen=True)
class Trial:
    """What some weights came to.

    Attributes:
        lm_weight, word_score: as in `BeamDecoder`.
        beam_size: likewise.
        edits: word errors.
        num_words: of the references.
        cpu_seconds: of decoding.
    """

    lm_weight: float
    word_score: float
    beam_size: int
    edits: int
    num_words: int
    cpu_seconds: float

    @property
    def error_rate(self) -> float:
        """Word errors per word of the references."""
        return self.edits / self.num_words


@dataclass(frozen=True)
class Scored:
    """The model's log-probabilities of some utterances.

    Attributes:
        batches: of utterances of like lengths.
    """

    batches: Sequence[ScoredBatch]

    @cached_property
    def references(self) -> list[str]:
        """Transcripts of all."""
        return [text for batch in self.batches for text in batch.references]

    @cached_property
    def num_words(self) -> int:
        """Of the references."""
        return sum(map(_count_words, self.batches))

    @cached_property
    def num_frames(self) -> int:
        """Of all."""
        return sum(int(batch.lengths.sum()) for batch in self.batches)

    def sample(self, num_words: int | None) -> "Scored":
        """Batches of all lengths that hold so many words, or a few more; None: all."""
        if num_words is None or num_words >= self.num_words:
            return self
        taken, chosen = 0, []
        for number, batch in enumerate(self.batches, 1):
            # Each batch brings its share of what has to be taken by then.
            if taken * len(self.batches) < num_words * number:
                chosen.append(batch)
                taken += _count_words(batch)
        return Scored(chosen)


def _count_words(batch: ScoredBatch) -> int:
    return sum(len(text.split()) for text in batch.references)


class Tuning:
    """The model's log-probabilities of a split, to be decoded again and again.

    Args:
        asked: the acoustic model, which runs once, the split, and the decoder.

    Attributes:
        whole: all of the split.
        sample: what of it the search decodes again and again.

    Raises:
        InputError: the decoder has no weights, or the split of a run is test.
    """

    def __init__(self, asked: Asked[TuneOptions]) -> None:
        options = asked.options
        if asked.run is not None and options.split == "test" and not options.fold:
            raise InputError(
                f"{asked.run.folder}: the search would be on split test, expected what "
                "no score is told of; name another by split=NAME"
            )
        set_up_cpu(options.num_threads)
        self.loaded = load_checkpoint(asked.checkpoint, options.trust)
        # Without the rescoring, which is tuned by itself.
        decoding = DecodeOptions(decoder=options.decoder, trust=options.trust)
        decoder = build_decoder(decoding, self.loaded, warn=False)
        if not isinstance(decoder, TunableDecoder):
            raise InputError(
                f"decoder is {type(decoder).__name__}, which has no weights to "
                "tune; choose decoder=prefix_beam or flashlight"
            )
        decoder.fit(self.loaded.tokenizer)  # what it reads is shared from here on
        self.asked = decoder
        self.model = digest_weights(self.loaded.model)
        split = asked.read_split()
        warn_if_heard(self.loaded.metadata, options)
        scored = score_utterances(self.loaded, split.utterances, options)
        self.whole = Scored(
            list(show_minutes(scored, split.utterances, "tune: acoustic model"))
        )
        if not self.whole.num_words:
            raise InputError(
                f"{split.corpus} {split.name}: its transcripts hold no word, expected "
                "some to count errors in; name another by split=NAME"
            )
        self.sample = self.whole.sample(options.sample_words)
        self.title = (
            f"{split.corpus} {split.name}: {len(self.whole.references)} utterances, "
            f"{self.whole.num_words} words"
        )
        self.origin = {
            "corpus": split.corpus,
            "split": split.name,
            "checkpoint": str(asked.checkpoint),
            "decoder": options.decoder.to_plain(),
            "speechgru": __version__,
        }

    def with_weights(
        self,
        lm_weight: float | None = None,
        word_score: float | None = None,
        beam_size: int | None = None,
        num_best: int = 1,
    ) -> TunableDecoder:
        """The decoder with other weights and sizes than were asked for."""
        asked = self.asked
        decoder = asked.adjusted(
            asked.lm_weight if lm_weight is None else lm_weight,
            asked.word_score if word_score is None else word_score,
            beam_size or asked.beam_size,
            num_best,
        )
        decoder.fit(self.loaded.tokenizer)
        return decoder

    def decode(
        self,
        decoder: TunableDecoder,
        scored: Scored,
        advance: Callable[[float], None] = lambda share: None,
    ) -> list[Hypothesis]:
        """Decode some utterances, or the whole.

        Args:
            decoder: with the weights to try.
            scored: what to decode.
            advance: is told what share of the whole has been decoded since the last
                call.
        """
        seconds_per_frame = self.loaded.model.seconds_per_frame
        hypotheses: list[Hypothesis] = []
        for batch in scored.batches:
            hypotheses += decoder(
                batch.log_probs, batch.lengths, self.loaded.tokenizer, seconds_per_frame
            )
            advance(int(batch.lengths.sum()) / self.whole.num_frames)
        return hypotheses

    def try_weights(
        self,
        scored: Scored,
        lm_weight: float,
        word_score: float,
        beam_size: int | None = None,
        advance: Callable[[float], None] = lambda share: None,
    ) -> Trial:
        """Decode some utterances and count the errors; see `decode`."""
        decoder = self.with_weights(lm_weight, word_score, beam_size)
        started = time.process_time()
        hypotheses = self.decode(decoder, scored, advance)
        seconds = time.process_time() - started
        edits = count_edits(
            scored.references, [hypothesis.text for hypothesis in hypotheses]
        )
        return Trial(
            lm_weight, word_score, decoder.beam_size, edits, scored.num_words, seconds
        )

    def calibrate(
        self, best: Trial, advance: Callable[[float], None] = lambda share: None
    ) -> tuple[Trust, Trust]:
        """Learn confidences with the best weights; see `find_trust`."""
        decoder = self.with_weights(
            best.lm_weight, best.word_score, num_best=self.asked.beam_size
        )
        return find_trust(
            self.whole.references, self.decode(decoder, self.whole, advance)
        )


def count_edits(references: Sequence[str], texts: Sequence[str]) -> int:
    """Count the word errors of a text for each reference."""
    return sum(
        count_word_errors(reference, text).edits
        for reference, text in zip(references, texts, strict=True)
    )
