"""Every member of the family offers what `contract.py` lists."""

from importlib import import_module

import pytest
import torch
from encoder_family import MEMBERS, each_member
from pairwise import each_pair
from torch import nn

from speechgru.model.encoders.contract import (
    BlockEncoder,
    DirectedEncoder,
    GatedEncoder,
    LayeredEncoder,
    LiveEncoder,
    StatefulEncoder,
)
from speechgru.model.encoders.gru import GRUEncoder
from speechgru.model.encoders.lstm import LSTMEncoder
from speechgru.model.encoders.recurrent import RecurrentEncoder
from speechgru.options import choices, choose

ALL = (LayeredEncoder, DirectedEncoder, LiveEncoder, BlockEncoder, StatefulEncoder)
LENGTHS = torch.tensor([6, 4])


def make(member, **options):
    torch.manual_seed(0)
    return member(4, 5, 3, **options).eval()


def make_frames():
    return torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(1))


@each_member
def test_every_member_offers_all_but_gates_to_watch(member):
    encoder = make(member)
    for contract in ALL:
        assert isinstance(encoder, contract)
    assert isinstance(encoder, GatedEncoder) is (member is GRUEncoder)


def test_another_module_offers_nothing():
    for contract in ALL:
        assert not isinstance(nn.Linear(2, 2), contract)


@each_pair(
    member=MEMBERS,
    norm=[None, "batch", "layer"],
    residual=[False, True],
    hearing=[{}, {"bidirectional": False}, {"bidirectional": False, "lookahead": 2}],
)
def test_a_walk_finished_is_a_call(member, norm, residual, hearing):
    encoder = make(member, norm=norm, residual=residual, **hearing)
    steps = list(encoder.walk(make_frames(), LENGTHS))
    assert len(steps) == 3
    for entered, frames, length in zip(
        steps[0][0], make_frames(), LENGTHS, strict=True
    ):
        assert torch.equal(entered[:length], frames[:length])
    for _, encoded in steps:
        assert encoded.shape == (2, 6, encoder.output_size)
    expected, _ = encoder(make_frames(), LENGTHS)
    assert torch.equal(encoder.finish(steps[-1][1]), expected)


@pytest.mark.parametrize("bidirectional", [True, False])
@each_member
def test_the_states_of_a_layer_hold_what_it_gives_out(member, bidirectional):
    encoder = make(member, bidirectional=bidirectional)
    lengths = torch.tensor([6])
    for index, (inputs, encoded) in enumerate(encoder.walk(make_frames()[:1], lengths)):
        states = encoder.states_of(index, inputs[0])
        assert len(states) == 6
        found = torch.stack([encoder.output_of(state)[0, 0] for state in states])
        torch.testing.assert_close(found, encoded[0, :, : encoder.hidden_size])


@each_member
def test_each_state_is_computed_from_the_one_before(member):
    encoder = make(member)
    states = encoder.states_of(0, make_frames()[0])
    loss = encoder.output_of(states[-1])[0, 0].sum()
    for gradient in torch.autograd.grad(loss, states):
        assert gradient[0].any()


def test_an_lstm_gives_out_its_state_without_the_cells():
    state = torch.arange(20.0).view(1, 2, 10)
    assert torch.equal(make(LSTMEncoder).output_of(state), state[..., :5])


@each_member
def test_only_a_unidirectional_stack_without_lookahead_does_not_hear_the_future(member):
    assert make(member).hears_future
    assert make(member, bidirectional=False, lookahead=1).hears_future
    assert not make(member, bidirectional=False).hears_future


@each_member
def test_every_matrix_of_a_layer_consists_of_whole_blocks(member):
    encoder = make(member, norm="batch")
    blocks = encoder.weight_blocks()
    for weight in encoder.layers.parameters():
        assert (weight in blocks) is (weight.dim() > 1)
    for weight, (rows, columns) in blocks.items():
        assert weight.numel() % (rows * columns) == 0
        assert rows == encoder.hidden_size


def test_the_gates_of_a_gru_are_traced_layer_by_layer():
    encoder = make(GRUEncoder)
    traces = encoder.trace_gates(make_frames(), LENGTHS)
    steps = encoder.walk(make_frames(), LENGTHS)
    for both, (_, encoded) in zip(traces, steps, strict=True):
        found = torch.cat([trace.output for trace in both], dim=2)
        torch.testing.assert_close(found, encoded)


def test_every_recurrent_encoder_of_conf_is_in_the_family():
    found = set()
    for name in choices("encoder"):
        module, _, cls = choose("encoder", name).target.rpartition(".")
        encoder = getattr(import_module(module), cls)
        if issubclass(encoder, RecurrentEncoder):
            found.add(encoder)
    assert found == {*MEMBERS}, "enter it in MEMBERS of tests/encoder_family.py"
