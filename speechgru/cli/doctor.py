"""`speechgru doctor`: what is wrong with a corpus, before training finds out."""

from collections.abc import Sequence

from speechgru.cli.config import read_command_line
from speechgru.options import DoctorOptions

USAGE = """
usage: speechgru doctor corpus=NAME [KEY=VALUE ...]

Examine every utterance of a prepared corpus: files, rates, durations,
transcripts, tokens, and whether CTC can align them. Exits with 1 if any
problem is found.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = read_command_line(DoctorOptions, arguments, USAGE, (0, 0)).options
    from speechgru.checkpoint.build import build
    from speechgru.data.utterances import join, texts_of
    from speechgru.data.validation.examine import examine
    from speechgru.factory import build_augment, build_corpus, build_tokenizer
    from speechgru.training.validation import on_integers

    trust = options.trust
    corpus = build_corpus(options.corpus, trust)
    splits = {split: corpus.read(split) for split in corpus.splits}
    features = build(options.features.to_plain(), "features", trust)
    subsampling = build(
        options.subsampling.to_plain(),
        "subsampling",
        trust,
        input_size=features.output_size,
    )
    augment = build_augment(options.augment, trust, features.sample_rate)
    # Without a split to train on, the transcripts that there are give the tokens.
    train = splits.get("train") or join(*splits.values())
    if "train" not in splits and options.text.options.get("alphabet") is None:
        print(
            f"no split train: the tokens are those of {', '.join(splits)} itself, so "
            "that no character can be unknown; add corpus.train=PATH"
        )
    diagnosis = examine(
        splits,
        build_tokenizer(options.text, texts_of(train), trust),
        features.sample_rate,
        options.data.resample,
        on_integers(
            lambda lengths: subsampling.output_lengths(features.output_lengths(lengths))
        ),
        augment.shortest,
    )
    print(diagnosis.report())
    return 1 if diagnosis.problems else 0
