"""A model's front end hears a recording as it comes."""

import pytest
import torch
from torch import nn

from speechgru.blocks import run_through
from speechgru.features.log_mel import LogMel
from speechgru.features.normalize import GlobalNorm, UtteranceNorm
from speechgru.interfaces import InputError
from speechgru.model.acoustic import AcousticModel
from speechgru.model.encoders.gru import GRUEncoder
from speechgru.model.frontends.conv1d import Conv1dSubsampling
from speechgru.model.live_inputs import stream_inputs


def make_model(normalize: nn.Module, subsampling: nn.Module | None = None):
    features = LogMel(sample_rate=8000, n_fft=64, hop_length=24, n_mels=6)
    if subsampling is None:
        subsampling = Conv1dSubsampling(6, 4, 5, 5)
    return AcousticModel(
        features, normalize, None, subsampling, GRUEncoder(5, 3, 1), num_tokens=4
    ).eval()


@torch.no_grad()
def test_samples_give_the_encoder_what_the_whole_gives():
    torch.manual_seed(0)
    model = make_model(GlobalNorm(6))
    waveforms = torch.randn(1, 3001)
    whole, _ = model.encoder_inputs(waveforms, torch.tensor([3001]))
    for size in (1, 160, 5000):
        blocks = run_through(stream_inputs(model), waveforms.split(size, dim=1))
        heard = torch.cat([*blocks], dim=1)
        torch.testing.assert_close(heard, whole, atol=1e-5, rtol=1e-5)


def test_what_needs_the_whole_recording_says_so_and_what_does_not():
    with pytest.raises(InputError, match=r"UtteranceNorm.*train with normalize=global"):
        stream_inputs(make_model(UtteranceNorm()))

    class Own(nn.Identity):
        output_size, factor = 5, 1

    with pytest.raises(InputError, match="subsampling are Own, which has no by_blocks"):
        stream_inputs(make_model(GlobalNorm(6), Own()))
