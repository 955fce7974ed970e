"""The options of `speechgru advise`; conf/advise.yaml."""

from dataclasses import dataclass
from typing import ClassVar

from speechgru.options.corpus import PrepareOptions
from speechgru.options.fields import option
from speechgru.options.training import TrainerOptions
from speechgru.ranges import COUNT


@dataclass(frozen=True, kw_only=True)
class AdviseOptions(PrepareOptions):
    """For what corpus advice is wanted, and on what machine; see `PrepareOptions`.

    Attributes:
        fold: e.g. "1/4": of the splits train and dev, as data.fold of training.
        steps: of the training that are timed, behind one that is not; None:
            none are, and no cost is told.
        trainer: on what they are taken.
    """

    name: ClassVar[str] = "advise"

    fold: str | None = None
    steps: int | None = option(20, within=COUNT)
    trainer: TrainerOptions = option(make=TrainerOptions)
