import math

import pytest
import torch

from speechgru.features.log_mel import LogMel

N_FFT, HOP = 64, 24


def make_batch(lengths: list[int], extra: int = 0) -> torch.Tensor:
    """Waveforms that hold garbage beyond each length."""
    torch.manual_seed(0)
    waveforms = torch.full((len(lengths), max(lengths) + extra), 7.0)
    for row, length in zip(waveforms, lengths, strict=True):
        row[:length] = torch.randn(length) / 10
    return waveforms


@pytest.fixture
def log_mel() -> LogMel:
    return LogMel(sample_rate=8000, n_fft=N_FFT, hop_length=HOP, n_mels=6)


@pytest.mark.parametrize("n_fft", [64, 65])
def test_reported_lengths_are_the_frames_made_for_every_number_of_samples(n_fft):
    log_mel = LogMel(sample_rate=8000, n_fft=n_fft, hop_length=HOP, n_mels=6)
    for num_samples in range(1, 4 * HOP + 3):
        lengths = torch.tensor([num_samples])
        features, output_lengths = log_mel(torch.zeros(1, num_samples), lengths)
        assert features.shape == (1, output_lengths.item(), 6)
        assert torch.equal(log_mel.output_lengths(lengths), output_lengths)


def test_a_frame_is_centred_on_every_multiple_of_the_hop(log_mel):
    # 0, 24 and 48 lie within 48 samples, as long as an end counts as within.
    assert log_mel.output_lengths(torch.tensor([1, 23, 24, 47, 48])).tolist() == [
        1, 1, 2, 2, 3,
    ]  # fmt: skip


@pytest.mark.parametrize("extra", [0, 1, 500])
def test_an_utterance_alone_equals_its_row_in_a_padded_batch(log_mel, extra):
    lengths = [1, 30, 63, 64, 200, 431, 480]
    waveforms = make_batch(lengths, extra)
    batched, output_lengths = log_mel(waveforms, torch.tensor(lengths))
    for index, length in enumerate(lengths):
        alone, _ = log_mel(
            waveforms[index : index + 1, :length], torch.tensor([length])
        )
        valid = output_lengths[index]
        torch.testing.assert_close(batched[index, :valid], alone[0], atol=1e-4, rtol=0)


def test_frames_beyond_each_length_are_zero(log_mel):
    features, lengths = log_mel(make_batch([40, 400]), torch.tensor([40, 400]))
    assert lengths.tolist() == [2, 17]
    assert features.shape[1] == 17
    assert (features[0, 2:] == 0).all()
    assert (features[0, :2] != 0).all()


def test_silence_is_at_the_floor(log_mel):
    features, _ = log_mel(torch.zeros(1, 100), torch.tensor([100]))
    torch.testing.assert_close(features, torch.full((1, 5, 6), math.log(1e-8)))


def test_ten_times_the_amplitude_adds_the_logarithm_of_a_hundred(log_mel):
    waveforms, lengths = make_batch([300]), torch.tensor([300])
    quiet, loud = log_mel(waveforms, lengths)[0], log_mel(10 * waveforms, lengths)[0]
    torch.testing.assert_close(
        loud - quiet, torch.full_like(quiet, math.log(100)), atol=1e-3, rtol=0
    )


def test_a_higher_tone_excites_a_higher_band():
    log_mel = LogMel(sample_rate=8000, n_fft=256, hop_length=64, n_mels=8)
    seconds = torch.arange(2000) / 8000
    bands = []
    for frequency in (200, 500, 1000, 2000, 3500):
        tone = torch.sin(2 * math.pi * frequency * seconds)[None]
        features, _ = log_mel(tone, torch.tensor([2000]))
        bands.append(features[0, 10].argmax().item())
    assert bands == sorted(set(bands))


def test_features_stay_float32_under_autocast(log_mel):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features, _ = log_mel(make_batch([300]), torch.tensor([300]))
    assert features.dtype == torch.float32
    assert torch.equal(features, log_mel(make_batch([300]), torch.tensor([300]))[0])


@pytest.mark.parametrize(
    ("option", "value"), [("hop_length", 0), ("win_length", 65), ("win_length", -1)]
)
def test_impossible_framing_is_refused(option, value):
    options = {"n_fft": N_FFT, "hop_length": HOP, option: value}
    with pytest.raises(ValueError, match=f"{option} is {value}|{option} {value}"):
        LogMel(sample_rate=8000, n_mels=6, **options)
