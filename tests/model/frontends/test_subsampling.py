from functools import partial

import pytest
import torch

from speechgru.model.frontends.conv1d import Conv1dSubsampling
from speechgru.model.frontends.conv2d import Conv2dSubsampling
from speechgru.model.frontends.frame_stack import FrameStack

FACTORS = range(1, 9)


@pytest.fixture(params=[Conv1dSubsampling, Conv2dSubsampling])
def make(request):
    def build(factor: int, kernel_size: int = 13, channels: int = 4, **options):
        torch.manual_seed(factor)
        return request.param(
            3, factor, channels=channels, kernel_size=kernel_size, **options
        )

    return build


@pytest.fixture(
    params=[
        partial(Conv1dSubsampling, channels=4, kernel_size=13),
        partial(Conv2dSubsampling, channels=4, kernel_size=13),
        FrameStack,
    ],
    ids=["conv1d", "conv2d", "frame_stack"],
)
def make_any(request):
    def build(factor: int):
        torch.manual_seed(factor)
        return request.param(3, factor)

    return build


def garbage(num_utterances: int, num_frames: int) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(num_utterances, num_frames, 3)


@pytest.mark.parametrize("factor", FACTORS)
def test_every_utterance_alone_equals_its_row_in_a_padded_batch(make_any, factor):
    subsampling = make_any(factor)
    lengths = torch.arange(1, 41)
    features = garbage(40, 43)
    batched, output_lengths = subsampling(features, lengths)
    assert batched.shape[2] == subsampling.output_size
    assert torch.equal(output_lengths, subsampling.output_lengths(lengths))
    for index, length in enumerate(lengths.tolist()):
        alone, _ = subsampling(
            features[index : index + 1, :length], lengths[index : index + 1]
        )
        valid = output_lengths[index]
        # As many frames as the convolutions make of it, neither more nor fewer.
        assert alone.shape[1] == valid
        torch.testing.assert_close(batched[index, :valid], alone[0], atol=1e-5, rtol=0)
        assert (batched[index, valid:] == 0).all()


