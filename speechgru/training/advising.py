"""What `speechgru advise` does."""

from dataclasses import replace

from speechgru.advice.facts import gather_facts
from speechgru.advice.in_words import describe_advice
from speechgru.advice.recommend import recommend
from speechgru.data.folds import read_cut
from speechgru.factory import build_corpus
from speechgru.options.advising import AdviseOptions
from speechgru.training.epoch_cost import measure_epoch


def advise(options: AdviseOptions) -> list[str]:
    """Recommend a recipe for a corpus, and say what it costs here.

    Returns:
        Lines for people.

    Raises:
        InputError: the corpus cannot be read or trained on.
    """
    corpus = build_corpus(options.corpus, options.trust)
    train, dev = read_cut(corpus, options.fold)
    advice = recommend(gather_facts(train), train, options.corpus)
    cost = []
    if options.steps is not None:
        asked = advice.options.trainer
        training = replace(
            advice.options,
            trust=options.trust,
            trainer=replace(
                options.trainer, precision=asked.precision, max_epochs=asked.max_epochs
            ),
        )
        measured = measure_epoch(training, {"train": train, "dev": dev}, options.steps)
        cost = measured.describe(asked.max_epochs)
    lines = describe_advice(advice, cost)
    if not len(dev):
        lines += [
            "",
            "nothing is held out to choose the best checkpoint by: set corpus.dev, "
            "hold speakers out by fold=1/4, or let speechgru new divide the recordings",
        ]
    return lines
