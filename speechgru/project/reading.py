"""Reading what a project is made of."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from speechgru.data.folder import list_recordings
from speechgru.data.sources.kinds import guess_kind
from speechgru.factory import build_corpus, name_corpus
from speechgru.interfaces import InputError, Utterance
from speechgru.options.choices import choose
from speechgru.options.component import Component
from speechgru.options.making import NewOptions
from speechgru.ranges import OptionError
from speechgru.remote import locate

FOLDERS = "speechgru.data.sources.folder.FolderCorpus"

SPLITS = {"train", "training", "dev", "valid", "validation", "test", "eval"}
"""Names of folders that are no speakers."""


def read_sources(
    options: NewOptions,
) -> tuple[dict[str, Sequence[Utterance]], list[str]]:
    """Read the source, and dev and test if they are given.

    Returns:
        Utterances by split, those of the source as "train"; what was guessed, in lines.

    Raises:
        InputError: something cannot be read, or is not what it should be.
    """
    if options.source is None:
        raise OptionError(
            "source is not set, expected recordings and texts; set source=PATH of a "
            "folder, a table, a manifest or a data folder of Kaldi"
        )
    notes = []
    corpus = options.corpus
    if corpus is None:
        kind = guess_kind(options.source)
        notes.append(f"{shlex.quote(options.source)}: read by corpus={kind}")
        corpus = choose("corpus", kind)
    if "train" not in corpus.options:
        raise InputError(
            f"{options.source}: {name_corpus(corpus)} has splits of its own and needs "
            "no project; train on it by corpus=NAME, with its options"
        )
    if corpus.target == FOLDERS and corpus.options.get("speakers") is None:
        corpus, note = _guess_speakers(corpus, options.source)
        notes += note
    given = {"train": options.source, "dev": options.dev, "test": options.test}
    source = build_corpus(corpus.replace(**given), options.trust)
    return {split: source.read(split) for split in source.splits}, notes


def _guess_speakers(corpus: Component, source: str) -> tuple[Component, list[str]]:
    """Take the folders within for speakers, where all recordings lie in some."""
    root = locate(source)
    files = [Path(file).relative_to(root) for file in list_recordings(root).files]
    folders = sorted({file.parts[0] for file in files if len(file.parts) > 1})
    is_split = SPLITS & {folder.lower() for folder in folders}
    if is_split and len(folders) <= len(SPLITS):
        raise InputError(
            f"{source}: holds {', '.join(folders)}, which look like splits, expected "
            f"one folder of recordings; set source={source}/{folders[-1]} (to be "
            "trained on), dev=PATH and test=PATH"
        )
    if len(folders) < 2 or any(len(file.parts) == 1 for file in files):
        return corpus, []
    return corpus.replace(speakers="top"), [
        f"speakers: the {len(folders)} folders in it, {folders[0]} to {folders[-1]}; "
        "if these are no speakers, set corpus=folder corpus.speakers=parent, or "
        "apart=utterances"
    ]
