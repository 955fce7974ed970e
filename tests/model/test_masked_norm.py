import pytest
import torch
from torch import nn

from speechgru.features.padding import ValidFrames
from speechgru.model.masked_norm import NORMS, MaskedBatchNorm, MaskedLayerNorm

LENGTHS = torch.tensor([6, 1, 4])


def make_pair(norm=MaskedBatchNorm, peer=nn.BatchNorm1d):
    """A masked norm, and torch's own of the same values."""
    torch.manual_seed(0)
    masked, plain = norm(5), peer(5)
    nn.init.uniform_(masked.weight, 0.5, 1.5)
    nn.init.normal_(masked.bias)
    plain.load_state_dict(masked.state_dict())
    return masked, plain


def make_batch():
    """Frames with garbage beyond each length, and which are valid."""
    valid = ValidFrames(LENGTHS, 8, torch.device("cpu"))
    frames = 3 * torch.randn(3, 8, 5) + 2
    return frames.masked_fill(~valid.mask[..., None], 1e4), valid


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_is_torchs_over_all_valid_frames(training):
    masked, plain = make_pair()
    for _ in range(3):  # so that running statistics are those of several batches
        frames, valid = make_batch()
        masked.train(training)(frames, valid)
        plain.train(training)(frames[valid.mask])
    frames.requires_grad_()
    rows = frames.detach()[valid.mask].requires_grad_()
    normalised, expected = masked(frames, valid), plain(rows)
    valid = valid.mask
    torch.testing.assert_close(normalised[valid], expected)
    assert (normalised[~valid] == 0).all()

    upstream = torch.randn_like(frames)
    normalised.backward(upstream)
    expected.backward(upstream[valid])
    torch.testing.assert_close(frames.grad[valid], rows.grad)
    assert (frames.grad[~valid] == 0).all()
    for name, value in masked.named_parameters():
        torch.testing.assert_close(value.grad, plain.get_parameter(name).grad)
    for name, value in masked.state_dict().items():
        torch.testing.assert_close(value, plain.state_dict()[name], msg=name)


def test_even_padding_that_is_no_number_counts_for_nothing():
    masked, _ = make_pair()
    frames, valid = make_batch()
    expected = masked(frames, valid)
    frames[~valid.mask] = float("nan")
    assert torch.equal(masked(frames, valid), expected)
    assert masked.running_mean.isfinite().all()


def test_time_may_come_first_and_memory_lie_in_any_order():
    masked, _ = make_pair()
    frames, valid = make_batch()
    expected = masked(frames, valid)
    turned = valid.with_time_first
    time_first = masked(frames.transpose(0, 1), turned)
    torch.testing.assert_close(time_first.transpose(0, 1), expected)
    time_first = masked(frames.transpose(0, 1).contiguous(), turned)
    torch.testing.assert_close(time_first.transpose(0, 1), expected)


def test_a_single_frame_is_normalised_as_in_eval_and_teaches_nothing():
    masked, _ = make_pair()
    masked(*make_batch())
    before = {name: value.clone() for name, value in masked.state_dict().items()}
    frames = torch.randn(1, 3, 5, requires_grad=True)
    valid = ValidFrames(torch.tensor([1]), 3, torch.device("cpu"))
    normalised = masked(frames, valid)
    assert all(torch.equal(masked.state_dict()[n], v) for n, v in before.items())
    normalised.sum().backward()
    assert frames.grad[0, 0].all()
    torch.testing.assert_close(normalised, masked.eval()(frames, valid))


def test_layer_norm_is_torchs_frame_by_frame():
    masked, plain = make_pair(MaskedLayerNorm, nn.LayerNorm)
    frames, valid = make_batch()
    normalised = masked(frames, valid)[valid.mask]
    torch.testing.assert_close(normalised, plain(frames[valid.mask]))


def test_packed_frames_are_normalised_as_padded_ones():
    masked, _ = make_pair()
    frames, valid = make_batch()
    expected = masked(frames, valid)[valid.mask]
    torch.testing.assert_close(masked(frames[valid.mask], None), expected)


@pytest.mark.parametrize("norm", NORMS)
def test_half_precision_keeps_statistics_in_single(norm):
    masked = NORMS[norm](5)
    frames, valid = make_batch()
    expected = masked(frames, valid)[valid.mask]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        normalised = masked(frames.bfloat16(), valid)[valid.mask]
    torch.testing.assert_close(normalised.float(), expected, atol=0.05, rtol=0.01)
    assert all(b.dtype in (torch.float32, torch.int64) for b in masked.buffers())
