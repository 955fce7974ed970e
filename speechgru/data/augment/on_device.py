"""Noise and rooms for a whole batch, on the device that trains.

Where a GPU waits for the processes that load, it can do this part of their work. What
an utterance gets is keyed by it, as in loading, but other numbers are drawn.
"""

from abc import abstractmethod
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torchaudio.functional import add_noise, fftconvolve

from speechgru.data.augment.noise import ColoredNoise
from speechgru.data.augment.reverb import SimulatedReverb
from speechgru.features.keyed_draws import draw, normal, utterance_keys
from speechgru.features.padding import send, zero_padding
from speechgru.ranges import PROBABILITY, check

NUM_TAPS = 4096
"""Samples of the filter that colours noise; at 16 kHz it shapes down to 4 Hz."""


class DeviceAugmentation(nn.Module):
    """Changes some utterances of a training batch, and leaves every word in its place.

    Args:
        probability: of an utterance to be changed.
    """

    on_device = True

    def __init__(self, probability: float) -> None:
        super().__init__()
        check("probability", probability, PROBABILITY)
        self.probability = probability

    @torch.no_grad()
    def forward(self, waveforms: Tensor, lengths: Tensor) -> Tensor:
        """Change (B, S) waveforms with (B,) lengths in samples, on the host."""
        keys = utterance_keys(len(lengths))
        place = type(self).__name__
        chosen = (draw(keys, f"{place} at all") < self.probability).nonzero().flatten()
        if not len(chosen):
            return waveforms
        rows = send(chosen, waveforms.device)
        changed = self.change(
            waveforms.index_select(0, rows).float(), lengths[chosen], keys[chosen]
        )
        changed = zero_padding(changed, lengths[chosen])
        return waveforms.index_copy(0, rows, changed.to(waveforms.dtype))

    @abstractmethod
    def change(self, waveforms: Tensor, lengths: Tensor, keys: Tensor) -> Tensor:
        """Change (B, S) waveforms; all that is random comes from the (B,) keys."""


class NoiseOnDevice(DeviceAugmentation):
    """Add noise whose power falls with a power of the frequency.

    Args:
        exponents: to draw from; 0 is white noise, 1 pink, 2 brown.
        low: dB, the lowest ratio of the energies of speech and noise.
        high: dB, the highest.
        probability: of an utterance to be changed.
    """

    def __init__(
        self, exponents: Sequence[float], low: float, high: float, probability: float
    ) -> None:
        super().__init__(probability)
        ColoredNoise(exponents, low, high, probability)  # checks them
        self.low = low
        self.high = high
        frequencies = torch.arange(NUM_TAPS // 2 + 1).clamp(min=1)
        kernels = [
            torch.fft.fftshift(
                torch.fft.irfft(frequencies ** (-exponent / 2) + 0j, NUM_TAPS)
            )
            for exponent in exponents
        ]
        self.register_buffer("kernels", torch.stack(kernels), persistent=False)

    def change(self, waveforms: Tensor, lengths: Tensor, keys: Tensor) -> Tensor:
        """See DeviceAugmentation."""
        which, ratio = draw(keys, "noise", 2).unbind(1)
        rows = send((which * len(self.kernels)).long(), waveforms.device)
        num_samples = waveforms.size(1) + NUM_TAPS - 1
        white = normal(keys, num_samples, "noise", waveforms.device)
        noise = fftconvolve(white, self.kernels[rows], mode="valid")
        ratios = send(self.low + ratio * (self.high - self.low), waveforms.device)
        return add_noise(waveforms, noise, ratios, send(lengths, waveforms.device))


class ReverbOnDevice(DeviceAugmentation):
    """Rooms as noise that dies away exponentially; see `SimulatedReverb`.

    Args:
        shortest_decay: s, until the sound has fallen by 60 dB.
        longest_decay: s.
        lowest_ratio: dB, of the energies of the direct and the other sound.
        highest_ratio: dB.
        probability: of an utterance to be changed.
        sample_rate: Hz.
    """

    def __init__(
        self,
        shortest_decay: float,
        longest_decay: float,
        lowest_ratio: float,
        highest_ratio: float,
        probability: float,
        sample_rate: int,
    ) -> None:
        super().__init__(probability)
        self.room = SimulatedReverb(
            shortest_decay,
            longest_decay,
            lowest_ratio,
            highest_ratio,
            probability,
            sample_rate,
        )

    def change(self, waveforms: Tensor, lengths: Tensor, keys: Tensor) -> Tensor:
        """See DeviceAugmentation."""
        device = waveforms.device
        of_decay, of_ratio = draw(keys, "reverb", 2).unbind(1)
        shortest, longest = self.room.decays
        lowest, highest = self.room.ratios
        sample_rate = self.room.sample_rate
        decays = shortest + of_decay * (longest - shortest)
        sizes = (decays * sample_rate).long().clamp(min=2)
        ratios = 10 ** ((lowest + of_ratio * (highest - lowest)) / 10)
        num_samples = int(sizes.max())
        response = normal(keys, num_samples, "reverb", device)
        time = torch.arange(num_samples, device=device) / sample_rate
        response = response * 10 ** (-3 * time / send(decays, device)[:, None])
        response = zero_padding(response, sizes)
        response[:, 0] = 0
        energies = send(ratios, device) * response.square().sum(1)
        response *= energies.rsqrt()[:, None]
        response[:, 0] = 1
        return fftconvolve(waveforms, response)[:, : waveforms.size(1)]


class DeviceChain(nn.ModuleList):
    """Several, one after the other; none leaves waveforms as they are."""

    def __init__(self, augmentations: Iterable[DeviceAugmentation] = ()) -> None:
        super().__init__(augmentations)

    def forward(self, waveforms: Tensor, lengths: Tensor) -> Tensor:
        """Change (B, S) waveforms with (B,) lengths in samples, on the host."""
        for augment in self:
            waveforms = augment(waveforms, lengths)
        return waveforms
