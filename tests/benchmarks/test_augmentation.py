"""Fast augmentation hears what the plain definitions give, from the same draws."""

import augmentation
import pytest
import torch
from torchaudio.functional import fftconvolve

WAVEFORMS = [
    torch.randn(size, generator=torch.Generator().manual_seed(size)) / 10
    for size in (1, 100, 16_000, 70_000, 300_000)
]


def convolve_exactly(waveform, response):
    return fftconvolve(waveform.double(), response.double()).to(waveform.dtype)


@pytest.mark.parametrize("names", [*((n,) for n in augmentation.NAMES), ()])
def test_both_hear_the_same(names, monkeypatch):
    # In float32, by one transform over all, what is expected errs more than ours.
    monkeypatch.setattr(augmentation, "fftconvolve", convolve_exactly)
    chosen = names or augmentation.NAMES
    ours, plain = augmentation.make_chains(chosen, probability=1.0, low=0.0)
    changed = 0
    for epoch in range(4):
        for index, waveform in enumerate(WAVEFORMS):
            heard = ours(waveform, epoch, str(index), 0)
            expected = plain(waveform, epoch, str(index), 0)
            assert heard.shape == expected.shape
            assert (heard - expected).abs().max() < 1e-5 * expected.abs().max()
            changed += not torch.equal(heard, waveform)
    assert changed >= 8


def test_the_table_has_a_row_for_each_and_one_for_all():
    lines = augmentation.rows(WAVEFORMS[2:3], times=1)
    assert len(lines) == 2 + len(augmentation.NAMES) + 1
    assert lines[-1].startswith("| speed, gain, noise, reverb | ")
