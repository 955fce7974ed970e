"""Several augmentations, one after the other."""

import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from speechgru.data.randomness import keyed_seed
from speechgru.data.utterances import durations_of
from speechgru.interfaces import InputError, Utterance


class Augmentation(Protocol):
    """Changes a training waveform.

    Attributes:
        changes_time: whether words move; then all views of an utterance are
            changed alike, so that they can be compared frame by frame.
    """

    changes_time: bool

    def __call__(self, waveform: Tensor, generator: random.Random) -> Tensor:
        """Change a waveform (S,); all that is random comes from the generator."""
        ...

    def shortest(self, duration: float) -> float:
        """The shortest duration, s, that can become of a duration, s."""
        ...


@runtime_checkable
class Lengthening(Protocol):
    """Adds to a training waveform, as much in every epoch.

    So batches can be planned by how long utterances will be, not by how long
    they are: a batch has as much padding, and takes as much memory, as planned.

    Attributes:
        changes_time: as of `Augmentation`.
    """

    changes_time: bool

    def added(self, generator: random.Random) -> float:
        """Draw how much is added, in s."""
        ...

    def lengthen(
        self, waveform: Tensor, seconds: float, generator: random.Random
    ) -> Tensor:
        """Add so much to a waveform (S,)."""
        ...

    def shortest(self, duration: float) -> float:
        """As of `Augmentation`."""
        ...


@runtime_checkable
class Speeding(Protocol):
    """Changes the speed of a training waveform, by no more than the words bear.

    Attributes:
        changes_time: as of `Augmentation`.
    """

    changes_time: bool

    def change_speed(
        self, waveform: Tensor, generator: random.Random, fastest: float
    ) -> Tensor:
        """Change the speed of a waveform (S,), to at most `fastest`, 1 or more.

        What is drawn, and what becomes of slower speeds, does not depend on it.
        """
        ...

    def shortest(self, duration: float) -> float:
        """As of `Augmentation`, whatever the words bear."""
        ...


@runtime_checkable
class Joining(Protocol):
    """Puts training waveforms one after the other.

    Attributes:
        changes_time: as of `Augmentation`.
        most: waveforms that are joined.
    """

    changes_time: bool
    most: int

    def num_joined(self, generator: random.Random) -> int:
        """Draw how many waveforms of a step are joined to one; 1: none."""
        ...

    def pause_behind(self, generator: random.Random) -> float:
        """Draw how long, in s, the pause behind a waveform is."""
        ...

    def pause(
        self, waveform: Tensor, num_samples: int, generator: random.Random
    ) -> Tensor:
        """Draw (num_samples,) of what is heard behind a waveform (S,)."""
        ...


class SameTime:
    """What is common to augmentations that leave every word where it is."""

    changes_time = False

    def shortest(self, duration: float) -> float:
        """A duration, s, stays as it is."""
        return duration


