import pytest
import torch

from speechgru.model.encoders.linear_scan import linear_scan


def run_in_steps(decay, inputs, state) -> torch.Tensor:
    states = [state]
    for decay_t, inputs_t in zip(decay.unbind(1), inputs.unbind(1), strict=True):
        states.append(decay_t * states[-1] + inputs_t)
    return torch.stack(states[1:], dim=1)


def make_arguments(num_frames: int, low=0.0, high=1.0, dtype=torch.float64):
    """(D, T, B, H) with decays in [low, high]; all ask for a gradient."""
    torch.manual_seed(num_frames)
    shape = (2, num_frames, 3, 4)
    decay = low + (high - low) * torch.rand(shape, dtype=dtype)
    inputs = torch.randn(shape, dtype=dtype)
    state = torch.randn(2, 3, 4, dtype=dtype)
    return [argument.requires_grad_() for argument in (decay, inputs, state)]


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.0, 1.0), (0.999, 1.0), (0.0, 1e-3), (1.0, 1.0), (0.0, 0.0), (-1.0, 1.0)],
)
@pytest.mark.parametrize("num_frames", [*range(1, 21), 300])
def test_it_equals_one_step_after_another_in_values_and_gradients(
    num_frames, low, high
):
    arguments = make_arguments(num_frames, low, high)
    states, expected = linear_scan(*arguments), run_in_steps(*arguments)
    torch.testing.assert_close(states, expected, atol=1e-11, rtol=0)
    upstream = torch.randn_like(states)
    for found, wanted in zip(
        torch.autograd.grad(states, arguments, upstream),
        torch.autograd.grad(expected, arguments, upstream),
        strict=True,
    ):
        torch.testing.assert_close(found, wanted, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("num_frames", [1, 2, 5, 8])
def test_the_gradient_is_that_of_finite_differences(num_frames):
    assert torch.autograd.gradcheck(linear_scan, make_arguments(num_frames))


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.999, 1.0)])
def test_single_precision_is_enough_for_long_utterances(low, high):
    arguments = make_arguments(3000, low, high, torch.float32)
    expected = run_in_steps(*(a.detach().double() for a in arguments))
    states = linear_scan(*arguments).double()
    largest = expected.abs().max().item()
    torch.testing.assert_close(states, expected, atol=1e-5 * largest, rtol=0)


def test_a_step_worked_by_hand():
    decay = torch.tensor([[0.5, 0.5, 0.0, 1.0, 2.0]])
    inputs = torch.tensor([[1.0, 0.0, 3.0, 1.0, -1.0]])
    states = linear_scan(decay, inputs, torch.tensor([4.0]))
    assert states.tolist() == [[3.0, 1.5, 3.0, 4.0, 7.0]]


def test_its_arguments_stay_as_they_are_even_spread_over_one_number():
    arguments = [a.detach() for a in make_arguments(6)]
    spread = [torch.tensor(v).double().expand(2, 6, 3, 4) for v in (0.5, 1.0)]
    for decay, inputs in (arguments[:2], spread):
        before = decay.clone(), inputs.clone()
        expected = run_in_steps(decay, inputs, arguments[2])
        states = linear_scan(decay, inputs, arguments[2])
        torch.testing.assert_close(states, expected)
        assert torch.equal(decay, before[0])
        assert torch.equal(inputs, before[1])


@pytest.mark.parametrize("index", range(3))
def test_each_gradient_is_the_same_when_asked_for_alone(index):
    arguments = make_arguments(7)
    together = torch.autograd.grad(linear_scan(*arguments).square().sum(), arguments)
    alone = [argument.detach() for argument in arguments]
    alone[index].requires_grad_()
    linear_scan(*alone).square().sum().backward()
    torch.testing.assert_close(alone[index].grad, together[index])
