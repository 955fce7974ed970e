"""What a run trains on: read, examined, and what may be skipped left out."""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch

from speechgru.bounded import read_whole
from speechgru.data.augment.chain import Chain
from speechgru.data.folds import hold_out
from speechgru.data.validation.examine import examine
from speechgru.factory import build_corpus
from speechgru.files import write_json_lines
from speechgru.interfaces import InputError, Tokenizer, Utterance
from speechgru.model.acoustic import AcousticModel
from speechgru.options.training import DataOptions, TrainOptions
from speechgru.training.run_files import SKIPPED_FILE, Run

log = logging.getLogger(__name__)


def read_splits(options: TrainOptions) -> dict[str, list[Utterance]]:
    """Read the training and development utterances, as many as are wanted."""
    corpus, data = build_corpus(options.corpus, options.trust), options.data
    splits = {
        "train": corpus.read(data.train_split),
        "dev": corpus.read(data.dev_split),
    }
    cut = hold_out(splits["train"], splits["dev"], data.fold)
    splits = dict(zip(splits, cut, strict=True))
    for role, most in (("train", data.max_train), ("dev", data.max_dev)):
        utterances = splits[role]
        if most is not None and most < len(utterances):
            log.info("data.max_%s: %d of %d utterances", role, most, len(utterances))
            splits[role] = utterances[:most]
    return splits


def check_data(
    data: DataOptions,
    splits: dict[str, list[Utterance]],
    model: AcousticModel,
    tokenizer: Tokenizer,
    augment: Chain,
    run: Run,
) -> dict[str, list[Utterance]]:
    """Let the doctor see the data, and leave out what may be skipped.

    What was skipped is kept in the run folder, and a resumed run skips the
    same.

    Raises:
        InputError: something cannot be trained on, and must not be skipped.
    """
    skipped_file = run.folder / SKIPPED_FILE
    if run.last is not None:
        return _leave_out(splits, skipped_file)
    skip = data.on_error == "skip"
    if not data.check:
        if skip:
            raise InputError(
                "data.on_error=skip needs data.check=true: what is not examined "
                "cannot be listed"
            )
        return splits
    if not run.is_first and not skip:
        return splits  # the first process has seen them before it started this one
    if data.dev_split == data.train_split:
        examined = {"train": splits["train"]}  # debug=overfit means to share
    else:
        examined = {split: some for split, some in splits.items() if some}
    diagnosis = examine(
        examined,
        tokenizer,
        model.sample_rate,
        data.resample,
        on_integers(model.output_lengths),
        augment.shortest,
    )
    if diagnosis.problems and not skip:
        raise InputError(
            f"{diagnosis.report()}\nmend the data, or leave such utterances out by "
            "data.on_error=skip"
        )
    if run.is_first:
        log.info("%s", diagnosis.report())
        if diagnosis.problems:
            log.warning("%d problems; see %s", len(diagnosis.problems), skipped_file)
            write_json_lines(skipped_file, map(asdict, diagnosis.problems))
            for split, utterances in examined.items():
                left = len(diagnosis.healthy(split))
                log.warning(
                    "%s: %d of %d utterances left", split, left, len(utterances)
                )
    return {
        split: diagnosis.healthy(split if split in examined else "train")
        if utterances
        else []
        for split, utterances in splits.items()
    }


def _leave_out(
    splits: dict[str, list[Utterance]], skipped_file: Path
) -> dict[str, list[Utterance]]:
    if not skipped_file.exists():
        return splits
    try:
        lines = read_whole(skipped_file).decode().splitlines()
        problems = [json.loads(line) for line in lines]
        skipped = {(problem["split"], problem["id"]) for problem in problems}
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise InputError(
            f"{skipped_file}: does not list what was skipped ({error}); bring it back "
            "as the run wrote it"
        ) from error
    return {
        split: [u for u in utterances if (split, u.id) not in skipped]
        for split, utterances in splits.items()
    }


def on_integers(
    output_lengths: Callable[[torch.Tensor], torch.Tensor],
) -> Callable[[int], int]:
    """Let a function of length tensors take and give one integer."""
    return lambda length: int(output_lengths(torch.tensor([length]))[0])