class Chain:
    """Change a training waveform by each augmentation in turn.

    What each draws depends on its name and the utterance's key alone, so to
    add or to remove another changes nothing in it.

    Args:
        augmentations: by name, the first comes first. One that joins waveforms ends
            what is done to each of them: those behind it get what was joined.
        seed: of the run.

    Attributes:
        behind: those behind the one that joins, if there is one.

    Raises:
        InputError: what changes the duration comes behind the one that joins.
    """

    def __init__(
        self,
        augmentations: Mapping[str, Augmentation | Lengthening | Speeding | Joining],
        seed: int,
    ) -> None:
        names = list(augmentations)
        joins = [name for name in names if isinstance(augmentations[name], Joining)]
        place = names.index(joins[0]) if joins else len(names)
        behind = {name: augmentations[name] for name in names[place + 1 :]}
        for name, augment in behind.items():
            if augment.changes_time:
                raise InputError(
                    f"augment is [{', '.join(names)}], but {name} moves words behind "
                    f"{joins[0]}, expected only what leaves them where they are; put "
                    f"{name} before it"
                )
        self.augmentations = {name: augmentations[name] for name in names[:place]}
        self._join = joins[0] if joins else None
        self._joining = augmentations[joins[0]] if joins else None
        self.behind: Chain | None = Chain(behind, seed) if joins else None
        self.seed = seed

    def __call__(
        self, waveform: Tensor, epoch: int, id: str, view: int, fewest: float = 0
    ) -> Tensor:
        """Change a waveform (S,) of an utterance.

        Args:
            waveform: at the model's sample rate.
            epoch: counted from 0.
            id: of the utterance.
            view: which of several in the same epoch, counted from 0.
            fewest: samples that its words need. Higher speeds are not played; silence
                that is added holds no words.
        """
        spoken = len(waveform)
        for name, augment in self.augmentations.items():
            own_view = 0 if augment.changes_time else view
            key = keyed_seed("augment", name, self.seed, epoch, id, own_view)
            generator = random.Random(key)
            if isinstance(augment, Lengthening):
                seconds = augment.added(self._lasting(name, id))
                waveform = augment.lengthen(waveform, seconds, generator)
                continue
            before = len(waveform)
            if isinstance(augment, Speeding):
                fastest = max(1.0, spoken / fewest) if fewest else math.inf
                waveform = augment.change_speed(waveform, generator, fastest)
            else:
                waveform = augment(waveform, generator)
            spoken = spoken * len(waveform) // before
        return waveform

    def plan(self, utterances: Sequence[Utterance]) -> NDArray[np.float64]:
        """The durations, (N,) s, that utterances are planned to have.

        Other speeds, which differ in every epoch, are not foreseen.
        """
        durations = durations_of(utterances)
        lengthening = {
            name: augment
            for name, augment in self.augmentations.items()
            if isinstance(augment, Lengthening)
        }
        if not lengthening and self.most_joined == 1:
            return durations
        added = [
            sum(
                augment.added(self._lasting(name, utterance.id))
                for name, augment in lengthening.items()
            )
            + self.pause_behind(utterance.id)
            for utterance in utterances
        ]
        return durations + np.array(added, dtype=np.float64)

    @property
    def most_joined(self) -> int:
        """Waveforms that are joined to one, at most; 1: none ever is."""
        return 1 if self._joining is None else self._joining.most

    def num_joined(self, epoch: int, step: int) -> int:
        """How many waveforms of a step are joined to one; 1: none."""
        if self._joining is None:
            return 1
        key = keyed_seed("augment", self._join, self.seed, epoch, step)
        return self._joining.num_joined(random.Random(key))

    def pause_behind(self, id: str) -> float:
        """How long, in s, the pause behind an utterance is where it is joined."""
        if self._joining is None:
            return 0.0
        return self._joining.pause_behind(self._lasting(self._join, id))

    def pause(self, waveform: Tensor, num_samples: int, epoch: int, id: str) -> Tensor:
        """Draw (num_samples,) of what is heard behind the waveform of an utterance."""
        key = keyed_seed("augment", self._join, self.seed, epoch, id)
        return self._joining.pause(waveform, num_samples, random.Random(key))

    def _lasting(self, name: str, id: str) -> random.Random:
        """What draws the same in every epoch."""
        return random.Random(keyed_seed("augment", name, self.seed, id))

    def recordings(self) -> dict[str, list[Path]]:
        """The audio files that augmentations draw from, by their names."""
        own = {
            name: augment.recordings.paths
            for name, augment in self.augmentations.items()
            if hasattr(augment, "recordings")
        }
        return own if self.behind is None else {**own, **self.behind.recordings()}

    @property
    def same_views(self) -> bool:
        """Whether all views of an utterance are the same."""
        return all(
            augment.changes_time for augment in self.augmentations.values()
        ) and (self.behind is None or self.behind.same_views)

    def shortest(self, duration: float, fewest: float = 0.0) -> float:
        """The shortest duration, s, that can become of a duration, s.

        Args:
            duration: of an utterance.
            fewest: s that its words need.
        """
        for augment in self.augmentations.values():
            shortened = augment.shortest(duration)
            if isinstance(augment, Speeding):
                shortened = max(shortened, min(duration, fewest))
            duration = shortened
        return duration