@pytest.mark.parametrize("norm", [None, "batch", "layer"])
@pytest.mark.parametrize("factor", FACTORS)
def test_padding_counts_for_nothing_in_deep_ones(make, factor, norm):
    subsampling = make(factor, depth=2, norm=norm)
    lengths = torch.tensor([40, 17, 1])
    features = garbage(3, 43)
    for _ in range(2):  # so that running statistics are those of several batches
        batched, output_lengths = subsampling(features, lengths)
    for index, length in enumerate(lengths):
        features[index, length:] = 1e4
    other, _ = subsampling(features, lengths)
    assert torch.equal(other, batched)
    assert output_lengths.tolist() == [-(-n // factor) for n in lengths.tolist()]
    subsampling.eval()
    batched, _ = subsampling(features, lengths)
    assert batched.any()
    for index, length in enumerate(lengths.tolist()):
        alone, _ = subsampling(
            features[index : index + 1, :length], lengths[index : index + 1]
        )
        valid = output_lengths[index]
        torch.testing.assert_close(batched[index, :valid], alone[0], atol=1e-5, rtol=0)
        assert (batched[index, valid:] == 0).all()


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_channels_are_normalised_before_they_are_rectified(make, norm):
    subsampling = make(2, channels=16, norm=norm)
    rectified = []
    (normalization,) = subsampling.norms
    normalization.register_forward_hook(lambda _, __, output: rectified.append(output))
    subsampling(1000 * garbage(2, 30), torch.tensor([30, 30]))
    (normalised,) = rectified
    channels = normalised.flatten(0, -2)
    rows = channels if norm == "batch" else channels.t()
    assert rows.mean(0).abs().max() < 1e-3
    assert (rows.std(0, correction=0) - 1).abs().max() < 1e-3


def test_more_convolutions_keep_the_bands():
    subsampling = Conv2dSubsampling(80, 4, channels=2, kernel_size=3, depth=3)
    strides = [convolution.stride for convolution in subsampling.convolutions]
    assert strides == [(2, 2), (1, 1), (1, 1)] * 2
    assert subsampling.output_size == 2 * 20  # 80 bands, 40 and 20


@pytest.mark.parametrize("factor", FACTORS)
def test_there_is_an_output_frame_for_every_started_group_of_input_frames(
    make_any, factor
):
    lengths = make_any(factor).output_lengths(torch.arange(1, 41)).tolist()
    assert lengths == [-(-num_frames // factor) for num_frames in range(1, 41)]


@pytest.mark.parametrize("factor", FACTORS)
def test_padding_gets_no_gradient(make_any, factor):
    features = garbage(2, 30).requires_grad_()
    make_any(factor)(features, torch.tensor([30, 11]))[0].sum().backward()
    assert (features.grad[1, 11:] == 0).all()
    assert features.grad[1, :11].any()


@pytest.mark.parametrize(
    ("factor", "kernel_size"), [(1, 3), (2, 3), (3, 5), (4, 3), (5, 9), (7, 13), (8, 3)]
)
def test_the_smallest_kernel_hears_every_frame(make, factor, kernel_size):
    subsampling = make(factor, kernel_size)
    with torch.no_grad():
        for parameter in subsampling.parameters():
            parameter.abs_()  # so that no ReLU stops the gradient
    for num_frames in range(1, 20):
        features = garbage(1, num_frames).abs().requires_grad_()
        subsampling(features, torch.tensor([num_frames]))[0].sum().backward()
        assert features.grad[0].all()


def test_dropout_acts_only_in_training(make):
    subsampling = make(2, 3, channels=8, dropout=0.5)
    features, lengths = garbage(1, 20), torch.tensor([20])
    first, second = subsampling(features, lengths)[0], subsampling(features, lengths)[0]
    assert not torch.equal(first, second)
    subsampling.eval()
    assert torch.equal(
        subsampling(features, lengths)[0], subsampling(features, lengths)[0]
    )


@pytest.mark.parametrize("factor", [0, 9, -2])
def test_other_factors_are_refused(make_any, factor):
    with pytest.raises(ValueError, match=f"factor is {factor}, expected .* 1 to 8"):
        make_any(factor)


@pytest.mark.parametrize(("factor", "kernel_size"), [(4, 4), (3, 3), (7, 11), (1, 0)])
def test_kernels_that_are_even_or_skip_frames_are_refused(make, factor, kernel_size):
    with pytest.raises(ValueError, match=f"kernel_size is {kernel_size}, expected"):
        make(factor, kernel_size)


@pytest.mark.parametrize(("option", "value"), [("channels", 0), ("dropout", 1.0)])
def test_impossible_sizes_are_refused(make, option, value):
    with pytest.raises(ValueError, match=f"{option} is {value}, expected"):
        make(2, 3, **{option: value})


def test_what_is_not_deep_or_no_norm_is_refused(make):
    with pytest.raises(ValueError, match="depth is 0, expected a whole number from 1"):
        make(2, depth=0)
    with pytest.raises(ValueError, match="norm is 'group', expected null, batch"):
        make(2, norm="group")


def test_a_kernel_that_skips_bands_is_refused():
    with pytest.raises(ValueError, match="kernel_size is 1, expected at least 3 bands"):
        Conv2dSubsampling(8, 1, channels=2, kernel_size=1)


def test_a_kernel_of_one_frame_leaves_frames_alone_over_time():
    subsampling = Conv1dSubsampling(3, 1, channels=2, kernel_size=1)
    features = garbage(1, 5)
    together = subsampling(features, torch.tensor([5]))[0]
    alone = subsampling(features[:, 3:4], torch.tensor([1]))[0]
    torch.testing.assert_close(together[:, 3:4], alone)
