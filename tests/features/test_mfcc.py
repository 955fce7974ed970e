import math

import pytest
import torch

from speechgru.features.log_mel import LogMel
from speechgru.features.mfcc import MFCC

OPTIONS = {"sample_rate": 8000, "n_fft": 64, "hop_length": 24, "n_mels": 6}


def orthonormal_dct(values: list[float], order: int) -> float:
    """DCT-II of a list, by its definition."""
    size = len(values)
    total = sum(
        value * math.cos(math.pi * order * (2 * index + 1) / (2 * size))
        for index, value in enumerate(values)
    )
    return total * math.sqrt((1 if order == 0 else 2) / size)


def test_coefficients_are_the_cosine_transform_of_the_log_mel_energies():
    torch.manual_seed(0)
    waveforms, lengths = torch.randn(1, 100) / 10, torch.tensor([100])
    log_mel, _ = LogMel(**OPTIONS)(waveforms, lengths)
    features, _ = MFCC(**OPTIONS, n_mfcc=4)(waveforms, lengths)
    expected = [
        [orthonormal_dct(frame, order) for order in range(4)]
        for frame in log_mel[0].tolist()
    ]
    torch.testing.assert_close(
        features[0], torch.tensor(expected), atol=1e-4, rtol=1e-4
    )


def test_an_utterance_alone_equals_its_row_beside_a_much_louder_one():
    torch.manual_seed(0)
    lengths = torch.tensor([150, 400])
    waveforms = torch.randn(2, 450) * torch.tensor([[1e-3], [1.0]])
    mfcc = MFCC(**OPTIONS, n_mfcc=4)
    batched, output_lengths = mfcc(waveforms, lengths)
    alone, _ = mfcc(waveforms[:1, :150], lengths[:1])
    valid = output_lengths[0]
    torch.testing.assert_close(batched[0, :valid], alone[0], atol=1e-4, rtol=0)
    assert (batched[0, valid:] == 0).all()


def test_lengths_are_those_of_log_mel():
    lengths = torch.arange(1, 100)
    mfcc, log_mel = MFCC(**OPTIONS, n_mfcc=4), LogMel(**OPTIONS)
    assert torch.equal(mfcc.output_lengths(lengths), log_mel.output_lengths(lengths))
    assert mfcc.output_size == 4


@pytest.mark.parametrize("n_mfcc", [0, 7])
def test_more_coefficients_than_bands_are_refused(n_mfcc):
    with pytest.raises(
        ValueError, match=f"n_mfcc is {n_mfcc}, expected a whole number from 1 to 6"
    ):
        MFCC(**OPTIONS, n_mfcc=n_mfcc)
