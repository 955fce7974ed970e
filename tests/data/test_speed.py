import math
import random

import pytest
import torch

from speechgru.data.augment.speed import SpeedPerturbation
from speechgru.interfaces import InputError


def tone(frequency: float, num_samples: int = 8000) -> torch.Tensor:
    return torch.sin(2 * math.pi * frequency * torch.arange(num_samples) / 8000)


def measure_frequency(waveform: torch.Tensor) -> float:
    """Hz, at 8000 samples per second, from the zero crossings."""
    signs = waveform[100:-100] > 0
    crossings = (signs[1:] != signs[:-1]).sum().item()
    return crossings / 2 / (len(signs) / 8000)


def test_a_factor_of_one_is_the_identity():
    waveform = tone(300)
    assert SpeedPerturbation([1.0])(waveform, random.Random(0)) is waveform


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.1, 1.25, 2.0])
def test_speed_divides_the_length_and_multiplies_the_pitch(factor):
    changed = SpeedPerturbation([factor])(tone(300), random.Random(0))
    assert len(changed) == math.ceil(8000 / factor)
    assert measure_frequency(changed) == pytest.approx(300 * factor, rel=0.01)
    assert changed.dtype == torch.float32


def test_every_factor_is_drawn_and_no_other():
    augment = SpeedPerturbation([0.8, 1.0, 1.25])
    generator = random.Random(0)
    lengths = {len(augment(torch.zeros(1000), generator)) for _ in range(50)}
    assert lengths == {1250, 1000, 800}


def test_the_generator_alone_decides():
    augment = SpeedPerturbation([0.9, 1.0, 1.1])

    def lengths(seed):
        generator = random.Random(seed)
        return [len(augment(torch.zeros(990), generator)) for _ in range(20)]

    torch.manual_seed(0)
    first = lengths(5)
    torch.manual_seed(1)
    assert lengths(5) == first
    assert lengths(6) != first


def test_the_shortest_duration_is_the_fastest_speeds_and_never_undercut():
    augment = SpeedPerturbation([0.9, 1.0, 1.1])
    assert augment.shortest(2.2) == pytest.approx(2.0)
    generator = random.Random(0)
    for num_samples in range(1, 60):
        shortest = augment.shortest(num_samples)
        for _ in range(8):
            assert len(augment(torch.zeros(num_samples), generator)) >= shortest


@pytest.mark.parametrize("factors", [[], [0], [0.49], [2.01], [1.0, -1.0], [1.005]])
def test_other_speeds_are_refused(factors):
    with pytest.raises(InputError, match=r"factors is \[.*expected .* 0.5 to 2"):
        SpeedPerturbation(factors)
