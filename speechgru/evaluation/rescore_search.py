"""The search for the weight of a language model that rescores."""

from speechgru.checkpoint.chosen import find_checkpoint
from speechgru.decode.n_best import CachedScorer, Rescoring
from speechgru.evaluation.asked import Asked
from speechgru.evaluation.kept_weights import keep_weights, set_outdated_aside
from speechgru.evaluation.trust import scores_of
from speechgru.evaluation.tuning import Tuning, count_edits
from speechgru.factory import load_text_scorer
from speechgru.interfaces import InputError
from speechgru.lm.weights import RESCORE
from speechgru.options.evaluation import TuneOptions
from speechgru.progress import Progress, track
from speechgru.score.summary import percent


def tune_rescoring(asked: Asked[TuneOptions]) -> None:
    """Search the weight of a language model behind the search, as it is tuned.

    Prints what was found, and keeps the best weight beside the language model.

    Args:
        asked: the acoustic model, the split, and options whose rescore is set.

    Raises:
        InputError: a file cannot be read.
    """
    options = asked.options
    if options.rescore is None:
        raise InputError("rescore is not set, expected a checkpoint of task=lm")
    lm = find_checkpoint(options.rescore)
    scorer = load_text_scorer(lm, options.trust)
    tuning = Tuning(asked)
    num_texts = min(options.rescore_texts, tuning.asked.beam_size)
    decoder = tuning.with_weights(num_best=num_texts)
    with Progress("tune: search", 1.0, "of dev") as progress:
        hypotheses = tuning.decode(decoder, tuning.whole, progress.advance)
    scores = [scores_of(hypothesis) for hypothesis in hypotheses]
    # Scored once, whatever the weight.
    cached = CachedScorer(scorer)
    for some in track(scores, "tune: language model", "utterances"):
        cached.score_texts(list(some)[:num_texts])
    edits = {}
    for weight in options.rescore_weights:
        rescoring = Rescoring(cached, float(weight), num_texts)
        texts = [next(iter(rescoring(some))) for some in scores]
        edits[weight] = count_edits(tuning.whole.references, texts)
    best = min(edits, key=lambda weight: (edits[weight], weight))
    print(tuning.title)
    print("rescore_weight   WER, %")
    for weight, count in edits.items():
        print(f"{weight:14g}   {percent(count / tuning.whole.num_words):>6}")
    remark = "" if best else ": it does not help here"
    print(f"best: rescore_weight={best:g}{remark}")
    set_outdated_aside(lm, RESCORE)
    keep_weights(
        lm,
        RESCORE,
        {"rescore_weight": float(best)},
        {**tuning.origin, "wer": edits[best] / tuning.whole.num_words},
        tuning.model,
    )
