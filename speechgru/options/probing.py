"""The options of `speechgru probe`; conf/probe.yaml."""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

from speechgru.options.fields import option
from speechgru.options.training import TrainOptions
from speechgru.ranges import COUNT, SECONDS, Range


@dataclass(frozen=True, kw_only=True)
class ProbeOptions(TrainOptions):
    """What is probed: training, with all that `TrainOptions` say of it.

    Attributes:
        max_seconds: of padded audio, in the largest batch that is tried on one device.
        steps: that are timed of each size, behind one that is not.
        max_time: s, after which no further size is tried.
        margin: share of the memory of a machine that may be taken; of a GPU, whose
            memory may run out, share of the largest batch that fits.
    """

    name: ClassVar[str] = "probe"

    max_seconds: float = option(2000.0, within=SECONDS)
    steps: int = option(3, within=COUNT)
    max_time: float = option(300.0, within=SECONDS)
    margin: float = option(0.9, within=Range(0, 1, above=True))

    @property
    def training(self) -> TrainOptions:
        """Those of the training alone."""
        names = [field.name for field in dataclasses.fields(TrainOptions)]
        return TrainOptions(**{name: getattr(self, name) for name in names})
