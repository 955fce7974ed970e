from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from speechgru.model.gru import GRUEncoder
from speechgru.model.torch_recurrent import run_packed

SHAPES = [
    (1, [1]),
    (9, [9]),
    (7, [7, 5]),
    (8, [1, 8, 3, 1]),
    (12, [2, 9, 9, 1, 11]),  # the batch is padded beyond its longest
    (40, [40, 17, 1, 33, 26, 8]),
]


@pytest.fixture
def encoder() -> GRUEncoder:
    torch.manual_seed(0)
    return GRUEncoder(input_size=4, hidden_size=3, num_layers=2).eval()


def run_stacked(encoder: GRUEncoder, features, lengths) -> torch.Tensor:
    """What torch's own packed, stacked nn.GRU makes of the same weights."""
    stacked = nn.GRU(
        features.size(2), 3, len(encoder.layers), batch_first=True, bidirectional=True
    )
    weights = {
        name.replace("_l0", f"_l{index}"): value
        for index, layer in enumerate(encoder.layers)
        for name, value in layer.state_dict().items()
    }
    stacked.load_state_dict(weights)
    packed = pack_padded_sequence(
        features, lengths, batch_first=True, enforce_sorted=False
    )
    return pad_packed_sequence(
        stacked(packed)[0], batch_first=True, total_length=features.size(1)
    )[0]


@pytest.mark.parametrize(("num_frames", "lengths"), SHAPES)
def test_the_cpu_path_equals_a_packed_layer_in_values_and_gradients(
    num_frames, lengths
):
    torch.manual_seed(num_frames)
    encoder = GRUEncoder(4, 3, num_layers=1)
    layer = encoder.layers[0]
    features = torch.randn(len(lengths), num_frames, 4)
    upstream = torch.randn(len(lengths), num_frames, 6)
    results = []
    for run in (partial(run_packed, layer), lambda *batch: encoder(*batch)[0]):
        inputs = features.clone().requires_grad_()
        layer.zero_grad()
        encoded = run(inputs, torch.tensor(lengths))
        (encoded * upstream).sum().backward()
        gradients = {name: p.grad.clone() for name, p in layer.named_parameters()}
        results.append((encoded, inputs.grad, gradients))
    (packed, packed_input, packed_gradients), (encoded, input_, gradients) = results
    torch.testing.assert_close(encoded, packed, atol=1e-5, rtol=0)
    torch.testing.assert_close(input_, packed_input, atol=1e-5, rtol=0)
    assert len(gradients) == 8
    for name, gradient in gradients.items():
        torch.testing.assert_close(
            gradient, packed_gradients[name], atol=1e-5, rtol=1e-5, msg=name
        )


@pytest.mark.parametrize(("num_frames", "lengths"), SHAPES)
def test_the_stack_equals_a_packed_stacked_gru(encoder, num_frames, lengths):
    features, lengths = torch.randn(len(lengths), num_frames, 4), torch.tensor(lengths)
    encoded, output_lengths = encoder(features, lengths)
    expected = run_stacked(encoder, features, lengths)
    torch.testing.assert_close(encoded, expected, atol=1e-5, rtol=0)
    assert torch.equal(output_lengths, lengths)


@pytest.mark.parametrize(("num_frames", "lengths"), SHAPES)
def test_frames_beyond_each_length_are_zero(encoder, num_frames, lengths):
    encoded, _ = encoder(
        torch.randn(len(lengths), num_frames, 4), torch.tensor(lengths)
    )
    assert encoded.shape == (len(lengths), num_frames, 6)
    for row, length in zip(encoded, lengths, strict=True):
        assert (row[length:] == 0).all()
        assert (row[:length] != 0).all()


def test_padding_does_not_change_valid_frames(encoder):
    features = torch.randn(2, 7, 4)
    batched, _ = encoder(features, torch.tensor([7, 5]))
    alone, _ = encoder(features[1:, :5], torch.tensor([5]))
    torch.testing.assert_close(batched[1:, :5], alone, atol=1e-6, rtol=0)
    features[1, 5:] = 1e3
    assert torch.equal(encoder(features, torch.tensor([7, 5]))[0], batched)


def test_padding_gets_no_gradient(encoder):
    features = torch.randn(2, 7, 4, requires_grad=True)
    encoder(features, torch.tensor([7, 5]))[0].sum().backward()
    assert (features.grad[1, 5:] == 0).all()
    assert (features.grad[1, :5] != 0).all()


def test_the_parameters_are_those_of_gru_layers(encoder):
    expected = {
        f"layers.{index}.{name}": value.shape
        for index, size in enumerate((4, 6))
        for name, value in nn.GRU(size, 3, bidirectional=True).named_parameters()
    }
    assert {name: p.shape for name, p in encoder.named_parameters()} == expected


def test_the_last_frame_hears_the_first_and_the_first_the_last(encoder):
    features, lengths = torch.randn(1, 6, 4), torch.tensor([6])
    before, _ = encoder(features, lengths)
    for changed, heard in ((0, 5), (5, 0)):
        other = features.clone()
        other[0, changed] += 1
        assert (encoder(other, lengths)[0][0, heard] - before[0, heard]).abs().max() > (
            1e-4
        )


def test_dropout_acts_between_layers_and_only_in_training():
    features, lengths = torch.randn(2, 6, 4), torch.tensor([6, 4])
    for num_layers, acts in ((1, False), (2, True)):
        encoder = GRUEncoder(4, 3, num_layers, dropout=0.5)
        first, second = encoder(features, lengths)[0], encoder(features, lengths)[0]
        assert torch.equal(first, second) is not acts
        encoder.eval()
        assert torch.equal(encoder(features, lengths)[0], encoder(features, lengths)[0])


def test_it_trains_under_autocast(encoder):
    features, lengths = torch.randn(2, 7, 4), torch.tensor([7, 5])
    expected, _ = encoder(features, lengths)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        encoded, _ = encoder(features, lengths)
    torch.testing.assert_close(encoded.float(), expected, atol=0.02, rtol=0)
    encoded.float().sum().backward()
    assert all(p.grad.isfinite().all() for p in encoder.parameters())


@pytest.mark.parametrize("length", [-1, 0, 8])
def test_impossible_lengths_are_refused(encoder, length):
    with pytest.raises(ValueError, match="expected 1 to 7"):
        encoder(torch.randn(2, 7, 4), torch.tensor([3, length]))


@pytest.mark.parametrize(
    ("num_layers", "dropout"), [(0, 0.0), (-1, 0.0), (2, 1.0), (2, -0.1)]
)
def test_impossible_stacks_are_refused(num_layers, dropout):
    with pytest.raises(
        ValueError,
        match=f"num_layers is {num_layers}, hidden_size 3 and dropout {dropout}, exp",
    ):
        GRUEncoder(4, 3, num_layers, dropout)
