import math

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from speechgru.model.encoders.gru import GRUEncoder
from speechgru.model.encoders.gru_cell import GRUWeights, gru_step, trace_gru

SIZES = [
    (1, 1, 1),
    (1, 7, 1),
    (4, 3, 9),
    (5, 16, 30),
    (40, 8, 100),
    (64, 128, 60),
    (256, 64, 25),
]
"""F, H, T."""


def make_layer(input_size: int, hidden_size: int, bidirectional: bool) -> nn.GRU:
    """A layer in double precision, where rounding hides no wrong equation."""
    torch.manual_seed(input_size + hidden_size)
    return nn.GRU(
        input_size, hidden_size, batch_first=True, bidirectional=bidirectional
    ).double()


def join_outputs(traces) -> torch.Tensor:
    return torch.cat([trace.output for trace in traces], dim=2)


def constant_weights(frame: float, state: float) -> GRUWeights:
    """One feature and one unit; every weight alike, no biases."""
    zero = torch.zeros(3)
    return GRUWeights(torch.full((3, 1), frame), torch.full((3, 1), state), zero, zero)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_utterances", [1, 3])
@pytest.mark.parametrize(("input_size", "hidden_size", "num_frames"), SIZES)
def test_the_outputs_are_those_of_torch(
    input_size, hidden_size, num_frames, num_utterances, bidirectional
):
    layer = make_layer(input_size, hidden_size, bidirectional)
    features = torch.randn(num_utterances, num_frames, input_size).double()
    traces = trace_gru(layer, features)
    assert len(traces) == 1 + bidirectional
    torch.testing.assert_close(
        join_outputs(traces), layer(features)[0], atol=1e-12, rtol=0
    )


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("input_size", "hidden_size", "num_frames"), SIZES[2:])
def test_padded_utterances_get_the_outputs_of_a_packed_layer(
    input_size, hidden_size, num_frames, bidirectional
):
    layer = make_layer(input_size, hidden_size, bidirectional)
    lengths = torch.tensor([num_frames // 2, num_frames - 1, 1])
    features = torch.randn(3, num_frames, input_size).double()
    packed = pack_padded_sequence(
        features, lengths, batch_first=True, enforce_sorted=False
    )
    expected, _ = pad_packed_sequence(
        layer(packed)[0], batch_first=True, total_length=num_frames
    )
    traces = trace_gru(layer, features, lengths)
    torch.testing.assert_close(join_outputs(traces), expected, atol=1e-12, rtol=0)


def test_padding_changes_no_gate_and_has_none():
    layer = make_layer(4, 3, bidirectional=True)
    features = torch.randn(2, 9, 4).double()
    together = trace_gru(layer, features, torch.tensor([9, 5]))
    alone = trace_gru(layer, features[1:, :5])
    for padded, expected in zip(together, alone, strict=True):
        for name, values in padded._asdict().items():
            torch.testing.assert_close(values[1:, :5], getattr(expected, name))
            assert (values[1, 5:] == 0).all(), name


def test_layer_by_layer_it_is_the_encoder():
    torch.manual_seed(0)
    encoder = GRUEncoder(input_size=4, hidden_size=3, num_layers=3).eval()
    features, lengths = torch.randn(2, 8, 4), torch.tensor([8, 6])
    frames = features
    for layer in encoder.layers:
        frames = join_outputs(trace_gru(layer, frames, lengths))
    expected, _ = encoder(features, lengths)
    torch.testing.assert_close(frames, expected, atol=1e-6, rtol=0)


def test_one_step_worked_by_hand():
    # W x = ln 3, U h = 0: r = z = 3/4, n = tanh(ln 3) = (9 - 1) / (9 + 1).
    step = gru_step(
        torch.tensor([[math.log(3)]]), torch.tensor([[1.0]]), constant_weights(1.0, 0.0)
    )
    expected = (0.75, 0.75, 0.8, 0.25 * 0.8 + 0.75 * 1.0)
    for value, by_hand in zip(step, expected, strict=True):
        assert value.item() == pytest.approx(by_hand, abs=1e-6)


def test_the_reset_gate_scales_the_product_and_not_the_state_alone():
    # W x = 0, U h = ln 3 and c_n = ln 9: r = 3/4, and the bias is reset too.
    weights = constant_weights(0.0, math.log(3))
    weights = weights._replace(state_bias=torch.tensor([0.0, 0.0, math.log(9)]))
    step = gru_step(torch.zeros(1, 1), torch.ones(1, 1), weights)
    assert step.reset.item() == pytest.approx(0.75)
    assert step.candidate.item() == pytest.approx(math.tanh(0.75 * math.log(27)))


@pytest.mark.parametrize(("bias", "keeps"), [(100.0, True), (-100.0, False)])
def test_an_update_gate_of_one_keeps_the_state_and_zero_replaces_it(bias, keeps):
    weights = constant_weights(1.0, 1.0)._replace(
        frame_bias=torch.tensor([0.0, bias, 0.0])
    )
    state = torch.tensor([[0.3]])
    step = gru_step(torch.tensor([[0.7]]), state, weights)
    assert torch.equal(step.output, state if keeps else step.candidate)
    assert not torch.equal(state, step.candidate)


def test_a_reset_gate_of_zero_makes_the_candidate_forget():
    weights = constant_weights(1.0, 1.0)._replace(
        frame_bias=torch.tensor([-100.0, 0.0, 0.0])
    )
    frame = torch.tensor([[0.7]])
    candidates = [
        gru_step(frame, torch.tensor([[state]]), weights).candidate
        for state in (-1.0, 1.0)
    ]
    assert torch.equal(*candidates)


@pytest.mark.parametrize("options", [{"num_layers": 2}, {"bias": False}])
def test_other_layers_are_refused(options):
    layer = nn.GRU(4, 3, batch_first=True, **options)
    with pytest.raises(ValueError, match="expected 1 layer with biases"):
        trace_gru(layer, torch.zeros(1, 2, 4))
