import pytest
import torch

from speechgru.model.encoders.gru_cell import GRUWeights, gru_step
from speechgru.model.encoders.gru_cpu import GRURecurrence, product_precision

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


def test_products_in_half_precision_leave_sums_and_states_in_single():
    doubles = make_arguments((2, 90, 3, 4, 8))
    # Weights as small as those of a model, or rounding would grow over the frames.
    arguments = [(each / 3).detach().float().requires_grad_() for each in doubles]
    states = GRURecurrence.apply(*arguments)
    halved = GRURecurrence.apply(*arguments, torch.bfloat16)
    assert halved.dtype == torch.float32
    assert not torch.equal(halved, states)
    assert (halved - states).abs().mean() < 0.01
    upstream = torch.randn_like(states)
    for found, wanted in zip(
        torch.autograd.grad(halved, arguments, upstream),
        torch.autograd.grad(states, arguments, upstream),
        strict=True,
    ):
        assert found.dtype == torch.float32
        assert (found - wanted).norm() < 0.05 * wanted.norm()


def test_a_gate_that_keeps_for_long_does_so_in_half_precision():
    # Update gates of 0.999: bfloat16 would round them to 1.
    ones = torch.ones(1, 1, 1)
    bias = torch.tensor([[0.0, 6.9, 0.0]])
    weights = [torch.zeros(1, 3, 1), torch.zeros(1, 3, 1), bias, torch.zeros(1, 3)]
    frames = torch.zeros(1, 3000, 1, 1)
    states = GRURecurrence.apply(frames, ones, *weights, torch.bfloat16)
    assert states[0, -1].item() == pytest.approx(
        float(torch.sigmoid(bias)[0, 1]) ** 3000, rel=0.01
    )


def test_precision_is_that_of_autocast_where_it_is_faster(monkeypatch):
    assert product_precision(16) is None
    for faster, num_utterances, wanted in [
        (True, 16, torch.bfloat16),
        (True, 1, None),
        (False, 16, None),
    ]:
        monkeypatch.setattr(
            torch.cpu, "_is_avx512_bf16_supported", lambda faster=faster: faster
        )
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert product_precision(num_utterances) == wanted
        with torch.autocast("cpu", dtype=torch.float16):
            assert product_precision(num_utterances) is None


def test_without_a_gradient_the_states_are_the_same_and_nothing_is_kept():
    arguments = make_arguments((2, 5, 3, 4, 6))
    states = GRURecurrence.apply(*arguments)
    kept = states.grad_fn.saved_tensors
    assert len(kept) == 6
    assert torch.equal(GRURecurrence.apply(*arguments, None, False), states)
    assert GRURecurrence.apply(*arguments, None, False).grad_fn.saved_tensors == ()
