"""`speechgru doctor`: what is wrong with a corpus, before training finds out."""

from collections.abc import Sequence

from speechgru.cli.config import read_command_line
from speechgru.files import printable
from speechgru.options import DoctorOptions

USAGE = """
usage: speechgru doctor corpus=NAME [KEY=VALUE ...]

Examine every utterance of a prepared corpus: files, rates, durations, loudness,
transcripts, tokens, whether CTC can align them, and what splits have in common.
Exits with 1 if any problem is found; notes are none. Killed and started again, it
goes on where it was.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = read_command_line(DoctorOptions, arguments, USAGE, (0, 0)).options
    from speechgru.checkpoint.build import build
    from speechgru.data.utterances import join, texts_of
    from speechgru.data.validation.examine import examine
    from speechgru.data.validation.limits import Limits
    from speechgru.factory import build_augment, build_corpus, build_tokenizer
    from speechgru.report.doctor import check_outputs, write_outputs
    from speechgru.training.validation import find_cache, on_integers

    trust = options.trust
    corpus = build_corpus(options.corpus, trust)
    splits = {split: corpus.read(split) for split in corpus.splits}
    check_outputs(options, splits)  # before hours of work, not behind them
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
        find_cache(options.corpus),
        Limits(**options.limits.to_plain()),
        options.data.batch_seconds,
    )
    written = write_outputs(options, diagnosis)
    print(diagnosis.report())
    for line in written:
        print(printable(line))
    return 1 if diagnosis.problems else 0
