"""Decoding a split again and again, to learn which weights suit it."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from speechgru import __version__
from speechgru.checkpoint.identity import digest_weights
from speechgru.checkpoint.load import load_checkpoint
from speechgru.decode.beam import BeamDecoder
from speechgru.decode.n_best import vote
from speechgru.evaluation.posteriors import (
    read_split,
    score_utterances,
    show_minutes,
    warn_if_heard,
)
from speechgru.factory import build_decoder
from speechgru.interfaces import Hypothesis, InputError
from speechgru.score.calibration import Calibration, calibrate, judge_words
from speechgru.score.error_rate import count_word_errors
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
        config: of the command.

    Raises:
        InputError: the decoder has no weights.
    """

    def __init__(self, checkpoint: str, config: Mapping[str, Any]) -> None:
        set_up_cpu(config["num_threads"])
        # Without the rescoring, which is tuned by itself.
        self.decoder = build_decoder({**config, "rescore": None})
        if not isinstance(self.decoder, BeamDecoder):
            raise InputError(
                f"decoder is {type(self.decoder).__name__}, which has no weights to "
                "tune; choose decoder=prefix_beam or beam"
            )
        self.options = {
            "lm_weight": self.decoder.lm_weight,
            "word_score": self.decoder.word_score,
            "beam_size": self.decoder.beam_size,
            "num_best": 1,
        }
        self.loaded = load_checkpoint(checkpoint, config["trust"])
        self.model = digest_weights(self.loaded.model)
        corpus, split, utterances = read_split(config)
        warn_if_heard(self.loaded.metadata, config)
        scored = score_utterances(self.loaded, utterances, config)
        self.batches = list(show_minutes(scored, utterances, "tune: acoustic model"))
        self.references = [text for batch in self.batches for text in batch.references]
        self.num_words = sum(len(text.split()) for text in self.references)
        self.num_frames = sum(int(batch.lengths.sum()) for batch in self.batches)
        self.title = (
            f"{corpus} {split}: {len(self.references)} utterances, "
            f"{self.num_words} words"
        )
        self.origin = {
            "corpus": corpus,
            "split": split,
            "checkpoint": checkpoint,
            "decoder": config["decoder"],
            "speechgru": __version__,
        }

    def change(self, **changes: Any) -> None:
        """Get ready to decode with other weights and sizes than asked for."""
        self.decoder.change(**{**self.options, **changes})
        self.decoder.fit(self.loaded.tokenizer)

    def decode(
        self, advance: Callable[[float], None] = lambda share: None
    ) -> list[Hypothesis]:
        """Decode everything.

        Args:
            advance: is told what share of it has been decoded since the last call.
        """
        seconds_per_frame = self.loaded.model.seconds_per_frame
        hypotheses: list[Hypothesis] = []
        for batch in self.batches:
            hypotheses += self.decoder(
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
        beam_size = beam_size or self.options["beam_size"]
        self.change(lm_weight=lm_weight, word_score=word_score, beam_size=beam_size)
        started = time.process_time()
        hypotheses = self.decode(advance)
        seconds = time.process_time() - started
        edits = self.count_edits([hypothesis.text for hypothesis in hypotheses])
        return Trial(lm_weight, word_score, beam_size, edits, seconds)

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
        self.change(
            lm_weight=best.lm_weight,
            word_score=best.word_score,
            num_best=self.options["beam_size"],
        )
        hypotheses = self.decode(advance)
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
    texts = (hypothesis, *hypothesis.alternatives)
    return {each.text: each.score for each in texts}


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
