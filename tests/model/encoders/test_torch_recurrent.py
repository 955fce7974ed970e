"""The encoders of torch's layers against torch itself, packed and stacked."""

import pytest
import torch
from encoder_family import OF_TORCH
from pairwise import each_pair
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from speechgru.features.padding import ValidFrames
from speechgru.model.encoders.lstm import LSTMEncoder
from speechgru.model.encoders.packing import plan_packing
from speechgru.model.encoders.torch_recurrent import (
    directions,
    join_layers,
    run_rows,
)

SHAPES = [
    (1, [1]),
    (9, [9]),
    (7, [7, 5]),
    (8, [1, 8, 3, 1]),
    (12, [2, 9, 9, 1, 11]),  # the batch is padded beyond its longest
    (40, [40, 17, 1, 33, 26, 8]),
]

each_member = pytest.mark.parametrize("member", OF_TORCH)
each_direction = pytest.mark.parametrize("bidirectional", [True, False])
each_shape = pytest.mark.parametrize(("num_frames", "lengths"), SHAPES)


def make(member, num_layers: int, bidirectional: bool = True):
    torch.manual_seed(0)
    return member(4, 3, num_layers, bidirectional=bidirectional)


def make_torch(encoder):
    """Torch's own stack of the same weights, loaded by name."""
    torch_layer = type(encoder).torch_layer
    stacked = torch_layer(
        4, 3, len(encoder.layers), batch_first=True, bidirectional=encoder.bidirectional
    )
    weights = {
        name.replace("_l0", f"_l{index}"): value
        for index, layer in enumerate(encoder.layers)
        for name, value in layer.state_dict().items()
    }
    stacked.load_state_dict(weights)
    return stacked


def run_torch(stacked, features, lengths):
    packed = pack_padded_sequence(
        features, lengths, batch_first=True, enforce_sorted=False
    )
    return pad_packed_sequence(
        stacked(packed)[0], batch_first=True, total_length=features.size(1)
    )[0]


@each_pair(member=OF_TORCH, shape=SHAPES, bidirectional=[True, False])
def test_values_and_gradients_are_those_of_torch(member, shape, bidirectional):
    num_frames, lengths = shape
    encoder = make(member, 2, bidirectional)
    stacked = make_torch(encoder)
    features = torch.randn(len(lengths), num_frames, 4, requires_grad=True)
    features_for_torch = features.detach().clone().requires_grad_()
    lengths = torch.tensor(lengths)
    encoded, _ = encoder(features, lengths)
    expected = run_torch(stacked, features_for_torch, lengths)
    torch.testing.assert_close(encoded, expected, atol=1e-5, rtol=0)

    upstream = torch.randn_like(encoded)
    encoded.backward(upstream)
    expected.backward(upstream)
    torch.testing.assert_close(
        features.grad, features_for_torch.grad, atol=1e-5, rtol=0
    )
    gradients = {name: p.grad for name, p in stacked.named_parameters()}
    for index, layer in enumerate(encoder.layers):
        for name, parameter in layer.named_parameters():
            expected_gradient = gradients.pop(name.replace("_l0", f"_l{index}"))
            torch.testing.assert_close(
                parameter.grad, expected_gradient, atol=1e-5, rtol=1e-5, msg=name
            )
    assert not gradients


@each_shape
def test_rows_are_packed_as_torch_packs_them(num_frames, lengths):
    features = torch.randn(len(lengths), num_frames, 4)
    lengths = torch.tensor(lengths)
    packing = plan_packing(ValidFrames(lengths, num_frames, features.device))
    expected = pack_padded_sequence(
        features, lengths, batch_first=True, enforce_sorted=False
    )
    assert torch.equal(packing.pack(features), expected.data)
    assert torch.equal(packing.batch_sizes, expected.batch_sizes)
    padded, _ = pad_packed_sequence(expected, batch_first=True, total_length=num_frames)
    assert torch.equal(packing.pad(expected.data), padded)


@each_pair(
    member=OF_TORCH, shape=SHAPES, num_layers=[1, 3], bidirectional=[True, False]
)
def test_packed_layers_are_what_a_cpu_runs_unpacked(
    member, shape, num_layers, bidirectional
):
    num_frames, lengths = shape
    encoder = make(member, num_layers, bidirectional)
    features = torch.randn(len(lengths), num_frames, 4)
    lengths = torch.tensor(lengths)
    packing = plan_packing(ValidFrames(lengths, num_frames, features.device))
    rows = packing.pack(features)
    encoded = packing.pad(run_rows(encoder.layers, rows, packing.batch_sizes))
    torch.testing.assert_close(
        encoded, encoder(features, lengths)[0], atol=1e-5, rtol=0
    )


@each_pair(member=OF_TORCH, bidirectional=[True, False])
def test_joined_layers_share_their_parameters_and_are_one(member, bidirectional):
    encoder = make(member, 3, bidirectional)
    joined = join_layers(encoder.layers)
    assert {id(p) for p in joined.parameters()} == {id(p) for p in encoder.parameters()}
    frames = torch.randn(7, 2, 4)
    expected, _ = encoder(frames.transpose(0, 1), torch.tensor([7, 7]))
    torch.testing.assert_close(joined(frames)[0].transpose(0, 1), expected)
    # Its flat weights are in the order in which they are handed to cuDNN.
    of_layers = [weights for layer in encoder.layers for weights in directions(layer)]
    found = [weight for weights in of_layers for weight in weights]
    assert all(a is b for a, b in zip(joined._flat_weights, found, strict=True))


@each_direction
@each_member
def test_it_goes_on_from_a_state_as_torch_does(member, bidirectional):
    encoder = make(member, 1, bidirectional)
    (layer,) = encoder.layers
    features = torch.randn(2, 6, 4)
    directions = 1 + bidirectional
    # An LSTM's state is two: what it says, and its cells.
    parts = torch.randn(2 if member is LSTMEncoder else 1, directions, 2, 3)
    parts.requires_grad_()
    expected, after = layer(features, parts[0] if len(parts) == 1 else tuple(parts))
    expected_after = torch.cat(after if len(parts) == 2 else [after], dim=2)

    frames = features.transpose(0, 1)
    aligned = torch.stack([frames, frames.flip(0)][:directions])
    state = torch.cat(tuple(parts), dim=2)
    valid = ValidFrames(torch.tensor([6, 6]), 6, frames.device, time_first=True)
    encoded, state_after = encoder.run(layer, aligned, valid, state)
    torch.testing.assert_close(encoded[0], expected.transpose(0, 1)[..., :3])
    if bidirectional:
        torch.testing.assert_close(
            encoded[1].flip(0), expected.transpose(0, 1)[..., 3:]
        )
    torch.testing.assert_close(state_after, expected_after)
    (found,) = torch.autograd.grad(state_after.square().sum(), parts)
    (wanted,) = torch.autograd.grad(expected_after.square().sum(), parts)
    torch.testing.assert_close(found, wanted)


@each_direction
@each_member
def test_the_parameters_are_those_of_torch_layers(member, bidirectional):
    encoder = make(member, 2, bidirectional)
    layers = [
        member.torch_layer(size, 3, bidirectional=bidirectional)
        for size in (4, encoder.output_size)
    ]
    weights = {
        f"layers.{index}.{name}": value
        for index, layer in enumerate(layers)
        for name, value in layer.state_dict().items()
    }
    shapes = {name: value.shape for name, value in encoder.state_dict().items()}
    assert shapes == {name: value.shape for name, value in weights.items()}
    encoder.load_state_dict(weights)  # strictly
    assert all(torch.equal(encoder.state_dict()[n], v) for n, v in weights.items())
