"""How long a stream waits for what comes, before it can tell what was said."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from speechgru.blocks import BlockStream
from speechgru.model.acoustic import AcousticModel
from speechgru.model.device import device_of

LONGEST = 1 << 20
"""Samples or frames behind which a stage must have given its first frame."""


@dataclass(frozen=True)
class Latency:
    """What a model waits for; all in s.

    Attributes:
        window: behind the middle of an analysis window, to its end.
        subsampling: frames behind the one that an output frame stands for.
        lookahead: output frames that the encoder waits for.
        step: sound that is heard at once; how long the first of it waits.
        frame: that an output frame lasts; a part of the step.
    """

    window: float
    subsampling: float
    lookahead: float
    step: float
    frame: float

    @property
    def model(self) -> float:
        """That no computer, however fast, can shorten."""
        return self.window + self.subsampling + self.lookahead

    @property
    def most(self) -> float:
        """Of any sound, computing aside."""
        return self.model + self.step

    def describe(self, silence_after: float | None = None) -> str:
        """Say it on a line.

        Args:
            silence_after: s that a final result waits for; None: say nothing of it.
        """
        text = (
            f"{self.model:.3f} to {self.most:.3f} s and the time to compute: window "
            f"{self.window:.3f}, subsampling {self.subsampling:.3f}, lookahead "
            f"{self.lookahead:.3f}, steps of {self.step:.3f} ({self.frame:.3f} a frame)"
        )
        if silence_after is not None:
            text += f"; a final result waits for {silence_after:g} s of silence"
        return text


@torch.inference_mode()
def find_latency(model: AcousticModel, step: float) -> Latency:
    """Try out what a model waits for.

    Args:
        model: one that can hear a stream; see `refusal.py`.
        step: s of sound that are heard at once, about; see `step_samples`.
    """
    device = device_of(model)
    rate, hop = model.sample_rate, model.features.hop_length

    def first_of(make: Callable[[], BlockStream], size: int | None) -> int:
        def is_enough(count: int) -> bool:
            shape = (1, count) if size is None else (1, count, size)
            return make().push(torch.zeros(shape, device=device)) is not None

        return _first(is_enough)

    def encoder_says(count: int) -> bool:
        frames = torch.zeros(1, count, model.subsampling.output_size, device=device)
        return bool(model.encoder.stream(frames, None)[0].size(1))

    # The first frame is centred between nothing and the first sample.
    samples = first_of(model.features.by_blocks, None)
    # That which an output frame stands for itself is no wait.
    frames = first_of(model.subsampling.by_blocks, model.features.output_size) - 1
    ahead = _first(encoder_says) - 1
    return Latency(
        window=samples / rate,
        subsampling=frames * hop / rate,
        lookahead=ahead * model.seconds_per_frame,
        step=step_samples(model, step) / rate,
        frame=model.seconds_per_frame,
    )


def step_samples(model: AcousticModel, step: float) -> int:
    """Samples that are heard at once: those of whole output frames, about `step` s."""
    num_frames = max(1, round(step / model.seconds_per_frame))
    return int(num_frames * model.features.hop_length * model.subsampling.factor)


def _first(is_enough: Callable[[int], bool]) -> int:
    """The smallest number that is enough."""
    low, high = 0, 1
    while not is_enough(high):
        low, high = high, 2 * high
        if high > LONGEST:
            raise ValueError(f"a stage gives nothing within {LONGEST} inputs")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
