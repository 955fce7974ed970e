import copy
import math

import pytest
import torch

from speechgru.model.encoders.mingru import MinGRUEncoder

LENGTHS = [9, 1, 4, 20]


def read(frames, linear) -> torch.Tensor:
    """The equations over the (T, F) frames of one utterance."""
    weight_z, weight_c = linear.weight.chunk(2)
    bias_z, bias_c = linear.bias.chunk(2)
    state = torch.zeros_like(bias_z)
    states = []
    for frame in frames:
        update = torch.sigmoid(weight_z @ frame + bias_z)
        candidate = weight_c @ frame + bias_c
        state = (1 - update) * state + update * candidate
        states.append(state)
    return torch.stack(states)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_it_equals_the_equations_in_values_and_gradients(bidirectional):
    torch.manual_seed(0)
    encoder = MinGRUEncoder(4, 3, num_layers=2, bidirectional=bidirectional).double()
    reference = copy.deepcopy(encoder)
    features = torch.randn(4, 22, 4, dtype=torch.float64, requires_grad=True)
    encoded, _ = encoder(features, torch.tensor(LENGTHS))
    encoded.square().sum().backward()

    again = features.detach().clone().requires_grad_()
    loss = 0
    for row, length, found in zip(again, LENGTHS, encoded, strict=True):
        frames = row[:length]
        for layer in reference.layers:
            heard = [read(frames, layer[0])]
            if bidirectional:
                heard.append(read(frames.flip(0), layer[1]).flip(0))
            frames = torch.cat(heard, dim=1)
        torch.testing.assert_close(found[:length], frames, atol=1e-12, rtol=0)
        loss = loss + frames.square().sum()
    loss.backward()
    torch.testing.assert_close(features.grad, again.grad, atol=1e-12, rtol=0)
    for (name, parameter), expected in zip(
        encoder.named_parameters(), reference.parameters(), strict=True
    ):
        torch.testing.assert_close(parameter.grad, expected.grad, msg=name)


def test_one_unit_worked_by_hand():
    encoder = MinGRUEncoder(1, 1, num_layers=1, bidirectional=False)
    (linear,) = encoder.layers[0]
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[0.0], [2.0]]))
        linear.bias.copy_(torch.tensor([math.log(3), 0.0]))  # z = 3/4, c = 2 x
    encoded, _ = encoder(torch.tensor([[[1.0], [-2.0]]]), torch.tensor([2]))
    expected = [0.75 * 2, 0.25 * 1.5 + 0.75 * -4]
    torch.testing.assert_close(encoded[0, :, 0], torch.tensor(expected))


def test_half_precision_does_not_change_how_long_it_remembers():
    torch.manual_seed(0)
    encoder = MinGRUEncoder(4, 3, num_layers=1)
    with torch.no_grad():
        for linear in encoder.layers[0]:
            linear.bias[:3] = -6.0  # about 400 frames
    features, lengths = torch.randn(2, 400, 4) + 1, torch.tensor([400, 300])
    expected, _ = encoder(features, lengths)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        encoded, _ = encoder(features, lengths)
    error = (encoded - expected).abs().max() / expected.abs().max()
    assert error < 0.02
