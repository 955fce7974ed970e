"""`speechgru tune`: how much a language model should count."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from speechgru.checkpoint.build import find_class
from speechgru.cli.config import read_command_line
from speechgru.cli.stop import Stopped, stoppable
from speechgru.decode.beam import BeamDecoder
from speechgru.decode.n_best import CachedScorer, Rescoring
from speechgru.evaluation.picture import draw_tuning
from speechgru.evaluation.tune_report import (
    describe_beams,
    describe_calibration,
    describe_trials,
    remark_edge,
)
from speechgru.evaluation.tuning import Trial, Trust, Tuning, scores_of
from speechgru.factory import DECODER_ROOMS, load_text_scorer
from speechgru.files import replace_file
from speechgru.interfaces import InputError
from speechgru.lm.weights import (
    RESCORE,
    find_own,
    name_other,
    retire_outdated,
    weights_path,
    write_weights,
)
from speechgru.options import TuneOptions
from speechgru.progress import Progress, say_line, track
from speechgru.score.grid_search import GridSearch
from speechgru.score.summary import percent

USAGE = """
usage: speechgru tune CHECKPOINT corpus=NAME decoder.lm=FILE.arpa [KEY=VALUE ...]

Search the weights of a language model for the lowest word error rate on dev, from
coarse to fine. The acoustic model runs once. The best weights are kept beside the
language model, where the decoder finds them for this checkpoint; a picture shows
all that were tried. Ctrl-C ends the search and keeps the best so far.
"""

log = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(TuneOptions, arguments, USAGE, (1, 1))
    config = line.config
    if config["rescore"] is not None:
        return tune_rescoring(config, line.positional[0])
    lm = config["decoder"].get("lm")
    if lm is None:
        raise InputError(
            "decoder.lm is not set, expected the language model to tune; make one by "
            "speechgru lm, and choose decoder=prefix_beam or beam"
        )
    set_outdated_aside(config)
    tuning = Tuning(line.positional[0], config)
    use = tuning.decoder.name
    word_scores = config["word_scores"]
    if not tuning.decoder.scores_words(tuning.loaded.tokenizer):
        print(f"decoder={use} has no word_score without a lexicon: it stays 0")
        word_scores = [0.0]
    work = WeightSearch(tuning, config["lm_weights"], word_scores, config["beam_sizes"])
    status = 0
    try:
        with stoppable():
            work.run()
    except Stopped as stopped:
        status = stopped.status
        if not work.trials:
            say_line(f"{stopped}: nothing was tried yet")
            return status
        say_line(f"{stopped}: {work.say_how_far()}")
    work.report()
    work.keep(lm, Path(config["output"] or weights_path(lm, use).with_suffix(".png")))
    return status


class WeightSearch:
    """The search for the weights of a language model, which may end at any time.

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
        self.beams: list[Trial] = []
        self.trusts: dict[float, Trust] = {}
        self.is_searched = False

    @property
    def best(self) -> Trial:
        """The trial with the fewest errors so far."""
        return min(self.trials.values(), key=_order)

    @property
    def scale(self) -> float:
        """Of the confidences: the most probable one, if it was sought."""
        trusts = self.trusts
        return min(trusts, key=lambda each: trusts[each].surprise) if trusts else 1.0

    def run(self) -> None:
        """Try weights, then sizes of the beam, then calibrate the confidences."""
        behind = len(self.beam_sizes) + 1
        with Progress("tune", None, "decodings of dev") as progress:
            self._progress = progress
            for number, pairs in enumerate(self.grid.run(self._try)):
                if number == 0 and self.grid.num_pairs > 1:
                    say_line(
                        f"{self.grid.num_pairs} combinations of lm_weight and "
                        f"word_score: {len(pairs)} of them first, then those around "
                        f"the best; then {len(self.beam_sizes)} sizes of the beam"
                    )
                # As many around the best as at first, or so.
                around = len(pairs) if number == 0 else 0
                planned = len(self.trials) + len(pairs) + around + behind
                progress.expect(float(planned))
            self.is_searched = True
            progress.expect(float(len(self.trials) + behind))
            self.beams = [self._try_size(size) for size in self.beam_sizes]
            self.trusts = self.tuning.calibrate(self.best, self._advance)

    def say_how_far(self) -> str:
        """What was done before the end."""
        if not self.is_searched:
            return f"{len(self.trials)} of {self.grid.num_pairs} combinations tried"
        return "all combinations tried, confidences not calibrated"

    def report(self) -> None:
        """Print what was found."""
        tuning, best, num_words = self.tuning, self.best, self.tuning.num_words
        print(tuning.title)
        print(describe_trials([*self.trials.values()], num_words))
        if self.beams:
            print(describe_beams(self.beams, num_words, len(tuning.references)))
        found = (
            f"best: lm_weight={best.lm_weight:g} word_score={best.word_score:g}, WER "
            f"{percent(best.edits / num_words)} %"
        )
        if self.is_searched:
            found += remark_edge(best.lm_weight, self.grid.firsts, "lm_weights")
            found += remark_edge(best.word_score, self.grid.seconds, "word_scores")
        print(found)
        if self.trusts:
            print(describe_calibration(self.trusts, self.scale))
        else:
            print("confidences are not calibrated: the search was ended before")

    def keep(self, lm: str, picture: Path) -> None:
        """Write the weights beside the language model, and the picture."""
        tuning, best = self.tuning, self.best
        wer = best.edits / tuning.num_words
        use = tuning.decoder.name
        before = find_own(lm, use, tuning.model)
        if before is not None and before["is_whole"] and not self.is_searched:
            print(f"weights: {weights_path(lm, use)} keeps those of a whole search")
            return
        surface = {
            pair: trial.edits / tuning.num_words for pair, trial in self.trials.items()
        }
        trusts = self.trusts
        shown = [trusts[each].calibration for each in (1.0, self.scale) if trusts]
        replace_file(picture, draw_tuning(surface, *shown))
        weights = {
            "lm_weight": best.lm_weight,
            "word_score": best.word_score,
            "confidence_scale": self.scale,
        }
        trials = [asdict(trial) for trial in [*self.trials.values(), *self.beams]]
        origin = {**tuning.origin, "wer": wer, "is_whole": self.is_searched}
        keep_weights(lm, use, weights, {**origin, "trials": trials}, tuning.model)
        print(f"picture: {picture}")

    def _try(self, lm_weight: float, word_score: float) -> int:
        trial = self.tuning.try_weights(lm_weight, word_score, None, self._advance)
        self.trials[lm_weight, word_score] = trial
        return trial.edits

    def _try_size(self, beam_size: int) -> Trial:
        best = self.best
        if beam_size == best.beam_size:
            self._advance(1.0)
            return best
        return self.tuning.try_weights(
            best.lm_weight, best.word_score, beam_size, self._advance
        )

    def _advance(self, share: float) -> None:
        self._progress.advance(share, self._describe_best)

    def _describe_best(self) -> str:
        if not self.trials:
            return ""
        best = self.best
        return (
            f"best so far: WER {percent(best.edits / self.tuning.num_words)} % with "
            f"lm_weight={best.lm_weight:g} word_score={best.word_score:g}"
        )


