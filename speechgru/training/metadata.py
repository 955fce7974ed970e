"""What a checkpoint says of the run that made it."""

import platform
from collections.abc import Mapping
from typing import Any

import torch

from speechgru import __version__
from speechgru.factory import name_corpus
from speechgru.options.training import TrainOptions
from speechgru.provenance import find_commit
from speechgru.training.totals import BEFORE


def describe_run(
    options: TrainOptions, recipe: str | None, before: Mapping[str, float] | None
) -> dict[str, Any]:
    """What is known of a run when it starts; plain values.

    Args:
        options: of the run.
        recipe: name.
        before: totals of the checkpoint that it begins with; None: it begins with none,
            or goes on.
    """
    init_from = options.init_from
    return {
        "recipe": recipe,
        "corpus": name_corpus(options.corpus),
        "fold": options.data.fold,
        "seed": options.seed,
        "init_from": None if init_from is None else str(init_from),
        "precision": str(options.trainer.precision),
        "speechgru": __version__,
        "commit": find_commit("speechgru", "conf"),
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        **({} if before is None else {BEFORE: dict(before)}),
    }
