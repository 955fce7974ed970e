"""What augmentation costs: audio seconds per CPU second, on one thread.

    python benchmarks/speed/augmentation.py

`speed`, `gain`, `noise` and `reverb` as conf/augment has them, alone and all four in
turn, beside the same drawn from the same numbers by the plain definitions: torchaudio's
`resample`, `add_noise` and `fftconvolve`, and one long inverse transform. Both run in
turns in one process, on utterances of 2 to 16 s.
"""

import random
import statistics
import time
from collections.abc import Sequence

import torch
from torch import Tensor
from torchaudio.functional import add_noise, fftconvolve, resample

from speechgru.data.augment.chain import Augmentation, Chain
from speechgru.data.augment.noise import ColoredNoise
from speechgru.data.augment.reverb import SimulatedReverb
from speechgru.data.augment.speed import SpeedPerturbation
from speechgru.factory import build_augment
from speechgru.options import choose
from speechgru.threads import set_up_cpu

RATE = 16000
NAMES = ("speed", "gain", "noise", "reverb")
NUM_UTTERANCES = 24
TIMES = 9


class PlainSpeed(SpeedPerturbation):
    """Speed by torchaudio."""

    def change_speed(
        self, waveform: Tensor, generator: random.Random, fastest: float
    ) -> Tensor:
        """See SpeedPerturbation; of a speed that is no limit."""
        percent = generator.choice(self.percents)
        return waveform if percent == 100 else resample(waveform, percent, 100)


class PlainNoise(ColoredNoise):
    """Coloured noise by one transform, added by torchaudio."""

    def __call__(self, waveform: Tensor, generator: random.Random) -> Tensor:
        """See ColoredNoise."""
        if generator.random() >= self.probability:
            return waveform
        numbers = torch.Generator().manual_seed(generator.getrandbits(63))
        exponent = generator.choice(self.exponents)
        length = 1 << max(len(waveform) - 1, 1).bit_length()
        spectrum = torch.randn(
            length // 2 + 1, dtype=torch.complex64, generator=numbers
        )
        frequencies = torch.arange(len(spectrum)).clamp(min=1)
        noise = torch.fft.irfft(spectrum / frequencies ** (exponent / 2), length)
        ratio = torch.tensor(generator.uniform(self.low, self.high))
        return add_noise(waveform, noise[: len(waveform)], ratio)


class PlainReverb(SimulatedReverb):
    """The whole convolution by torchaudio."""

    def __call__(self, waveform: Tensor, generator: random.Random) -> Tensor:
        """See SimulatedReverb."""
        if generator.random() >= self.probability:
            return waveform
        decay = generator.uniform(*self.decays)
        ratio = 10 ** (generator.uniform(*self.ratios) / 10)
        numbers = torch.Generator().manual_seed(generator.getrandbits(63))
        num_samples = max(2, int(decay * self.sample_rate))
        response = torch.randn(num_samples, generator=numbers)
        response *= 10 ** (-3 * torch.arange(num_samples) / self.sample_rate / decay)
        response[0] = 0
        response *= (ratio * response.square().sum()) ** -0.5
        response[0] = 1
        return fftconvolve(waveform, response)[: len(waveform)]


PLAIN = {"speed": PlainSpeed, "noise": PlainNoise, "reverb": PlainReverb}


def make_chains(names: Sequence[str], **changes: object) -> tuple[Chain, Chain]:
    """Ours and the plain definitions, which draw the same.

    Args:
        names: of augmentations, in their order.
        changes: options of all that have them.
    """
    components = {}
    for name in names:
        component = choose("augment", name)
        known = {key: each for key, each in changes.items() if key in component.options}
        components[name] = component.replace(**known)
    chain = build_augment(components, (), RATE)
    plain: dict[str, Augmentation] = {}
    for name, ours in chain.augmentations.items():
        kind = PLAIN.get(name)
        if kind is None:
            plain[name] = ours
        else:
            plain[name] = object.__new__(kind)
            plain[name].__dict__.update(ours.__dict__)
    return chain, Chain(plain, chain.seed)


def make_speech(count: int) -> list[Tensor]:
    """Waveforms of 2 to 16 s."""
    draw = random.Random(0)
    numbers = torch.Generator().manual_seed(0)
    return [
        torch.randn(int(RATE * draw.uniform(2, 16)), generator=numbers) / 10
        for _ in range(count)
    ]


def measure(chain: Chain, waveforms: Sequence[Tensor], epoch: int) -> float:
    """Audio seconds per CPU second."""
    began_at = time.process_time()
    for index, waveform in enumerate(waveforms):
        chain(waveform, epoch, str(index), 0)
    return sum(map(len, waveforms)) / RATE / (time.process_time() - began_at)


def rows(waveforms: Sequence[Tensor], times: int) -> list[str]:
    """Rows of Markdown, of medians and the highest of several turns."""
    lines = [
        "| augment | as defined | here | highest | times as fast |",
        "|---|---|---|---|---|",
    ]
    for names in (*((name,) for name in NAMES), NAMES):
        chains = make_chains(names)
        found: tuple[list[float], list[float]] = ([], [])
        for epoch in range(times + 1):
            for chain, speeds in zip(chains, found, strict=True):
                speeds.append(measure(chain, waveforms, epoch))
        ours, plain = (statistics.median(speeds[1:]) for speeds in found)
        lines.append(
            f"| {', '.join(names)} | {plain:,.0f} | {ours:,.0f} | "
            f"{max(found[0]):,.0f} | {ours / plain:.1f} |"
        )
    return lines


if __name__ == "__main__":
    set_up_cpu(1)
    print("\n".join(rows(make_speech(NUM_UTTERANCES), TIMES)))
