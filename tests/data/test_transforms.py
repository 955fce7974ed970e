"""Long transforms and convolutions by short ones give what the definitions give."""

import pytest
import torch
from torchaudio.functional import resample

from speechgru.data.augment.speed import play
from speechgru.data.augment.transforms import convolve, inverse_transform, power_of_two


def noise(*size: int, seed: int = 0, **kind) -> torch.Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), **kind)


def test_powers_of_two_are_not_too_short():
    assert [power_of_two(n) for n in (1, 2, 3, 4, 5, 1024, 1025)] == [
        *(1, 2, 4, 4, 8, 1024, 2048)
    ]


@pytest.mark.parametrize("exponent", [1, 2, 10, 14, 15, 16, 18, 20])
def test_the_inverse_transform_is_that_of_the_whole(exponent):
    # Also what a real signal's spectrum has not: imaginary parts at either end.
    spectrum = noise(2**exponent // 2 + 1, dtype=torch.complex64)
    expected = torch.fft.irfft(spectrum.to(torch.complex128), 2**exponent)
    found = inverse_transform(spectrum)
    assert found.dtype == torch.float32
    assert (found - expected).abs().max() < 2e-6 * expected.abs().max()


@pytest.mark.parametrize(
    ("num_samples", "size", "direct"),
    [(1, 1, 0), (50, 7, 3), (7, 50, 49), (8193, 2, 1), (30_000, 300, 0)],
)
def test_a_convolution_is_the_sum_of_its_definition(num_samples, size, direct):
    waveform, response = noise(num_samples), noise(size, seed=1)
    expected = torch.nn.functional.conv1d(
        waveform.double()[None, None],
        response.double().flip(0)[None, None],
        padding=size - 1,
    )[0, 0, direct : direct + num_samples]
    found = convolve(waveform, response, direct)
    assert found.shape == waveform.shape
    assert (found - expected).abs().max() < 3e-6 * expected.abs().max()


@pytest.mark.parametrize("size", [1600, 8000, 40_000])
def test_long_responses_are_convolved_whole(size):
    waveform, response = noise(60_000), noise(size, seed=1)
    count = len(waveform) + size - 1
    spectra = [torch.fft.rfft(each.double(), count) for each in (waveform, response)]
    expected = torch.fft.irfft(spectra[0] * spectra[1], count)[: len(waveform)]
    found = convolve(waveform, response)
    assert (found - expected).abs().max() < 3e-6 * expected.abs().max()


@pytest.mark.parametrize("percent", [50, 90, 97, 101, 110, 125, 200])
@pytest.mark.parametrize("num_samples", [1, 99, 5000])
def test_another_speed_is_what_torchaudio_makes_of_it(percent, num_samples):
    waveform = noise(num_samples)
    expected = resample(waveform.double(), percent, 100)
    torch.testing.assert_close(
        play(waveform, percent), expected.float(), atol=2e-6, rtol=0
    )
