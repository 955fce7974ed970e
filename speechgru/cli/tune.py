"""`speechgru tune`: how much a language model should count."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

from tqdm import tqdm

from speechgru.cli.config import load_text_scorer, read_command_line
from speechgru.cli.trials import Trial, Tuning, scores_of
from speechgru.decode.n_best import CachedScorer, Rescoring
from speechgru.files import replace_file
from speechgru.interfaces import InputError
from speechgru.lm.weights import RESCORE, weights_path, write_weights
from speechgru.score.summary import percent
from speechgru.score.tuning import draw_tuning

USAGE = """
usage: speechgru tune CHECKPOINT corpus=NAME decoder.lm=FILE.arpa [KEY=VALUE ...]

Search the weights of a language model for the lowest word error rate on dev. The
acoustic model runs once. The best weights are kept beside the language model, where
the decoder finds them; a picture shows all that were tried.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line("tune", arguments, USAGE, (1, 1))
    config = line.config
    if config["rescore"] is not None:
        return tune_rescoring(config, line.positional[0])
    lm = config["decoder"].get("lm")
    if lm is None:
        raise InputError(
            "decoder.lm is not set, expected the language model to tune; make one by "
            "speechgru lm, and choose decoder=prefix_beam or beam"
        )
    tuning = Tuning(line.positional[0], config)
    use = tuning.decoder.name
    output = Path(config["output"] or weights_path(lm, use).with_suffix(".png"))
    word_scores = config["word_scores"]
    if not tuning.decoder.scores_words(tuning.loaded.tokenizer):
        print(f"decoder={use} has no word_score without a lexicon: it stays 0")
        word_scores = [0.0]
    pairs = list(product(config["lm_weights"], word_scores))
    trials = [
        tuning.try_weights(float(lm_weight), float(word_score))
        for lm_weight, word_score in tqdm(
            pairs, desc="weights", unit=" pairs", disable=None
        )
    ]
    best = min(trials, key=lambda trial: (trial.edits, trial.lm_weight))
    beams = [
        tuning.try_weights(best.lm_weight, best.word_score, beam_size)
        for beam_size in config["beam_sizes"]
    ]
    calibrations = tuning.calibrate(best)
    scale = min(calibrations, key=lambda scale: calibrations[scale].surprise)
    num_words = tuning.num_words
    print(tuning.title)
    print(describe(trials, beams, num_words, len(tuning.references)))
    print(
        f"best: lm_weight={best.lm_weight:g} word_score={best.word_score:g}, WER "
        f"{percent(best.edits / num_words)} %"
        + remark_edge(best.lm_weight, config["lm_weights"], "lm_weights")
        + remark_edge(best.word_score, word_scores, "word_scores")
    )
    before, after = (calibrations[each].calibration for each in (1.0, scale))
    print(
        f"confidence_scale={scale:g}: expected calibration error "
        f"{percent(after.error)} %, unscaled {percent(before.error)} %"
    )
    surface = {
        (trial.lm_weight, trial.word_score): trial.edits / num_words for trial in trials
    }
    replace_file(output, draw_tuning(surface, before, after))
    written = write_weights(
        lm,
        use,
        {
            "lm_weight": best.lm_weight,
            "word_score": best.word_score,
            "confidence_scale": scale,
        },
        {
            **tuning.origin,
            "wer": best.edits / num_words,
            "trials": [asdict(trial) for trial in [*trials, *beams]],
        },
    )
    print(f"weights: {written}\npicture: {output}")
    return 0


def tune_rescoring(config: Mapping[str, Any], checkpoint: str) -> int:
    """Search the weight of a language model behind the search, as it is tuned."""
    scorer = load_text_scorer(config)
    tuning = Tuning(checkpoint, config)
    num_texts = min(config["rescore_texts"], config["decoder"]["beam_size"])
    tuning.change(num_best=num_texts)
    scores = [scores_of(hypothesis) for hypothesis in tuning.decode()]
    # Scored once, whatever the weight.
    cached = CachedScorer(scorer)
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
    written = write_weights(
        config["rescore"],
        RESCORE,
        {"rescore_weight": float(best)},
        {**tuning.origin, "wer": edits[best] / tuning.num_words},
    )
    remark = "" if best else ": it does not help here"
    print(f"best: rescore_weight={best:g}{remark}\nweights: {written}")
    return 0


def remark_edge(best: float, tried: Sequence[float], option: str) -> str:
    """What to do where nothing beyond the best value was tried."""
    if len(tried) < 2 or min(tried) < best < max(tried):
        return ""
    return f"; {best:g} is at the edge of {option}, try others beyond it"


def describe(
    trials: Sequence[Trial],
    beams: Sequence[Trial],
    num_words: int,
    num_utterances: int,
) -> str:
    """A table of the weights, and one of the sizes of the beam."""
    word_scores = sorted({trial.word_score for trial in trials})
    edits = {(trial.lm_weight, trial.word_score): trial.edits for trial in trials}
    lines = [
        "WER, %; by lm_weight (down) and word_score (across)",
        " " * 6 + "".join(f"{word_score:8g}" for word_score in word_scores),
    ]
    for lm_weight in sorted({trial.lm_weight for trial in trials}):
        rates = [edits[lm_weight, score] / num_words for score in word_scores]
        lines.append(f"{lm_weight:6g}" + "".join(f"{percent(r):>8}" for r in rates))
    lines += ["beam_size   WER, %   utterances per CPU second"]
    lines += [
        f"{trial.beam_size:9}   {percent(trial.edits / num_words):>6}   "
        f"{num_utterances / trial.cpu_seconds:8.1f}"
        for trial in beams
    ]
    return "\n".join(lines)
