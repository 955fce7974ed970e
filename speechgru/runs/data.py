"""What a run was trained and validated on, read again and held to its inventory."""

from collections.abc import Mapping, Sequence

import numpy as np

from speechgru.data.folds import read_cut
from speechgru.data.inventory import (
    ALL,
    Record,
    by_id,
    find_differences,
    read_inventory,
    record_texts,
    record_utterances,
)
from speechgru.data.source import Source
from speechgru.data.utterances import select
from speechgru.factory import build_corpus
from speechgru.interfaces import InputError, Utterance
from speechgru.run_files import INVENTORY_FILE, SKIPPED_FILE
from speechgru.runs.known import KnownRun
from speechgru.training.validation import leave_out, take_part

Cut = tuple[Sequence[Utterance], Sequence[Utterance], Source]
"""What is trained on, what is held out, and the corpus that both are of."""


def hold_to_run(run: KnownRun, role: str, utterances: Sequence[Utterance]) -> None:
    """See that utterances are those that a run had, with the same sound.

    What the run left out of them (data.max_dev, data.on_error=skip) may be there.

    Args:
        run: the run; an old one does not say what it had.
        role: "train" or "dev", of the run.
        utterances: as they are now.

    Raises:
        InputError: some are missing, new or others.
    """
    before = _recorded(run, role)
    if not before:
        return
    if _is_part(run, role):
        before = {id: record for id, record in before.items() if id != ALL}
        utterances = _known_of(utterances, before)
    now = record_utterances(utterances, before)
    _compare(run, {role: [*before.values()]}, {role: now})


def read_train_texts(run: KnownRun, fold: str | None, trust: Sequence[str] = ()) -> Cut:
    """Read the utterances that a run was trained on, for their texts.

    Args:
        run: the run.
        fold: e.g. "1/4", that of the run or another one; None: the splits as they are.
        trust: modules of the user's own.

    Returns:
        Those trained on; those held out, none if they cannot be read; the corpus.

    Raises:
        InputError: they cannot be read, or say something else than they did.
    """
    data = run.options.data
    with run.explaining():
        corpus = build_corpus(run.corpus, trust)
        train, dev = read_cut(corpus, fold, data.train_split, data.dev_split)
    if fold == data.fold:
        train = take_part(train, data, "train")
        left = leave_out({"train": train}, run.folder / SKIPPED_FILE)
        train = left["train"]
        known = _recorded(run, "train")
        # Of very many only some are written down; a language model has other texts.
        if known and ALL not in known and not data.texts:
            before = [_text_only(record) for record in known.values()]
            _compare(run, {"train": before}, {"train": _texts_of(train)})
    return train, dev, corpus


def _compare(
    run: KnownRun, before: Mapping[str, list[Record]], now: Mapping[str, list[Record]]
) -> None:
    differences = find_differences(dict(before), dict(now))
    if differences:
        listed = "\n".join(differences)
        raise InputError(
            f"{run.folder}: the corpus is not what it was\n{listed}\n"
            "bring it back, say where it is by data_dir=FOLDER, or name what there is "
            "as another corpus, by corpus=NAME"
        )


def _recorded(run: KnownRun, role: str) -> Mapping[str, Record]:
    path = run.folder / INVENTORY_FILE
    return by_id(read_inventory(path).get(role, [])) if path.exists() else {}


def _is_part(run: KnownRun, role: str) -> bool:
    data = run.options.data
    of_train = (data.train_hours, data.max_train)
    wanted = of_train if role == "train" else (data.max_dev,)
    return any(wanted) or (run.folder / SKIPPED_FILE).exists()


def _known_of(
    utterances: Sequence[Utterance], before: Mapping[str, Record]
) -> Sequence[Utterance]:
    known = [index for index, each in enumerate(utterances) if each.id in before]
    return select(utterances, np.array(known, dtype=np.int64))


def _texts_of(utterances: Sequence[Utterance]) -> list[Record]:
    return record_texts([(each.id, each.text) for each in utterances])


def _text_only(record: Record) -> Record:
    return {"id": record["id"], "text": record.get("text")}
