"""What `speechgru convert` does."""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from speechgru.data.convert import TARGETS, convert, ending_of
from speechgru.data.shards.encoding import Encoding
from speechgru.data.shards.report import ShardsReport
from speechgru.data.shards.writer import write_shards
from speechgru.data.sources.kinds import guess_kind
from speechgru.data.sources.pipes import run_pipes
from speechgru.factory import build_corpus, name_corpus
from speechgru.interfaces import InputError, Utterance
from speechgru.options.choices import choose
from speechgru.options.component import Component
from speechgru.options.corpus import ConvertOptions, ShardsOptions
from speechgru.progress import say_line
from speechgru.ranges import OptionError, nearest

SHARDS = "shards"
"""The target that holds sound itself, and all splits together."""

KALDI = "speechgru.data.sources.kaldi.KaldiCorpus"


def convert_source(
    source: str | None, target: str, options: ConvertOptions
) -> list[str]:
    """Write a source, or all splits of a corpus, as a target.

    Args:
        source: a path or an address; None: the splits of options.corpus.
        target: one of TARGETS, or SHARDS.
        options: of the command.

    Returns:
        Lines for people: what was written, and what the target does not hold.

    Raises:
        InputError: the source cannot be read, or not be held by the target.
    """
    targets = (*TARGETS, SHARDS)
    if target not in targets:
        if source is None and options.corpus is None:
            raise OptionError(
                f"{target}: converted to what? expected SOURCE TARGET, the latter one "
                f"of: {', '.join(targets)}"
            )
        raise OptionError(
            f"target is {target!r}, expected one of: {', '.join(targets)}"
            f"{nearest(target, targets)}"
        )
    if source is None:
        if options.corpus is None:
            raise OptionError("nothing to convert, expected a SOURCE or corpus=NAME")
        corpus = options.corpus
        output = options.output or Path(f"{name_corpus(corpus)}-{target}")
    else:
        corpus = _choose_kind(source, options)
        stem = name_after(source)
        ending = "" if target == SHARDS else ending_of(target)
        output = options.output or Path(f"{stem}{ending or f'-{target}'}")
    if options.trust_pipes:
        if source is None or corpus.target != KALDI:
            raise OptionError(
                "trust_pipes is true, expected a data folder of Kaldi as SOURCE"
            )
        stem = output.name.partition(".")[0]
        folder = output.with_name(f"{stem}-from-pipes")
        made = run_pipes(
            Path(source), corpus.options.get("root"), folder, options.overwrite
        )
        corpus = corpus.replace(train=str(made))
    built = build_corpus(corpus, options.trust)
    splits = {split: built.read(split) for split in built.splits}
    if target == SHARDS:
        report = str(shard(splits, output, options.shards)).splitlines()
        return [*_note_parts(splits), *report]
    return convert(splits, target, output, source is not None, options.overwrite)


def name_after(source: str) -> str:
    """What is made of a source is called by its name, without endings.

    >>> name_after("data/train.tsv")
    'train'
    >>> name_after("data/train-*.parquet")
    'train'
    """
    # Of several files by a pattern, what they have in common.
    name = re.split(r"[*?\[{]", Path(source.rstrip("/")).name)[0]
    return name.partition(".")[0].rstrip("-_") or "source"


def _note_parts(splits: Mapping[str, Sequence[Utterance]]) -> list[str]:
    """What shards do not keep of parts of recordings."""
    parts = sum(u.partial for utterances in splits.values() for u in utterances)
    if not parts:
        return []
    return [
        f"note: {parts} utterances were parts of recordings, which are recordings of "
        "their own in shards: no offsets"
    ]


def shard(
    splits: Mapping[str, Sequence[Utterance]],
    folder: Path,
    options: ShardsOptions,
    skip: bool = False,
    num_processes: int | None = None,
) -> ShardsReport:
    """Write splits to shards; see `write_shards`."""
    encoding = Encoding(options.format, options.bitrate, options.sample_rate)
    size, shuffle = options.size, options.shuffle
    return write_shards(folder, splits, encoding, size, shuffle, skip, num_processes)


def _choose_kind(source: str, options: ConvertOptions) -> Component:
    """The component that reads a source."""
    corpus = options.corpus
    if corpus is None:
        kind = guess_kind(source)
        say_line(f"{shlex.quote(source)}: read by corpus={kind}")
        corpus = choose("corpus", kind)
    if "train" not in corpus.options:
        raise InputError(
            f"{source}: {name_corpus(corpus)} has splits of its own, expected one of "
            "them; leave the path out, and set corpus=NAME with its options, such as "
            "corpus=shards corpus.folder=FOLDER"
        )
    return corpus.replace(train=source, dev=None, test=None)
