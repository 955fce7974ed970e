import math

import pytest
import torch
from encoder_family import MEMBERS
from torch import nn

from speechgru.features.log_mel import LogMel
from speechgru.features.normalize import NoNorm
from speechgru.interfaces import InputError
from speechgru.model.acoustic import AcousticModel
from speechgru.model.encoders.gru import GRUEncoder
from speechgru.model.encoders.ligru import LiGRUEncoder
from speechgru.model.encoders.lstm import LSTMEncoder
from speechgru.model.encoders.mingru import MinGRUEncoder
from speechgru.model.encoders.rnn import RNNEncoder
from speechgru.model.frontends.frame_stack import FrameStack
from speechgru.model.gradient_reach import gradient_reach


def make_model(encoder_class, num_layers=1, **options) -> AcousticModel:
    torch.manual_seed(0)
    features = LogMel(sample_rate=8000, n_fft=200, hop_length=80, n_mels=4)
    return AcousticModel(
        features,
        NoNorm(),
        None,
        FrameStack(4, factor=1),
        encoder_class(4, 6, num_layers, **options),
        num_tokens=4,
    )


def listen(model: AcousticModel, max_distance: int) -> torch.Tensor:
    waveform = 0.1 * torch.randn(80 * 60, generator=torch.Generator().manual_seed(1))
    return gradient_reach(model, waveform, torch.tensor([1, 2, 3]), max_distance)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_a_plain_rnn_loses_what_its_weights_say(bidirectional):
    model = make_model(RNNEncoder, bidirectional=bidirectional)
    with torch.no_grad():
        for name, parameter in model.encoder.layers[0].named_parameters():
            parameter.zero_()
            if "weight_hh" in name:
                parameter.copy_(0.5 * torch.eye(6))
    # Its states are 0, where tanh has slope 1: each frame halves the gradient.
    expected = 0.5 ** torch.arange(21.0)
    torch.testing.assert_close(listen(model, 20)[0], expected)


def test_an_update_gate_that_keeps_everything_loses_nothing():
    model = make_model(GRUEncoder)
    with torch.no_grad():
        for parameter in model.encoder.layers[0].parameters():
            parameter.zero_()
        model.encoder.layers[0].bias_ih_l0[6:12] = 50.0
    torch.testing.assert_close(listen(model, 20)[0], torch.ones(21))


def test_a_minimal_gru_loses_the_share_that_its_gate_renews():
    model = make_model(MinGRUEncoder)
    with torch.no_grad():
        linear = model.encoder.layers[0][0]
        linear.weight.zero_()
        linear.bias[:6] = math.log(0.1 / 0.9)  # sigmoid: 0.1
    torch.testing.assert_close(listen(model, 20)[0], 0.9 ** torch.arange(21.0))


def test_the_cell_of_an_lstm_counts_as_state():
    model = make_model(LSTMEncoder)
    with torch.no_grad():
        for parameter in model.encoder.layers[0].parameters():
            parameter.zero_()
        bias = model.encoder.layers[0].bias_ih_l0
        bias[6:12] = 50.0  # the forget gate keeps
    # h = 0.5 tanh(c): of the wish for h, half reaches the cell and stays there.
    expected = torch.tensor([1.0] + [0.5] * 20)
    torch.testing.assert_close(listen(model, 20)[0], expected)


@pytest.mark.parametrize("encoder_class", MEMBERS)
def test_every_layer_has_a_finite_curve_that_begins_at_one(encoder_class):
    model = make_model(encoder_class, num_layers=3, norm="layer", residual=True)
    curves = listen(model, 20)
    assert curves.shape == (3, 21)
    assert (curves[:, 0] == 1).all()
    assert (curves > 0).all()
    assert curves.isfinite().all()


def test_the_model_is_left_as_it_was():
    model = make_model(LiGRUEncoder).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    listen(model, 20)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_too_short_an_utterance_is_refused():
    with pytest.raises(InputError, match="61 output frames, expected more than 61"):
        listen(make_model(GRUEncoder), 61)


def test_other_encoders_are_refused():
    model = make_model(GRUEncoder)
    model.encoder = nn.Identity()
    with pytest.raises(InputError, match="encoder is Identity, expected a Stateful"):
        listen(model, 20)
