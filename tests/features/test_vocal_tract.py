"""Other vocal tracts: what becomes of frequencies, and of whose."""

import math

import pytest
import torch

from speechgru.features.keyed_draws import keyed_by
from speechgru.features.log_mel import LogMel
from speechgru.features.mfcc import MFCC
from speechgru.features.vocal_tract import warp_spectra

RATE = 8000
FRAMING = {"sample_rate": RATE, "n_fft": 256, "hop_length": 80, "n_mels": 40}
LENGTH = 2000


def make(vocal_tract: float) -> LogMel:
    return LogMel(**FRAMING, vocal_tract=vocal_tract)


def make_tones(frequency: float, count: int) -> torch.Tensor:
    times = torch.arange(LENGTH) / RATE
    return torch.sin(2 * math.pi * frequency * times).expand(count, -1)


def lengths_of(waveforms: torch.Tensor) -> torch.Tensor:
    return torch.full((len(waveforms),), waveforms.size(1))


def centres(warps: torch.Tensor, bin_: int) -> list[float]:
    """Where, on average, the energy of a bin lies in each warped spectrum."""
    given = warps[:, bin_]
    bins = torch.arange(given.size(1))
    return ((given * bins).sum(1) / given.sum(1)).tolist()


def test_low_frequencies_are_scaled_and_the_highest_stays():
    warps = warp_spectra(torch.tensor([0.9, 1.0, 1.1]), 201)
    # 50 bins of 200 are below 0.6 of the highest, and below 0.6 / 1.1 of it.
    assert centres(warps, 50) == pytest.approx([45, 50, 55], abs=0.3)
    assert centres(warps, 200) == pytest.approx([200, 200, 200], abs=0.5)
    assert centres(warps, 0) == pytest.approx([0, 0, 0], abs=0.5)


def test_a_factor_of_one_changes_nothing():
    assert torch.equal(warp_spectra(torch.ones(1), 129)[0], torch.eye(129))


def test_a_flat_spectrum_stays_flat():
    # What a bin of the warped spectrum is given adds up to 1, whatever the factor.
    warps = warp_spectra(torch.linspace(0.5, 1.5, 21), 129)
    torch.testing.assert_close(warps.sum(1), torch.ones(21, 129))


def test_each_utterance_is_moved_by_a_factor_of_its_own_within_the_limit():
    features = make(0.2).train()
    torch.manual_seed(0)
    energies, _ = features(make_tones(1000, 400), torch.full((400,), LENGTH))
    heard = energies[:, 10].argmax(1)
    # The bands in which tones of 800 and 1200 Hz are loudest.
    plain, _ = make(0.0)(
        torch.cat([make_tones(800, 1), make_tones(1200, 1)]), torch.full((2,), LENGTH)
    )
    low, high = plain[:, 10].argmax(1).tolist()
    assert heard.min() in (low, low + 1)
    assert heard.max() in (high - 1, high)
    assert len(energies[:, 10].unique(dim=0)) > 390


def test_nothing_is_changed_in_eval_mode_or_by_zero():
    waveforms = torch.randn(3, LENGTH)
    expected, _ = make(0.0).eval()(waveforms, lengths_of(waveforms))
    for features in (make(0.3).eval(), make(0.0).train()):
        assert torch.equal(features(waveforms, lengths_of(waveforms))[0], expected)


def test_a_tiny_change_changes_little():
    waveforms = torch.randn(3, LENGTH)
    plain, _ = make(0.0)(waveforms, lengths_of(waveforms))
    warped, _ = make(1e-5).train()(waveforms, lengths_of(waveforms))
    torch.testing.assert_close(warped, plain, atol=1e-2, rtol=0)


def test_what_is_heard_depends_on_the_key_and_not_on_the_batch_or_padding():
    features = make(0.2).train()
    waveforms = torch.randn(100, LENGTH)
    with keyed_by(range(100), 0):
        batched, _ = features(waveforms, lengths_of(waveforms))
    alone = torch.nn.functional.pad(waveforms[70:71], (0, 500), value=7.0)
    for key, is_same in ((70, True), (71, False)):
        with keyed_by([key], 0):
            found, _ = features(alone, torch.tensor([LENGTH]))
        close = torch.allclose(found[0, : batched.size(1)], batched[70], atol=1e-4)
        assert close == is_same


def test_cepstra_hear_it_too():
    waveforms = torch.randn(2, LENGTH)
    features = MFCC(**FRAMING, n_mfcc=13, vocal_tract=0.2)
    plain, _ = features.eval()(waveforms, lengths_of(waveforms))
    warped, _ = features.train()(waveforms, lengths_of(waveforms))
    assert not torch.equal(plain, warped)


@pytest.mark.parametrize("value", [-0.1, 0.6, math.nan])
def test_a_factor_that_no_vocal_tract_has_is_refused(value):
    with pytest.raises(
        ValueError, match=r"vocal_tract is .*, expected a number from 0"
    ):
        make(value)
