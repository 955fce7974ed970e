import copy

import pytest
import torch
from torch import nn

from speechgru.model.encoders.ligru import LiGRUEncoder, LiGRURecurrence

LENGTHS = [9, 1, 4, 12]


def read(utterances, weight_ih, weight_hh, norm) -> list[torch.Tensor]:
    """The equations over the (T, F) frames of each utterance.

    BN is torch's, over the frames of all utterances one after another.
    """
    heard = nn.BatchNorm1d.forward(norm, torch.cat(utterances) @ weight_ih.t())
    recurrent_z, recurrent_c = weight_hh.chunk(2)
    results = []
    for rows in heard.split([len(frames) for frames in utterances]):
        state = torch.zeros_like(recurrent_z[0])
        states = []
        for row in rows:
            heard_z, heard_c = row.chunk(2)
            update = torch.sigmoid(heard_z + recurrent_z @ state)
            candidate = torch.relu(heard_c + recurrent_c @ state)
            state = update * state + (1 - update) * candidate
            states.append(state)
        results.append(torch.stack(states))
    return results


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_it_equals_the_equations_in_values_and_gradients(bidirectional, training):
    torch.manual_seed(0)
    encoder = LiGRUEncoder(4, 3, num_layers=2, bidirectional=bidirectional).double()
    for layer in encoder.layers:
        for norm in layer.norms:
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias)
            norm.running_mean.normal_()
    reference = copy.deepcopy(encoder.train(training))
    features = torch.randn(4, 14, 4, dtype=torch.float64, requires_grad=True)
    encoded, _ = encoder(features, torch.tensor(LENGTHS))
    encoded.square().sum().backward()

    again = features.detach().clone().requires_grad_()
    utterances = [row[:length] for row, length in zip(again, LENGTHS, strict=True)]
    for layer in reference.layers:
        both = []
        for backward, *parameters in zip(
            (False, True), layer.weight_ih, layer.weight_hh, layer.norms, strict=False
        ):
            turned = [u.flip(0) if backward else u for u in utterances]
            states = read(turned, *parameters)
            both.append([s.flip(0) if backward else s for s in states])
        utterances = [torch.cat(heard, dim=1) for heard in zip(*both, strict=True)]
    sum(frames.square().sum() for frames in utterances).backward()

    for found, expected in zip(encoded, utterances, strict=True):
        torch.testing.assert_close(found[: len(expected)], expected)
    torch.testing.assert_close(features.grad, again.grad)
    for (name, parameter), expected in zip(
        encoder.named_parameters(), reference.parameters(), strict=True
    ):
        assert parameter.grad.any(), name
        torch.testing.assert_close(parameter.grad, expected.grad, msg=name)
    for (name, value), expected in zip(
        encoder.named_buffers(), reference.buffers(), strict=True
    ):
        torch.testing.assert_close(value, expected, msg=name)


def make_arguments(directions=2, num_frames=5, batch=3, hidden=2):
    """What the input says, state and recurrent weights in double precision."""
    torch.manual_seed(num_frames)
    return [
        torch.randn(*shape, dtype=torch.float64, requires_grad=True)
        for shape in (
            (directions, num_frames, batch, 2 * hidden),
            (directions, batch, hidden),
            (directions, 2 * hidden, hidden),
        )
    ]


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (1, 6, 1, 3), (2, 5, 3, 2)], ids=str)
def test_the_gradient_is_that_of_finite_differences(sizes):
    assert torch.autograd.gradcheck(LiGRURecurrence.apply, make_arguments(*sizes))


@pytest.mark.parametrize("index", range(3))
def test_each_gradient_is_the_same_when_asked_for_alone(index):
    arguments = make_arguments()
    together = torch.autograd.grad(LiGRURecurrence.apply(*arguments).sum(), arguments)
    alone = [argument.detach() for argument in arguments]
    alone[index].requires_grad_()
    LiGRURecurrence.apply(*alone).sum().backward()
    torch.testing.assert_close(alone[index].grad, together[index])


def test_one_unit_worked_by_hand():
    # U_z = 0 and U_c = 2: z = 1/2 throughout, then h is the mean of h and c.
    says = torch.tensor([[0.0, 4.0], [0.0, -1.0], [0.0, -9.0]])[None, :, None]
    states = LiGRURecurrence.apply(
        says, torch.zeros(1, 1, 1), torch.tensor([[[0.0], [2.0]]])
    )
    assert states.flatten().tolist() == [
        2.0,  # (0 + 4) / 2
        2.5,  # (2 + (2 * 2 - 1)) / 2
        1.25,  # (2.5 + 0) / 2, since 2 * 2.5 - 9 < 0
    ]


@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_recurrent_weights_begin_orthogonal_gate_by_gate(bidirectional):
    torch.manual_seed(0)
    encoder = LiGRUEncoder(4, 6, num_layers=2, bidirectional=bidirectional)
    for layer in encoder.layers:
        weights = layer.weight_hh.detach().unflatten(1, (2, 6)).flatten(0, 1)
        assert len(weights) == 2 * (1 + bidirectional)
        for weight in weights:
            torch.testing.assert_close(
                weight @ weight.t(), torch.eye(6), atol=1e-5, rtol=0
            )
        assert len({weight.sum().item() for weight in weights}) == len(weights)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_weights_that_double_the_state_at_every_frame_do_no_harm_in_padding(
    bidirectional, training
):
    torch.manual_seed(0)
    encoder = LiGRUEncoder(4, 3, num_layers=2, bidirectional=bidirectional)
    with torch.no_grad():
        for layer in encoder.layers:
            layer.weight_hh[:, 3:] = 3 * torch.eye(3)
    features = torch.randn(2, 5, 4)
    padded = torch.cat([features, torch.zeros(2, 600, 4)], dim=1)
    lengths = torch.tensor([5, 3])
    encoder.train(training)
    expected, _ = encoder(features, lengths)
    encoded, _ = encoder(padded, lengths)
    torch.testing.assert_close(encoded[:, :5], expected)
    assert not encoded[:, 5:].any()
    encoded.sum().backward()
    assert all(p.grad.isfinite().all() for p in encoder.parameters())
