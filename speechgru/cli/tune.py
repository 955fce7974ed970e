"""`speechgru tune`: how much a language model should count."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import speechgru
from speechgru.cli.acoustics import read_split, score_utterances
from speechgru.cli.config import (
    build_decoder,
    load_text_scorer,
    read_command_line,
    set_num_threads,
)
from speechgru.decode.beam_decoder import Rescoring, vote
from speechgru.files import replace_file
from speechgru.interfaces import Hypothesis, InputError, LanguageModel
from speechgru.lm.weights import weights_path, write_weights
from speechgru.model.checkpoint import load_checkpoint
from speechgru.score.calibration import Calibration, calibrate, judge_words
from speechgru.score.error_rate import count_word_errors
from speechgru.score.results import Result, make_result
from speechgru.score.summary import percent
from speechgru.score.tuning import draw_tuning

USAGE = """
usage: speechgru tune CHECKPOINT corpus=NAME decoder.lm=FILE.arpa [KEY=VALUE ...]

Search the weights of a language model for the lowest word error rate on dev. The
acoustic model runs once. The best weights are kept beside the language model, where
decoders find them; a picture shows all that were tried.
"""

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
    for option in ("lm_weights", "word_scores", "beam_sizes"):
        if not config[option]:
            raise InputError(f"{option} is empty, expected at least one value to try")
    output = Path(config["output"] or weights_path(lm).with_suffix(".png"))
    tuning = Tuning(line.positional[0], config)
    trials = [
        tuning.try_weights(lm_weight, word_score)
        for lm_weight in config["lm_weights"]
        for word_score in config["word_scores"]
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
    if not config["rescore_weights"]:
        raise InputError("rescore_weights is empty, expected at least one value to try")
    scorer = load_text_scorer(config)
    tuning = Tuning(checkpoint, config)
    num_texts = min(config["rescore_texts"], config["decoder"]["beam_size"])
    hypotheses = tuning.decode(num_best=num_texts)
    scores = [_scores(hypothesis) for hypothesis in hypotheses]
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
        {"rescore_weight": float(best)},
        {**tuning.origin, "wer": edits[best] / tuning.num_words},
    )
    print(f"best: rescore_weight={best:g}\nweights: {written}")
    return 0


class CachedScorer:
    """A language model that scores each text once."""

    def __init__(self, lm: LanguageModel) -> None:
        self.lm = lm
        self._scores: dict[str, float] = {}

    def score_texts(self, texts: Sequence[str]) -> list[float]:
        """See `LanguageModel`."""
        new = [text for text in texts if text not in self._scores]
        self._scores |= dict(zip(new, self.lm.score_texts(new), strict=True))
        return [self._scores[text] for text in texts]


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
    """

    def __init__(self, checkpoint: str, config: Mapping[str, Any]) -> None:
        set_num_threads(config["num_threads"])
        self.config = config
        self.loaded = load_checkpoint(checkpoint, config["trust"])
        corpus, split, utterances = read_split(config)
        self.batches = list(score_utterances(self.loaded, utterances, config))
        self.references = [text for batch in self.batches for text in batch.references]
        self.num_words = sum(len(text.split()) for text in self.references)
        self.title = (
            f"{corpus} {split}: {len(self.references)} utterances, "
            f"{self.num_words} words"
        )
        self.origin = {
            "corpus": corpus,
            "split": split,
            "checkpoint": checkpoint,
            "decoder": config["decoder"],
            "speechgru": speechgru.__version__,
        }

    def decode(self, **options: Any) -> list[Hypothesis]:
        """Decode everything with some options of the decoder changed."""
        changed = {**self.config["decoder"], **options}
        # Without the rescoring, which is tuned by itself.
        decoder = build_decoder({"decoder": changed, "trust": self.config["trust"]})
        seconds_per_frame = self.loaded.model.seconds_per_frame
        return [
            hypothesis
            for batch in self.batches
            for hypothesis in decoder(
                batch.log_probs, batch.lengths, self.loaded.tokenizer, seconds_per_frame
            )
        ]

    def try_weights(
        self, lm_weight: float, word_score: float, beam_size: int | None = None
    ) -> Trial:
        """Decode everything and count the errors."""
        beam_size = beam_size or self.config["decoder"]["beam_size"]
        started = time.process_time()
        hypotheses = self.decode(
            lm_weight=float(lm_weight),
            word_score=float(word_score),
            beam_size=beam_size,
            num_best=1,
        )
        seconds = time.process_time() - started
        edits = self.count_edits([hypothesis.text for hypothesis in hypotheses])
        return Trial(lm_weight, word_score, beam_size, edits, seconds)

    def count_edits(self, texts: Sequence[str]) -> int:
        """Count the word errors of a text for each utterance."""
        return sum(
            count_word_errors(reference, text).edits
            for reference, text in zip(self.references, texts, strict=True)
        )

    def calibrate(self, best: Trial) -> dict[float, Trust]:
        """How far the confidences of the best weights can be trusted, by scale."""
        hypotheses = self.decode(
            lm_weight=float(best.lm_weight),
            word_score=float(best.word_score),
            num_best=self.config["decoder"]["beam_size"],
        )
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


def _scores(hypothesis: Hypothesis) -> dict[str, list[float]]:
    """Those of its texts, the best first, as `vote` and `Rescoring` take them."""
    texts = (hypothesis, *hypothesis.alternatives)
    return {each.text: [each.score] for each in texts}


def _with_confidences(
    id: str, reference: str, hypothesis: Hypothesis, scale: float
) -> Result:
    shares = vote(_scores(hypothesis), scale)
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
