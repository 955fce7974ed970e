import pytest
import torch

from speechgru.model.encoders.gru_cell import GRUWeights, gru_step
from speechgru.model.encoders.gru_cpu import GRURecurrence

SIZES = [
    (1, 1, 1, 1, 1),
    (1, 1, 3, 4, 2),
    (1, 6, 1, 2, 3),
    (2, 4, 2, 3, 2),
]
"""D, T, B, F, H."""

each_size = pytest.mark.parametrize("sizes", SIZES, ids=str)


def make_arguments(sizes) -> list[torch.Tensor]:
    """Frames, state, weights and biases in double precision."""
    directions, num_frames, batch, features, hidden = sizes
    torch.manual_seed(sum(sizes))
    return [
        torch.randn(*shape, dtype=torch.float64, requires_grad=True)
        for shape in (
            (directions, num_frames, batch, features),
            (directions, batch, hidden),
            (directions, 3 * hidden, features),
            (directions, 3 * hidden, hidden),
            (directions, 3 * hidden),
            (directions, 3 * hidden),
        )
    ]


def run_in_steps(frames, state, *parameters) -> torch.Tensor:
    """The equations, frame by frame."""
    directions = []
    for frames_there, before, *weights in zip(frames, state, *parameters, strict=True):
        states = [before]
        for frame in frames_there:
            states.append(gru_step(frame, states[-1], GRUWeights(*weights)).output)
        directions.append(torch.stack(states[1:]))
    return torch.stack(directions)


@each_size
def test_the_gradient_is_that_of_finite_differences(sizes):
    assert torch.autograd.gradcheck(GRURecurrence.apply, make_arguments(sizes))


@pytest.mark.parametrize("sizes", [*SIZES, (2, 50, 4, 6, 5)], ids=str)
def test_it_equals_the_equations_in_values_and_gradients(sizes):
    arguments = make_arguments(sizes)
    states, expected = GRURecurrence.apply(*arguments), run_in_steps(*arguments)
    torch.testing.assert_close(states, expected, atol=1e-12, rtol=0)
    upstream = torch.randn_like(states)
    for found, wanted in zip(
        torch.autograd.grad(states, arguments, upstream),
        torch.autograd.grad(expected, arguments, upstream),
        strict=True,
    ):
        torch.testing.assert_close(found, wanted, atol=1e-11, rtol=1e-9)


@each_size
def test_without_a_gradient_its_scratch_space_is_shared_and_its_values_are_not(sizes):
    arguments = make_arguments(sizes)
    expected = GRURecurrence.apply(*arguments).detach()
    constants = [argument.detach() for argument in arguments]
    assert torch.equal(GRURecurrence.apply(*constants), expected)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            assert torch.equal(GRURecurrence.apply(*arguments), expected)


@pytest.mark.parametrize("index", range(6))
def test_each_gradient_is_the_same_when_asked_for_alone(index):
    arguments = make_arguments((2, 4, 2, 3, 2))
    together = torch.autograd.grad(GRURecurrence.apply(*arguments).sum(), arguments)
    alone = [argument.detach() for argument in arguments]
    alone[index].requires_grad_()
    GRURecurrence.apply(*alone).sum().backward()
    torch.testing.assert_close(alone[index].grad, together[index])
    assert all(a.grad is None for i, a in enumerate(alone) if i != index)


def test_going_back_twice_through_one_graph_gives_the_same():
    arguments = make_arguments((2, 4, 2, 3, 2))
    loss = GRURecurrence.apply(*arguments).square().sum()
    first = torch.autograd.grad(loss, arguments, retain_graph=True)
    second = torch.autograd.grad(loss, arguments)
    assert all(map(torch.equal, first, second))


def test_saturated_gates_have_finite_gradients():
    arguments = [a.detach() * 1e4 for a in make_arguments((2, 5, 3, 2, 2))]
    arguments = [argument.float().requires_grad_() for argument in arguments]
    states = GRURecurrence.apply(*arguments)
    gradients = torch.autograd.grad(states.sum(), arguments)
    assert states.isfinite().all()
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_arguments_may_lie_in_memory_in_any_order_and_stay_as_they_are():
    arguments = [a.detach() for a in make_arguments((2, 4, 3, 3, 2))]
    scattered = [a.clone().mT.contiguous().mT for a in arguments[:4]] + arguments[4:]
    assert not any(a.is_contiguous() for a in scattered[:4])
    torch.testing.assert_close(
        GRURecurrence.apply(*scattered), GRURecurrence.apply(*arguments)
    )
    assert all(map(torch.equal, scattered, arguments))
