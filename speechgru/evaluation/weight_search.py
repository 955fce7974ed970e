"""The search for the weights of a language model, from coarse to fine."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median_low

from speechgru.decode.confidence import Confidence
from speechgru.evaluation.kept_weights import keep_weights
from speechgru.evaluation.picture import draw_tuning
from speechgru.evaluation.trust import Trust, mends
from speechgru.evaluation.tune_report import (
    describe_beams,
    describe_calibration,
    describe_finals,
    describe_trials,
    remark_edge,
    remark_ties,
)
from speechgru.evaluation.tuning import Trial, Tuning
from speechgru.files import replace_file
from speechgru.lm.weights import find_own, weights_path
from speechgru.progress import Progress, say_line
from speechgru.score.grid_search import GridSearch
from speechgru.score.summary import percent

NUM_FINALS = 4
"""Weights that a sample says are the best, which then decode everything."""


class WeightSearch:
    """The search for the weights of a language model, which may end at any time.

    The grid and the sizes of the beam are tried on the sample of the tuning; the best
    weights of it, where it is not the whole, on the whole as well.

    Args:
        tuning: has the log-probabilities.
        lm_weights, word_scores: the grid.
        beam_sizes: to try with the best weights.
    """

    def __init__(
        self,
        tuning: Tuning,
        lm_weights: Sequence[float],
        word_scores: Sequence[float],
        beam_sizes: Sequence[int],
    ) -> None:
        self.tuning = tuning
        self.grid = GridSearch(lm_weights, word_scores)
        self.beam_sizes = beam_sizes
        self.trials: dict[tuple[float, float], Trial] = {}
        self.finals: list[Trial] = []
        self.beams: list[Trial] = []
        self.trusts: tuple[Trust, Trust] | None = None
        self.is_searched = False

    @property
    def best(self) -> Trial:
        """The trial with the fewest errors so far; the middle one of several."""
        return find_middle(self.tied)

    @property
    def tied(self) -> list[Trial]:
        """Trials that have the fewest errors so far."""
        trials = self.finals or [*self.trials.values()]
        fewest = min(trial.edits for trial in trials)
        return [trial for trial in trials if trial.edits == fewest]

    @property
    def is_sampled(self) -> bool:
        """Whether the weights were sought on less than the whole."""
        return self.tuning.sample is not self.tuning.whole

    @property
    def confidence(self) -> Confidence:
        """How sure the search is of its words: calibrated, if that mends it."""
        if self.trusts is None or not mends(*self.trusts):
            return Confidence()
        return self.trusts[1].confidence

    def run(self) -> None:
        """Try weights, then sizes of the beam, then calibrate the confidences."""
        sample, whole = self.tuning.sample, self.tuning.whole
        share = sample.num_frames / whole.num_frames
        finals = NUM_FINALS if self.is_sampled else 0
        behind = share * len(self.beam_sizes) + 1
        with Progress("tune", None, "decodings of dev") as progress:
            self._progress = progress
            for number, pairs in enumerate(self.grid.run(self._try)):
                if number == 0 and self.grid.num_pairs > 1:
                    say_line(self._describe_plan(len(pairs)))
                # As many around the best as at first, or so.
                around = len(pairs) if number == 0 else 0
                planned = len(self.trials) + len(pairs) + around
                progress.expect(share * planned + finals + behind)
            best = sorted(self.trials.values(), key=_order)[:finals]
            progress.expect(share * len(self.trials) + len(best) + behind)
            for trial in best:
                self.finals.append(self._decode_whole(trial))
            self.is_searched = True
            self.beams = [self._try_size(size) for size in self.beam_sizes]
            self.trusts = self.tuning.calibrate(self.best, self._advance)

    def _describe_plan(self, num_first: int) -> str:
        plan = (
            f"{self.grid.num_pairs} combinations of lm_weight and word_score: "
            f"{num_first} of them first, then those around the best"
        )
        if self.is_sampled:
            sample = self.tuning.sample
            plan += (
                f", on {len(sample.references)} utterances with {sample.num_words} "
                f"words; the best {NUM_FINALS} on all"
            )
        return f"{plan}; then {len(self.beam_sizes)} sizes of the beam"

    def say_how_far(self) -> str:
        """What was done before the end."""
        if not self.is_searched:
            tried = f"{len(self.trials)} of {self.grid.num_pairs} combinations tried"
            if self.is_sampled:
                tried += f", the best {len(self.finals)} of {NUM_FINALS} on all"
            return tried
        return "all combinations tried, confidences not calibrated"

    def report(self) -> None:
        """Print what was found."""
        tuning, best = self.tuning, self.best
        print(tuning.title)
        if self.is_sampled:
            sample = tuning.sample
            print(
                f"sought on {len(sample.references)} of them, {sample.num_words} words"
            )
        print(describe_trials([*self.trials.values()]))
        if self.finals:
            print(describe_finals(self.finals))
        if self.beams:
            print(describe_beams(self.beams, len(tuning.sample.references)))
        found = (
            f"best: lm_weight={best.lm_weight:g} word_score={best.word_score:g}, WER "
            f"{percent(best.error_rate)} %"
        )
        if self.is_searched:
            found += remark_edge(best.lm_weight, self.grid.firsts, "lm_weights")
            found += remark_edge(best.word_score, self.grid.seconds, "word_scores")
            found += remark_ties(len(self.tied), len(self.finals or self.trials))
        print(found)
        if self.trusts is not None:
            print(describe_calibration(*self.trusts))
        else:
            print("confidences are not calibrated: the search was ended before")

    def keep(self, lm: str, picture: Path) -> None:
        """Write the weights beside the language model, and the picture."""
        tuning, best = self.tuning, self.best
        wer = best.error_rate
        use = tuning.asked.name
        before = find_own(lm, use, tuning.model)
        if before is not None and before["is_whole"] and not self.is_searched:
            print(f"weights: {weights_path(lm, use)} keeps those of a whole search")
            return
        surface = {pair: trial.error_rate for pair, trial in self.trials.items()}
        shown = [trust.calibration for trust in self.trusts or ()]
        replace_file(picture, draw_tuning(surface, *shown))
        weights = {
            "lm_weight": best.lm_weight,
            "word_score": best.word_score,
            **self.confidence.weights,
        }
        trials = [
            asdict(trial)
            for trial in [*self.trials.values(), *self.finals, *self.beams]
        ]
        origin = {**tuning.origin, "wer": wer, "is_whole": self.is_searched}
        keep_weights(lm, use, weights, {**origin, "trials": trials}, tuning.model)
        print(f"picture: {picture}")

    def _try(self, lm_weight: float, word_score: float) -> int:
        trial = self.tuning.try_weights(
            self.tuning.sample, lm_weight, word_score, None, self._advance
        )
        self.trials[lm_weight, word_score] = trial
        return trial.edits

    def _decode_whole(self, trial: Trial) -> Trial:
        return self.tuning.try_weights(
            self.tuning.whole, trial.lm_weight, trial.word_score, None, self._advance
        )

    def _try_size(self, beam_size: int) -> Trial:
        best = self.trials[self.best.lm_weight, self.best.word_score]
        if beam_size == best.beam_size:
            self._advance(self.tuning.sample.num_frames / self.tuning.whole.num_frames)
            return best
        return self.tuning.try_weights(
            self.tuning.sample,
            best.lm_weight,
            best.word_score,
            beam_size,
            self._advance,
        )

    def _advance(self, share: float) -> None:
        self._progress.advance(share, self._describe_best)

    def _describe_best(self) -> str:
        if not self.trials:
            return ""
        best = self.best
        return (
            f"best so far: WER {percent(best.error_rate)} % with "
            f"lm_weight={best.lm_weight:g} word_score={best.word_score:g}"
        )


def find_middle(tied: Sequence[Trial]) -> Trial:
    """Of trials that are as good, that of median lm_weight and then word_score."""
    lm_weight = median_low({trial.lm_weight for trial in tied})
    beside = {trial.word_score: trial for trial in tied if trial.lm_weight == lm_weight}
    return beside[median_low(beside)]


def _order(trial: Trial) -> tuple[int, float, float]:
    return trial.edits, trial.lm_weight, trial.word_score
