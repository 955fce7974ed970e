"""What a run trains on: read, examined, and what may be skipped left out."""

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import torch

from speechgru.bounded import read_whole
from speechgru.cache import cache_folder
from speechgru.data.augment.chain import Chain
from speechgru.data.folds import read_cut
from speechgru.data.part import draw_hours
from speechgru.data.shards.checking import leave_out_broken
from speechgru.data.source import UnknownSplitError
from speechgru.data.utterances import select
from speechgru.data.validation.examine import examine
from speechgru.factory import build_corpus, name_corpus
from speechgru.files import write_json_lines
from speechgru.interfaces import InputError, Tokenizer, Utterance
from speechgru.model.acoustic import AcousticModel
from speechgru.options.component import Component
from speechgru.options.training import DataOptions, TrainOptions
from speechgru.run_files import SKIPPED_FILE
from speechgru.training.run_described import Run

log = logging.getLogger(__name__)


def read_splits(options: TrainOptions) -> dict[str, Sequence[Utterance]]:
    """Read the training and development utterances, as many as are wanted."""
    corpus, data = build_corpus(options.corpus, options.trust), options.data
    if data.fold is not None:
        train, dev = read_cut(corpus, data.fold, data.train_split, data.dev_split)
    elif data.validates_on_train:
        return _share(take_part(corpus.read(data.train_split), data, "train"), data)
    else:
        train = corpus.read(data.train_split)
        try:
            dev = corpus.read(data.dev_split)
        except UnknownSplitError as error:
            raise InputError(
                f"{error}, or hold speakers of train out: data.fold=1/4"
            ) from error
    return {
        "train": take_part(train, data, "train"),
        "dev": take_part(dev, data, "dev"),
    }


def take_part(
    utterances: Sequence[Utterance], data: DataOptions, role: Literal["train", "dev"]
) -> Sequence[Utterance]:
    """As many utterances as are wanted of what a role has."""
    most = data.max_train if role == "train" else data.max_dev
    part = utterances
    if role == "train" and data.train_hours is not None:
        part = draw_hours(part, data.train_hours)
    if most is not None and most < len(part):
        part = part[:most]
    if len(part) < len(utterances):
        log.info("%s: %d of %d utterances", role, len(part), len(utterances))
    return part


def check_data(
    data: DataOptions,
    splits: dict[str, Sequence[Utterance]],
    model: AcousticModel,
    tokenizer: Tokenizer,
    augment: Chain,
    run: Run,
    cache: Path,
) -> dict[str, Sequence[Utterance]]:
    """Let the doctor see the data, and leave out what may be skipped.

    What was skipped is kept in the run folder, and a resumed run skips the
    same.

    Args:
        data: what is wanted.
        splits: train and dev.
        model, tokenizer, augment: which the data must suit.
        run: the run.
        cache: remembers what files held, from run to run.

    Raises:
        InputError: something cannot be trained on, and must not be skipped.
    """
    skipped_file = run.folder / SKIPPED_FILE
    if data.validates_on_train:
        examined = {"train": splits["train"]}
    else:
        examined = {split: some for split, some in splits.items() if some}

    def with_dev(
        left: Mapping[str, Sequence[Utterance]],
    ) -> dict[str, Sequence[Utterance]]:
        if data.validates_on_train:
            return _share(left["train"], data)
        return {**splits, **left}

    if run.last is not None or not run.is_first:
        # The first process has seen them before this one could join.
        return with_dev(leave_out(examined, skipped_file))
    skip = data.on_error == "skip"
    if not data.check:
        if skip:
            raise InputError(
                "data.on_error=skip needs data.check=true: what is not examined "
                "cannot be listed"
            )
        return splits
    sound = leave_out_broken(examined, skip, data.cache_size)
    diagnosis = examine(
        sound.splits,
        tokenizer,
        model.sample_rate,
        data.resample,
        on_integers(model.output_lengths),
        augment.shortest,
        cache,
        batch_seconds=data.batch_seconds,
    )
    if diagnosis.problems and not skip:
        # The report begins with a table, which nothing may shift.
        raise InputError(
            f"some utterances cannot be trained on\n{diagnosis.report()}\n"
            "mend the data, or leave such utterances out by data.on_error=skip"
        )
    log.info("%s", diagnosis.report())
    problems = sound.placed(diagnosis.placed)
    if problems:
        log.warning("problems: %d; see %s", len(problems), skipped_file)
        write_json_lines(
            skipped_file,
            ({**asdict(problem), "index": index} for index, problem in problems),
        )
        for split, utterances in examined.items():
            left = len(diagnosis.healthy(split))
            log.warning("%s: %d of %d utterances left", split, left, len(utterances))
    return with_dev({split: diagnosis.healthy(split) for split in examined})


def _share(
    train: Sequence[Utterance], data: DataOptions
) -> dict[str, Sequence[Utterance]]:
    """Validate on what is trained on."""
    return {"train": train, "dev": take_part(train, data, "dev")}


def leave_out(
    splits: Mapping[str, Sequence[Utterance]], skipped_file: Path
) -> dict[str, Sequence[Utterance]]:
    """Leave out what the first process has skipped when the run began.

    Args:
        splits: train and dev, or one of them.
        skipped_file: lists what was skipped.
    """
    if not skipped_file.exists():
        return dict(splits)
    try:
        lines = read_whole(skipped_file).decode().split("\n")
        problems = [json.loads(line) for line in lines if line]
        # Older versions did not say which of several with one id it was.
        skipped = {(p["split"], p["id"], p.get("index")) for p in problems}
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise InputError(
            f"{skipped_file}: does not list what was skipped ({error}); bring it back "
            "as the run wrote it"
        ) from error
    return {
        split: select(
            utterances,
            [
                index
                for index, utterance in enumerate(utterances)
                if (split, utterance.id, index) not in skipped
                and (split, utterance.id, None) not in skipped
            ],
        )
        for split, utterances in splits.items()
    }


def find_cache(corpus: Component) -> Path:
    """Where is remembered what the files of a corpus held.

    One place for all that is done with a corpus: other options, or fewer splits, do
    not make other files of the same ones. What lies there is found file by file.
    """
    options = corpus.options
    splits = [options[split] for split in ("train", "dev", "test") if split in options]
    place = {
        "split": next((path for path in splits if path is not None), None),
        **{key: options.get(key) for key in ("folder", "root", "language")},
    }
    known = corpus.to_plain() if not any(place.values()) else place
    plain = json.dumps(known, sort_keys=True, default=str)
    digest = hashlib.blake2b(plain.encode(), digest_size=8).hexdigest()
    name = re.sub(r"[^A-Za-z0-9_-]", "_", name_corpus(corpus))
    return cache_folder() / "examined" / f"{name}-{digest}"


def on_integers(
    output_lengths: Callable[[torch.Tensor], torch.Tensor],
) -> Callable[[int], int]:
    """Let a function of length tensors take and give one integer."""
    return lambda length: int(output_lengths(torch.tensor([length]))[0])
