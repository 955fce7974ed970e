"""Less is kept for the gradient, and the gradient is the same."""

import copy

import torch
from encoder_family import MEMBERS, WITHOUT_RECURRENT_WEIGHTS
from pairwise import each_pair

from speechgru.features.keyed_draws import keyed_by

LENGTHS = torch.tensor([40, 17, 33])
FEATURES = torch.randn(3, 40, 6, generator=torch.Generator().manual_seed(0))


def make(member, **options):
    torch.manual_seed(0)
    if member not in WITHOUT_RECURRENT_WEIGHTS:
        options["weight_dropout"] = 0.2
    return member(6, hidden_size=8, num_layers=3, dropout=0.2, **options).train()


def step(encoder):
    """Gradients, buffers, and how many numbers were kept for the gradient."""
    kept = 0

    def count(tensor):
        nonlocal kept
        kept += tensor.numel()
        return tensor

    features = FEATURES.clone().requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        with keyed_by([1, 2, 3], 4):
            encoded, _ = encoder(features, LENGTHS)
        loss = encoded.square().sum()
    loss.backward()  # when nobody keys draws any more
    gradients = {name: p.grad for name, p in encoder.named_parameters()}
    return gradients | {"features": features.grad}, dict(encoder.named_buffers()), kept


@each_pair(
    member=MEMBERS,
    norm=[None, "batch", "layer"],
    hearing=[{}, {"bidirectional": False}],
    piece_range=[None, (5, 15)],
    residual=[True, False],
)
def test_gradients_and_statistics_are_those_of_one_pass(
    member, norm, hearing, piece_range, residual
):
    options = {"norm": norm, "piece_range": piece_range, "residual": residual}
    plain = make(member, **options, **hearing)
    twice = make(member, **options, **hearing, gradient_checkpointing=True)
    twice.load_state_dict(copy.deepcopy(plain.state_dict()))
    expected, expected_buffers, all_kept = step(plain)
    found, buffers, kept = step(twice)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, msg=name)
    for name, buffer in expected_buffers.items():
        torch.testing.assert_close(buffers[name], buffer, msg=name)
    assert kept < 0.7 * all_kept
