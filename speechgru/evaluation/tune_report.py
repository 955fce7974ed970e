"""What `speechgru tune` says of the weights that it has found."""

from collections.abc import Sequence

from speechgru.evaluation.trust import Trust, mends
from speechgru.evaluation.tuning import Trial
from speechgru.score.summary import percent

ENOUGH_WORDS = 100  # heard, to calibrate confidences with
FAR_OFF = 0.05  # expected calibration error


def remark_edge(best: float, tried: Sequence[float], option: str) -> str:
    """What to do where nothing beyond the best value was tried."""
    if len(tried) < 2 or min(tried) < best < max(tried):
        return ""
    return f"; {best:g} is at the edge of {option}, try others beyond it"


def remark_ties(num_tied: int, num_tried: int) -> str:
    """That others are as good."""
    if num_tied == 1:
        return ""
    some = "all" if num_tied == num_tried else f"{num_tied}"
    return (
        f"; {some} of {num_tried} tried have as few errors, and this is the middle of "
        "them: more of dev would tell them apart"
    )


def describe_trials(trials: Sequence[Trial]) -> str:
    """A table of the weights that were tried."""
    word_scores = sorted({trial.word_score for trial in trials})
    found = {(each.lm_weight, each.word_score): each.error_rate for each in trials}
    lines = [
        "WER, %; by lm_weight (down) and word_score (across)",
        " " * 6 + "".join(f"{word_score:8g}" for word_score in word_scores),
    ]
    for lm_weight in sorted({trial.lm_weight for trial in trials}):
        rates = [
            percent(found[lm_weight, score]) if (lm_weight, score) in found else "-"
            for score in word_scores
        ]
        lines.append(f"{lm_weight:6g}" + "".join(f"{rate:>8}" for rate in rates))
    return "\n".join(lines)


def describe_finals(finals: Sequence[Trial]) -> str:
    """A table of the best weights, which everything was decoded with."""
    lines = ["of all   lm_weight   word_score   WER, %"]
    lines += [
        f"{trial.lm_weight:18g}{trial.word_score:13g}{percent(trial.error_rate):>9}"
        for trial in finals
    ]
    return "\n".join(lines)


def describe_beams(beams: Sequence[Trial], num_utterances: int) -> str:
    """A table of the sizes of the beam."""
    lines = ["beam_size   WER, %   utterances per CPU second"]
    lines += [
        f"{trial.beam_size:9}   {percent(trial.error_rate):>6}   "
        f"{num_utterances / trial.cpu_seconds:8.1f}"
        for trial in beams
    ]
    return "\n".join(lines)


def describe_calibration(before: Trust, after: Trust) -> str:
    """How far confidences can be trusted, and whether calibrating has mended them."""
    errors = [trust.calibration.error for trust in (before, after)]
    said = (
        f"confidences: expected calibration error {percent(errors[1])} %, as searched "
        f"{percent(errors[0])} %"
    )
    if errors[1] > FAR_OFF:
        said += "; not calibrated: do not rely on them"
    elif not mends(before, after):
        said += "; not calibrated: it makes them no better"
    if after.calibration.num_words < ENOUGH_WORDS:
        said += f"; {after.calibration.num_words} words are few to calibrate with"
    return said
