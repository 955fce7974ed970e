"""The options of the commands that read a corpus or its texts."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from speechgru.options.choices import chosen, default_data_dir
from speechgru.options.component import Component
from speechgru.options.evaluation import ReadingOptions
from speechgru.options.fields import Options, option
from speechgru.options.rules import modules
from speechgru.ranges import (
    ANY_COUNT,
    BITRATE,
    COUNT,
    DECIBELS,
    INTERVAL,
    MEGABYTES,
    ORDER,
    PROBABILITY,
    SAMPLE_RATE,
    SECONDS,
    SIZE,
    THREADS,
    Range,
)


@dataclass(frozen=True, kw_only=True)
class PrepareOptions(Options):
    """What corpus is prepared.

    Attributes:
        corpus: the corpus.
        data_dir: where corpora lie.
        trust: modules of the user's own whose classes may be built.
    """

    name: ClassVar[str] = "prepare"
    is_command: ClassVar[bool] = True

    corpus: Component
    data_dir: Path = option(make=default_data_dir)
    trust: tuple[str, ...] = option((), rule=modules)


LeftOut = Literal[
    "repeated", "shared-texts", "clipped", "silent", "edges", "quiet", "narrow", "pace",
    "scripts",
]  # fmt: skip
"""Kinds of notes that name utterances."""


@dataclass(frozen=True, kw_only=True)
class LimitOptions(Options):
    """From where on an utterance is noted; see `speechgru.data.validation.limits`.

    Attributes:
        clipped: share of the samples in flat peaks.
        silent: share of the time.
        edges: s of silence before or behind the sound.
        quiet: dBFS, the level of the sound.
        narrow: bandwidth, as a share of half the sample rate.
        pace: deviations of the characters per second from their median.
        script: share of a split's utterances; rarer scripts are noted.
    """

    name: ClassVar[str] = "limits"

    clipped: float = option(0.001, within=PROBABILITY)
    silent: float = option(0.7, within=PROBABILITY)
    edges: float = option(1.5, within=INTERVAL)
    quiet: float = option(-45.0, within=DECIBELS)
    narrow: float = option(0.65, within=PROBABILITY)
    pace: float = option(5.0, within=Range(0, 1000, above=True))
    script: float = option(0.05, within=PROBABILITY)


@dataclass(frozen=True, kw_only=True)
class ExaminedDataOptions(ReadingOptions):
    """How audio is read, and will be in training; see `ReadingOptions`.

    Attributes:
        batch_seconds: s of padded audio in a step of training, for the estimates.
    """

    batch_seconds: float = option(60.0, within=SECONDS)


@dataclass(frozen=True, kw_only=True)
class DoctorOptions(PrepareOptions):
    """How a corpus is examined; see `PrepareOptions`.

    Attributes:
        json: file for all that is found; None: no file.
        page: file of HTML with histograms; None: no page.
        fix: folder for manifests of what has no problem; None: none are written.
        leave_out: kinds of notes that are reasons to leave out of these, too.
        limits: from where on an utterance is noted.
        data: see `ExaminedDataOptions`.
        augment: waveform augmentation by name, which may shorten utterances.
        text: the tokenizer.
        features, subsampling: how many frames a recording has.
    """

    name: ClassVar[str] = "doctor"

    json: Path | None = None
    page: Path | None = None
    fix: Path | None = None
    leave_out: tuple[LeftOut, ...] = ()
    limits: LimitOptions = option(make=LimitOptions)
    data: ExaminedDataOptions = option(make=ExaminedDataOptions)
    augment: dict[str, Component] = option(make=dict)
    text: Component = option(make=chosen("text", "characters"))
    features: Component = option(make=chosen("features", "log_mel"))
    subsampling: Component = option(make=chosen("subsampling", "conv1d"))


@dataclass(frozen=True, kw_only=True)
class LmOptions(Options):
    """How an n-gram language model is estimated.

    Attributes:
        corpus: whose training transcripts to take, beside files of text.
        text: the tokenizer, unless a checkpoint brings one.
        data_dir: where corpora lie.
        fold: e.g. "1/4": of the splits train and dev, the speakers that data.fold
            trains on; "all": both splits.
        checkpoint: takes the tokens and the treatment of text from it.
        unit: "word" or "token": of the model, e.g. its characters.
        order: words or tokens of the longest n-grams.
        prune: for each length, how often an n-gram may occur and is dropped
            nevertheless; the last holds for all longer ones. None of one word is.
        max_words: of the vocabulary, the most frequent ones; None: all.
        output: ARPA file, or a binary one where its name ends in .ngrams; None: below
            lm/, by the corpus or first file.
        trust: modules of the user's own whose classes may be built.
    """

    name: ClassVar[str] = "lm"
    is_command: ClassVar[bool] = True

    corpus: Component | None = None
    text: Component = option(make=chosen("text", "characters"))
    data_dir: Path = option(make=default_data_dir)
    fold: str | None = None
    checkpoint: Path | None = None
    unit: Literal["word", "token"] = "word"
    order: int = option(3, within=ORDER)
    prune: tuple[int, ...] = option((0,), within=ANY_COUNT)
    max_words: int | None = option(None, within=COUNT)
    output: Path | None = None
    trust: tuple[str, ...] = option((), rule=modules)


@dataclass(frozen=True, kw_only=True)
class BooksOptions(Options):
    """How books become text for a language model.

    Attributes:
        corpus: whose transcripts, of all splits, the books must not share.
        data_dir: where corpora lie.
        without: text files whose lines they must not share, either.
        overlap: words in a row that make an overlap.
        output: text, one sentence a line; None: lm/books.txt.
        trust: modules of the user's own whose classes may be built.
    """

    name: ClassVar[str] = "books"
    is_command: ClassVar[bool] = True

    corpus: Component | None = None
    data_dir: Path = option(make=default_data_dir)
    without: tuple[str, ...] = ()
    overlap: int = option(8, within=SIZE)
    output: Path | None = None
    trust: tuple[str, ...] = option((), rule=modules)


@dataclass(frozen=True, kw_only=True)
class ShardsOptions(Options):
    """How shards are written.

    Attributes:
        format: "flac" and "wav" keep 16 bits exactly; "opus" is lossy.
        bitrate: kb/s of Opus, about.
        sample_rate: Hz; None: each recording's own.
        size: MB of a shard, about.
        shuffle: mix the utterances of each split over its shards.
    """

    name: ClassVar[str] = "shards"

    format: Literal["flac", "opus", "wav"] = "flac"
    bitrate: float = option(32.0, within=BITRATE)
    sample_rate: int | None = option(None, within=SAMPLE_RATE)
    size: float = option(100.0, within=MEGABYTES)
    shuffle: bool = True


@dataclass(frozen=True, kw_only=True)
class ConvertOptions(Options):
    """How a source becomes another.

    Attributes:
        corpus: the kind of the source, None: guessed; or what has splits of its own.
        data_dir: where corpora lie.
        output: a file or folder; None: in the working directory, named by the source.
        overwrite: what is there already.
        shards: how shards are written.
        trust_pipes: run the commands of Kaldi's wav.scp.
        trust: modules of the user's own whose classes may be built.
    """

    name: ClassVar[str] = "convert"
    is_command: ClassVar[bool] = True

    corpus: Component | None = None
    data_dir: Path = option(make=default_data_dir)
    output: Path | None = None
    overwrite: bool = False
    shards: ShardsOptions = option(make=ShardsOptions)
    trust_pipes: bool = False
    trust: tuple[str, ...] = option((), rule=modules)


@dataclass(frozen=True, kw_only=True)
class CutOptions(Options):
    """How recordings in which words were found are cut into utterances.

    Attributes:
        output: manifest; None: in the working directory, by the name of the first file.
        overwrite: what is there already.
        max_seconds: s, of an utterance.
        pause: s without a word in which may be cut.
        margin: s that are kept around the words; of a pause at most half.
        min_confidence: of an utterance; 0: all are kept.
    """

    name: ClassVar[str] = "cut"
    is_command: ClassVar[bool] = True

    output: Path | None = None
    overwrite: bool = False
    max_seconds: float = option(15.0, within=SECONDS)
    pause: float = option(0.3, within=INTERVAL)
    margin: float = option(0.25, within=INTERVAL)
    min_confidence: float = option(0.0, within=PROBABILITY)


@dataclass(frozen=True, kw_only=True)
class ShardOptions(PrepareOptions):
    """What corpus is written to shards, and how; see `PrepareOptions`.

    Attributes:
        output: folder of the shards; None: below data_dir/shards, by the name of the
            corpus.
        splits: of the corpus; (): all.
        shards: see `ShardsOptions`.
        on_error: "skip": list and leave out what cannot be read.
        processes: None: one for each core.
    """

    name: ClassVar[str] = "shard"

    output: Path | None = None
    splits: tuple[str, ...] = ()
    shards: ShardsOptions = option(make=ShardsOptions)
    on_error: Literal["raise", "skip"] = "raise"
    processes: int | None = option(None, within=THREADS)
