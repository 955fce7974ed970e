"""From several channels to one."""

import numpy as np

from speechgru.audio.error import AudioError

LEAST_KEPT = 0.1
"""Share of the energy that independent channels would keep in their average."""

MIN_SAMPLES = 1000
"""Fewer may cancel by chance."""

_ROUNDING = 1e-10
"""Share of the energy that may be left of a constant offset, as sums are rounded."""

_BLOCK = 1 << 18  # samples whose squares are held in memory


class Mixer:
    """Average channels block by block, and notice where they cancel out.

    So they do where one of two is wired with its poles exchanged: what both heard
    is gone from their average, and only what differs is left.

    Args:
        channel: the one to take alone, from 0; None: all, averaged.
    """

    def __init__(self, channel: int | None = None) -> None:
        self.channel = channel
        self.num_channels = 1
        self._num_samples = 0
        self._sums = self._squares = self._average_sum = self._average_square = 0.0

    def check(self, num_channels: int, name: str) -> None:
        """See that the channel to take is there. Raises AudioError."""
        if self.channel is not None and not 0 <= self.channel < num_channels:
            last = num_channels - 1
            raise AudioError(
                "no-channel",
                f"{name}: channel is {self.channel}, but there "
                + (f"are channels 0 to {last}" if last else "is only channel 0")
                + "; take one of them, or channel=mix for their average",
            )

    def mix(self, samples: np.ndarray) -> np.ndarray:
        """Bring (S, C) to (S,)."""
        if self.channel is not None:
            return samples[:, self.channel]
        if samples.shape[1] == 1:
            return samples[:, 0]
        average = samples.mean(axis=1)
        self.num_channels = samples.shape[1]
        self._num_samples += len(samples)
        for start in range(0, len(samples), _BLOCK):
            block = samples[start : start + _BLOCK].astype(np.float64)
            self._sums = self._sums + block.sum(axis=0)
            self._squares = self._squares + np.square(block).sum(axis=0)
            block = average[start : start + _BLOCK].astype(np.float64)
            self._average_sum += block.sum()
            self._average_square += np.square(block).sum()
        return average

    @property
    def cancels(self) -> bool:
        """Whether the channels of all blocks extinguish each other."""
        if self._num_samples < MIN_SAMPLES:
            return False
        # A constant offset is no sound.
        offsets = np.square(self._sums) / self._num_samples
        independent = np.sum(self._squares - offsets) / self.num_channels**2
        if independent <= _ROUNDING * np.sum(self._squares):
            return False  # all that differs from an offset is that it was rounded
        kept = self._average_square - self._average_sum**2 / self._num_samples
        return bool(kept < LEAST_KEPT * independent)

    def refuse_cancelling(self, name: str) -> None:
        """Raise AudioError if the channels of all blocks extinguish each other."""
        if self.cancels:
            raise AudioError("cancelling-channels", f"{name}: {self.explain()}")

    def explain(self) -> str:
        """What was found, expected, and the remedy."""
        return (
            f"its {self.num_channels} channels cancel out when they are averaged, as "
            "when one is wired with exchanged poles, expected channels in phase; "
            'take one with channel=0, or keep one: ffmpeg -i IN -af "pan=mono|c0=c0" '
            "OUT.wav"
        )
