"""`speechgru tune`: how much a language model should count."""

from collections.abc import Sequence
from dataclasses import replace

from speechgru.cli.run_line import read_run_line
from speechgru.cli.stop import Stopped, stoppable
from speechgru.interfaces import InputError
from speechgru.options import TuneOptions
from speechgru.progress import say_line

USAGE = """
usage: speechgru tune RUN_FOLDER [decoder.lm=FILE.arpa] [KEY=VALUE ...]
       speechgru tune CHECKPOINT corpus=NAME decoder.lm=FILE.arpa [KEY=VALUE ...]

Search the weights of a language model for the lowest word error rate on dev, from
coarse to fine. The acoustic model runs once. The best weights are kept beside the
language model, where the decoder finds them for this checkpoint; a picture shows
all that were tried. Ctrl-C ends the search and keeps the best so far.

Of a run it is what that was validated on, and the language model that speechgru lm
RUN_FOLDER has made. With rescore=LM_RUN_FOLDER it is the weight of that one that is
searched, behind the search with the other as it is tuned.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line, changes = read_run_line(TuneOptions, arguments, USAGE, (1, 1))
    from speechgru.evaluation.asked import ask
    from speechgru.evaluation.kept_weights import set_outdated_aside
    from speechgru.evaluation.rescore_search import tune_rescoring
    from speechgru.evaluation.tuning import Tuning
    from speechgru.evaluation.weight_search import WeightSearch
    from speechgru.factory import name_decoder
    from speechgru.lm.weights import weights_path
    from speechgru.runs.language_models import find_language_model

    path = line.positional[0]
    asked = ask(path, line.options, changes)
    options = asked.options
    lm = options.decoder.options.get("lm")
    if lm is None and (found := find_language_model(path)) is not None:
        lm = str(found)
        options = replace(options, decoder=options.decoder.replace(lm=lm))
        asked = replace(asked, options=options)
        print(f"language model: {lm}")
    if options.rescore is not None:
        tune_rescoring(asked)
        return 0
    if lm is None:
        raise InputError(
            f"decoder.lm is not set, and {path} holds no language model to tune; set "
            f"decoder.lm=FILE; of a run, make one first: speechgru lm {path}"
        )
    use = name_decoder(options)
    set_outdated_aside(lm, use)
    tuning = Tuning(asked)
    word_scores = options.word_scores
    if not tuning.asked.scores_words(tuning.loaded.tokenizer):
        print(f"decoder={use} has no word_score without a lexicon: it stays 0")
        word_scores = (0.0,)
    work = WeightSearch(tuning, options.lm_weights, word_scores, options.beam_sizes)
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
    work.keep(lm, options.output or weights_path(lm, use).with_suffix(".png"))
    return status
