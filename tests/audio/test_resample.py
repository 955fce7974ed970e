import math

import pytest
import torch
from torchaudio.transforms import Resample

from speechgru.audio import resample, resample_audio, resampled_length
from speechgru.audio.resample import Resampling
from speechgru.blocks import run_through
from speechgru.interfaces import InputError

RATE = 16000
AWKWARD = [1009, 15999, 16001, 44099, 47999, 96001, 399_989]


def tone(hertz: float, rate: int, seconds: float = 0.25) -> torch.Tensor:
    time = torch.arange(round(rate * seconds), dtype=torch.float64) / rate
    return torch.sin(2 * math.pi * hertz * time).float()


def loudness(waveform: torch.Tensor) -> float:
    """Of the middle, in dB of a full tone."""
    return 10 * math.log10(2 * waveform[200:-200].square().mean())


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_known_rates_keep_the_numbers_that_models_were_trained_on(rate):
    waveform = torch.randn(2, 3001, generator=torch.manual_seed(0))
    assert torch.equal(
        resample_audio(waveform, rate, RATE), Resample(rate, RATE)(waveform)
    )


@pytest.mark.parametrize("rates", [(8, 16), (441, 160), (3, 1), (160, 441)])
def test_the_filter_without_a_table_is_the_same(rates):
    waveform = torch.randn(2, 3001, generator=torch.manual_seed(0))
    torch.testing.assert_close(
        resample._resample_by_sample(waveform, *rates),
        Resample(*rates)(waveform),
        atol=1e-4,
        rtol=0,
    )


@pytest.mark.parametrize("rate", AWKWARD)
def test_coprime_rates_need_no_large_table(rate, monkeypatch):
    elements = []
    tables = resample._resampler
    monkeypatch.setattr(
        resample,
        "_resampler",
        lambda *rates: elements.append(tables(*rates).kernel.numel()) or tables(*rates),
    )
    resample_audio(torch.zeros(1000), rate, RATE)
    assert sum(elements) <= 1 << 22


@pytest.mark.parametrize(
    ("rate", "neighbour"), [(11027, 11025), (44099, 44100), (47999, 48000)]
)
@pytest.mark.parametrize("hertz", [100, 1000, 3000])
def test_a_tone_stays_as_pure_as_at_a_known_rate(rate, neighbour, hertz):
    errors = []
    for old in (rate, neighbour):
        resampled = resample_audio(tone(hertz, old), old, RATE)[:4000]
        errors.append(loudness(resampled - tone(hertz, RATE)))
    assert errors[0] == pytest.approx(errors[1], abs=0.5)
    assert errors[0] < -40


@pytest.mark.parametrize("rate", [47999, 96001, 399_989])
def test_what_the_new_rate_cannot_hold_is_gone(rate):
    assert loudness(resample_audio(tone(10_000, rate), rate, RATE)) < -40
    assert loudness(resample_audio(tone(20_000, rate), rate, RATE)) < -80


@pytest.mark.parametrize("rate", [8000, 22050, 44100, *AWKWARD])
@pytest.mark.parametrize("num_samples", [1, 441, 999, 1000])
def test_the_resampled_length_is_known_beforehand(rate, num_samples):
    resampled = resample_audio(torch.zeros(num_samples), rate, RATE)
    assert len(resampled) == resampled_length(num_samples, rate, RATE)


@pytest.mark.parametrize("rate", [0, -8000, 1, 2**31])
def test_a_rate_that_no_sound_has_is_refused(rate):
    with pytest.raises(InputError, match=f"sample_rate is {rate} Hz, expected 1000 to"):
        resample_audio(torch.zeros(10), rate, RATE)


@pytest.mark.parametrize(
    ("rate", "sample_rate"),
    [(8000, 8000), (8000, 16000), (16000, 8000), (44100, 16000), (16001, 16000)],
)
@pytest.mark.parametrize("length", [1, 5, 4411, 40_000])
def test_blocks_are_resampled_as_the_whole_is(rate, sample_rate, length):
    sound = torch.randn(1, length, generator=torch.Generator().manual_seed(1))
    whole = resample_audio(sound, rate, sample_rate)
    for size in (1, 777, 100_000):
        if length <= 100 * size:
            blocks = sound.split(size, dim=1)
            heard = [*run_through(Resampling(rate, sample_rate), blocks)]
            torch.testing.assert_close(
                torch.cat(heard, dim=1), whole, atol=1e-6, rtol=1e-5
            )


@pytest.mark.parametrize("rate", [44100, 44101])
def test_nothing_stays_nothing(rate):
    assert resample_audio(torch.zeros(0), rate, 16000).shape == (0,)
    assert resample_audio(torch.zeros(1, 0), rate, 16000).shape == (1, 0)