def _order(trial: Trial) -> tuple[int, float, float]:
    return trial.edits, trial.lm_weight, trial.word_score


def tune_rescoring(config: Mapping[str, Any], checkpoint: str) -> int:
    """Search the weight of a language model behind the search, as it is tuned."""
    scorer = load_text_scorer(config)
    tuning = Tuning(checkpoint, config)
    num_texts = min(config["rescore_texts"], config["decoder"]["beam_size"])
    tuning.change(num_best=num_texts)
    with Progress("tune: search", 1.0, "of dev") as progress:
        scores = [
            scores_of(hypothesis) for hypothesis in tuning.decode(progress.advance)
        ]
    # Scored once, whatever the weight.
    cached = CachedScorer(scorer)
    for some in track(scores, "tune: language model", "utterances"):
        cached.score_texts(list(some)[:num_texts])
    edits = {}
    for weight in config["rescore_weights"]:
        rescoring = Rescoring(cached, float(weight), num_texts)
        edits[weight] = tuning.count_edits(
            [next(iter(rescoring(some))) for some in scores]
        )
    best = min(edits, key=lambda weight: (edits[weight], weight))
    print(tuning.title)
    print("rescore_weight   WER, %")
    for weight, count in edits.items():
        print(f"{weight:14g}   {percent(count / tuning.num_words):>6}")
    remark = "" if best else ": it does not help here"
    print(f"best: rescore_weight={best:g}{remark}")
    lm = config["rescore"]
    report_retired(lm, retire_outdated(lm, RESCORE))
    keep_weights(
        lm,
        RESCORE,
        {"rescore_weight": float(best)},
        {**tuning.origin, "wer": edits[best] / tuning.num_words},
        tuning.model,
    )
    return 0


def keep_weights(
    lm: str,
    use: str,
    weights: Mapping[str, float],
    origin: Mapping[str, Any],
    model: str,
) -> None:
    """Write weights for a pair of models, and say what is kept beside them."""
    other = name_other(lm, use, model)
    written = write_weights(lm, use, weights, origin, model)
    print(f"weights: {written}")
    if other is not None:
        print(f"those that were tuned with {other} are kept there, for that checkpoint")


def set_outdated_aside(config: Mapping[str, Any]) -> None:
    """Keep weights apart that were tuned for what the language model held before."""
    lm, trust = config["decoder"]["lm"], config["trust"]
    cls = find_class(config["decoder"]["_target_"], "decoder", trust, DECODER_ROOMS)
    if issubclass(cls, BeamDecoder):
        report_retired(lm, retire_outdated(lm, cls.name))


def report_retired(lm: str, outdated: Path | None) -> None:
    """Say where weights are now that nobody can use any more."""
    if outdated is not None:
        log.warning(
            "%s has changed since it was tuned; the old weights are now %s",
            lm, outdated,
        )  # fmt: skip
