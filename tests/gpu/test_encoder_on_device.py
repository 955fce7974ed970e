"""A GPU's recurrent layers, packed, against what a CPU makes of the same weights."""

import copy

import pytest
import torch
from encoder_family import each_member
from gpu.precisions import PRECISIONS, computing_in

from speechgru.features.keyed_draws import keyed_by
from speechgru.model.encoders.gru import GRUEncoder

LENGTHS = torch.tensor([40, 17, 1, 33, 26, 8])
NUM_FRAMES = 42  # padded beyond the longest
STACKS = {
    "in one call": {},
    "layer by layer": {"dropout": 0.3, "norm": "layer", "residual": True},
}


def encode(encoder, features, precision, device):
    """Output and gradients, on the CPU, of an encoder that is sent to a device."""
    encoder = copy.deepcopy(encoder).to(device).train()
    features = features.to(device, copy=True).requires_grad_()
    upstream = torch.randn(
        *features.shape[:2], encoder.output_size, generator=torch.Generator()
    ).to(device)
    with computing_in(precision, device), keyed_by(range(len(LENGTHS)), 7):
        encoded, lengths = encoder(features, LENGTHS)
    encoded.float().backward(upstream)
    assert lengths.device.type == "cpu"
    gradients = {name: weight.grad for name, weight in encoder.named_parameters()}
    return (
        encoded.detach().float().cpu(),
        {"features": features.grad.cpu()}
        | {name: gradient.float().cpu() for name, gradient in gradients.items()},
    )


def compare(encoder, features, precision, device):
    """Hold values and gradients to those of float32 on the CPU."""
    exact = PRECISIONS["fp32"]
    expected, expected_gradients = encode(encoder, features, exact, torch.device("cpu"))
    found, gradients = encode(encoder, features, precision, device)
    torch.testing.assert_close(found, expected, atol=precision.value, rtol=0)
    padding = torch.arange(NUM_FRAMES) >= LENGTHS[:, None]
    assert not found[padding].any()
    for name, gradient in expected_gradients.items():
        off = (gradients[name] - gradient).norm() / gradient.norm()
        assert off <= precision.gradient, f"{name}: {off:.1e}"


@pytest.fixture
def features():
    torch.manual_seed(1)
    return torch.randn(len(LENGTHS), NUM_FRAMES, 24)


@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)
@pytest.mark.parametrize("name", PRECISIONS)
def test_a_gru_on_a_device_computes_what_the_cpu_does(device, features, name, stack):
    if name == "tf32" and device.type == "cpu":
        pytest.skip("a CPU has no TF32")
    torch.manual_seed(0)
    compare(GRUEncoder(24, 32, 3, **stack), features, PRECISIONS[name], device)


@each_member
def test_every_encoder_computes_on_a_device_what_it_does_on_a_cpu(
    device, features, member
):
    torch.manual_seed(0)
    encoder = member(24, 16, 2, dropout=0.2, input_dropout=0.1)
    compare(encoder, features, PRECISIONS["fp32"], device)


def test_on_a_cpu_a_gru_computes_what_torch_does_in_double_precision(features):
    # Else the CPU's side of all that is above could be wrong.
    torch.manual_seed(0)
    encoder = GRUEncoder(24, 32, 3)
    found, _ = encode(encoder, features, PRECISIONS["fp32"], torch.device("cpu"))
    stack = torch.nn.GRU(24, 32, 3, batch_first=True, bidirectional=True).double()
    with torch.no_grad():
        for mine, theirs in zip(stack.parameters(), encoder.parameters(), strict=True):
            mine.copy_(theirs)
        for row, (frames, length) in enumerate(zip(features, LENGTHS, strict=True)):
            alone, _ = stack(frames[None, :length].double())
            torch.testing.assert_close(
                found[row, :length].double(), alone[0], atol=1e-5, rtol=0
            )
