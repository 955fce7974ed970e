"""Decoding a split again and again, to learn which weights suit it."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from speechgru import __version__
from speechgru.checkpoint.identity import digest_weights
from speechgru.checkpoint.load import load_checkpoint
from speechgru.decode.n_best import vote
from speechgru.evaluation.posteriors import (
    read_split,
    score_utterances,
    show_minutes,
    warn_if_heard,
)
from speechgru.factory import build_decoder
from speechgru.interfaces import Hypothesis, InputError, TunableDecoder
from speechgru.options.evaluation import DecodeOptions, TuneOptions
from speechgru.score.calibration import Calibration, calibrate, judge_words
from speechgru.score.counts import count_word_errors
from speechgru.score.results import Result, make_result
from speechgru.threads import set_up_cpu

SCALES = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0)
"""Of the scores behind confidences; the most probable on dev is kept."""


@dataclass(frozen=True)
class Trial:
    """What some weights came to.

    Attributes:
        lm_weight, word_score: as in `BeamDecoder`.
        beam_size: likewise.
        edits: word errors.
        cpu_seconds: of decoding.
    """

    lm_weight: float
    word_score: float
    beam_size: int
    edits: int
    cpu_seconds: float


@dataclass(frozen=True)
class Trust:
    """How far confidences can be trusted with one scale.

    Attributes:
        calibration: of the words.
        surprise: mean negative natural log-probability that the confidences give
            to what words were, right or wrong.
    """

    calibration: Calibration
    surprise: float


class Tuning:
    """The model's log-probabilities of a split, to be decoded again and again.

    Args:
        checkpoint: of the acoustic model, which runs once.
        options: of the command.

    Raises:
        InputError: the decoder has no weights.
    """

    def __init__(self, checkpoint: str, options: TuneOptions) -> None:
        set_up_cpu(options.num_threads)
        self.loaded = load_checkpoint(checkpoint, options.trust)
        # Without the rescoring, which is tuned by itself.
        asked = DecodeOptions(decoder=options.decoder, trust=options.trust)
        decoder = build_decoder(asked, self.loaded, warn=False)
        if not isinstance(decoder, TunableDecoder):
            raise InputError(
                f"decoder is {type(decoder).__name__}, which has no weights to "
                "tune; choose decoder=prefix_beam or flashlight"
            )
        decoder.fit(self.loaded.tokenizer)  # what it reads is shared from here on
        self.asked = decoder
        self.model = digest_weights(self.loaded.model)
        split = read_split(options)
        warn_if_heard(self.loaded.metadata, options)
        scored = score_utterances(self.loaded, split.utterances, options)
        self.batches = list(
            show_minutes(scored, split.utterances, "tune: acoustic model")
        )
        self.references = [text for batch in self.batches for text in batch.references]
        self.num_words = sum(len(text.split()) for text in self.references)
        self.num_frames = sum(int(batch.lengths.sum()) for batch in self.batches)
        self.title = (
            f"{split.corpus} {split.name}: {len(self.references)} utterances, "
            f"{self.num_words} words"
        )
        self.origin = {
            "corpus": split.corpus,
            "split": split.name,
            "checkpoint": checkpoint,
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
        advance: Callable[[float], None] = lambda share: None,
    ) -> list[Hypothesis]:
        """Decode everything.

        Args:
            decoder: with the weights to try.
            advance: is told what share of it has been decoded since the last call.
        """
        seconds_per_frame = self.loaded.model.seconds_per_frame
        hypotheses: list[Hypothesis] = []
        for batch in self.batches:
            hypotheses += decoder(
                batch.log_probs, batch.lengths, self.loaded.tokenizer, seconds_per_frame
            )
            advance(int(batch.lengths.sum()) / self.num_frames)
        return hypotheses

    def try_weights(
        self,
        lm_weight: float,
        word_score: float,
        beam_size: int | None = None,
        advance: Callable[[float], None] = lambda share: None,
    ) -> Trial:
        """Decode everything and count the errors; see `decode`."""
        decoder = self.with_weights(lm_weight, word_score, beam_size)
        started = time.process_time()
        hypotheses = self.decode(decoder, advance)
        seconds = time.process_time() - started
        edits = self.count_edits([hypothesis.text for hypothesis in hypotheses])
        return Trial(lm_weight, word_score, decoder.beam_size, edits, seconds)

    def count_edits(self, texts: Sequence[str]) -> int:
        """Count the word errors of a text for each utterance."""
        return sum(
            count_word_errors(reference, text).edits
            for reference, text in zip(self.references, texts, strict=True)
        )

    def calibrate(
        self, best: Trial, advance: Callable[[float], None] = lambda share: None
    ) -> dict[float, Trust]:
        """How far the confidences of the best weights can be trusted, by scale."""
        decoder = self.with_weights(
            best.lm_weight, best.word_score, num_best=self.asked.beam_size
        )
        hypotheses = self.decode(decoder, advance)
        trusts = {}
        for scale in SCALES:
            results = [
                _with_confidences(str(index), reference, hypothesis, scale)
                for index, (reference, hypothesis) in enumerate(
                    zip(self.references, hypotheses, strict=True)
                )
            ]
            calibration = calibrate(results)
            if calibration is None:
                raise InputError(
                    "no word was heard with the best weights, expected some; check the "
                    "checkpoint by speechgru evaluate, without a language model"
                )
            trusts[scale] = Trust(calibration, _surprise(results))
        return trusts


def scores_of(hypothesis: Hypothesis) -> dict[str, float]:
    """Those of its texts, the best first, as `vote` and `Rescoring` take them."""
    others = {each.text: each.score for each in hypothesis.alternatives}
    return {hypothesis.text: hypothesis.score, **others}


def _with_confidences(
    id: str, reference: str, hypothesis: Hypothesis, scale: float
) -> Result:
    shares = vote(scores_of(hypothesis), scale)
    words = tuple(
        replace(word, confidence=share)
        for word, share in zip(hypothesis.words, shares, strict=True)
    )
    return make_result(id, reference, hypothesis.text, "levenshtein", words=words)


def _surprise(results: Sequence[Result]) -> float:
    judged = [pair for result in results for pair in judge_words(result)]
    chances = [chance if is_right else 1 - chance for chance, is_right in judged]
    # No search can be surer than this.
    return -math.fsum(math.log(max(chance, 1e-3)) for chance in chances) / len(chances)
