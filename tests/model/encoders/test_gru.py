"""The GRU's own path on a CPU; its contract is tested with its family."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from speechgru.features.padding import ValidFrames
from speechgru.model.encoders.gru import GRUEncoder
from speechgru.model.encoders.torch_recurrent import TorchRecurrentEncoder


def make(bidirectional: bool = True, hidden_size: int = 3) -> GRUEncoder:
    torch.manual_seed(0)
    return GRUEncoder(4, hidden_size, num_layers=1, bidirectional=bidirectional)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("hidden_size", [1, 7])
@pytest.mark.parametrize("num_utterances", [1, 5])
def test_written_out_or_torchs_own_the_recurrence_is_the_same(
    num_utterances, hidden_size, bidirectional
):
    encoder = make(bidirectional, hidden_size)
    (layer,) = encoder.layers
    aligned = torch.randn(1 + bidirectional, 9, num_utterances, 4, requires_grad=True)
    state = torch.randn(
        1 + bidirectional, num_utterances, hidden_size, requires_grad=True
    )
    lengths = torch.full((num_utterances,), 9)
    valid = ValidFrames(lengths, 9, aligned.device, time_first=True)
    arguments = [aligned, state, *layer.parameters()]
    results = []
    for run in (GRUEncoder.run, TorchRecurrentEncoder.run):
        encoded, after = run(encoder, layer, aligned, valid, state)
        assert torch.equal(after, encoded[:, -1])
        gradients = torch.autograd.grad(encoded.square().sum(), arguments)
        results.append([encoded, *gradients])
    for written, torchs in zip(*results, strict=True):
        torch.testing.assert_close(written, torchs, atol=1e-5, rtol=1e-5)


def test_long_utterances_equal_a_packed_layer_in_values_and_gradients():
    encoder = make()
    (layer,) = encoder.layers
    features, lengths = torch.randn(2, 584, 4), torch.tensor([584, 311])
    upstream = torch.randn(2, 584, 6)
    results = []

    def run_packed(features, lengths):
        packed = pack_padded_sequence(features, lengths, batch_first=True)
        return pad_packed_sequence(layer(packed)[0], batch_first=True)[0]

    for run in (lambda *batch: encoder(*batch)[0], run_packed):
        inputs = features.clone().requires_grad_()
        encoded = run(inputs, lengths)
        gradients = torch.autograd.grad(
            encoded, [inputs, *layer.parameters()], upstream
        )
        results.append([encoded, *gradients])
    for found, packed in zip(*results, strict=True):
        torch.testing.assert_close(found, packed, atol=1e-5, rtol=1e-5)


def test_biases_that_close_the_gates_make_every_frame_stand_alone():
    encoder = make(bidirectional=False)
    (layer,) = encoder.layers
    with torch.no_grad():
        layer.bias_ih_l0[:6] = -100.0  # nothing of the past is used, nothing kept
    features = torch.randn(1, 8, 4)
    weight, bias = layer.weight_ih_l0[6:], layer.bias_ih_l0[6:]
    torch.testing.assert_close(
        encoder(features, torch.tensor([8]))[0],
        torch.tanh(nn.functional.linear(features, weight, bias)),
    )


def test_biases_that_open_the_update_gate_keep_silence():
    encoder = make()
    (layer,) = encoder.layers
    with torch.no_grad():
        layer.bias_ih_l0[3:6] = layer.bias_ih_l0_reverse[3:6] = 100.0
    encoded, _ = encoder(torch.randn(2, 8, 4), torch.tensor([8, 3]))
    assert not encoded.any()
