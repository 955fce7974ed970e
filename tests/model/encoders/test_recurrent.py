"""What every recurrent encoder promises, whichever its layers."""

import copy
import itertools

import pytest
import torch
from encoder_family import MEMBERS, each_member
from pairwise import each_pair
from torch import nn

from speechgru.features.padding import ValidFrames, valid_frames

NORMS = [None, "batch", "layer"]
FORWARD = {"bidirectional": False}
HEARING = [{"bidirectional": True}, FORWARD, {**FORWARD, "lookahead": 3}]
LENGTHS = torch.tensor([6, 1, 4])

each_stack = each_pair(
    member=MEMBERS, norm=NORMS, residual=[False, True], hearing=HEARING
)


def make(member, num_layers=2, **options):
    """An encoder for 4 features whose normalisations have something to undo."""
    torch.manual_seed(0)
    encoder = member(4, 5, num_layers, **options)
    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm1d | nn.LayerNorm):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return encoder.eval()


def make_batch(extra: int = 2) -> torch.Tensor:
    """Utterances of LENGTHS, with garbage beyond them."""
    torch.manual_seed(1)
    features = torch.full((len(LENGTHS), max(LENGTHS) + extra, 4), 50.0)
    for row, length in zip(features, LENGTHS, strict=True):
        row[:length].normal_()
    return features


def collect_gradients(encoder, features, lengths=LENGTHS):
    """Of a sum that tells frames and units apart, by parameter."""
    encoder.zero_grad()
    encoded, _ = encoder(features, lengths)
    torch.manual_seed(2)
    frames = encoded[:, : max(lengths)]
    (frames * torch.randn(frames.shape)).sum().backward()
    return {name: p.grad.clone() for name, p in encoder.named_parameters()}


def assert_same(found: dict, expected: dict, **tolerance):
    assert found.keys() == expected.keys()
    for name, value in found.items():
        torch.testing.assert_close(
            value, expected[name], **tolerance, msg=lambda text, n=name: f"{n}: {text}"
        )


@each_stack
def test_every_utterance_alone_equals_its_row_in_a_padded_batch(
    member, norm, residual, hearing
):
    encoder = make(member, norm=norm, residual=residual, **hearing)
    features = make_batch()
    batched, output_lengths = encoder(features, LENGTHS)
    assert batched.shape == (*features.shape[:2], encoder.output_size)
    assert torch.equal(output_lengths, LENGTHS)
    assert torch.equal(encoder.output_lengths(LENGTHS), LENGTHS)
    for index, length in enumerate(LENGTHS):
        alone, _ = encoder(features[index : index + 1, :length], length[None])
        torch.testing.assert_close(batched[index, :length], alone[0], atol=1e-5, rtol=0)
        assert (batched[index, length:] == 0).all()
        assert batched[index, :length].any(dim=1).all()


@each_stack
def test_padding_gets_no_gradient_in_training(member, norm, residual, hearing):
    encoder = make(member, dropout=0.2, norm=norm, residual=residual, **hearing).train()
    features = make_batch().requires_grad_()
    collect_gradients(encoder, features)
    valid = valid_frames(LENGTHS, features.size(1), features.device)
    assert (features.grad[~valid] == 0).all()
    assert features.grad[valid].any(dim=1).all()


@each_stack
def test_a_training_step_does_not_depend_on_padding(member, norm, residual, hearing):
    encoder = make(member, norm=norm, residual=residual, **hearing).train()
    padded = copy.deepcopy(encoder)
    gradients = collect_gradients(encoder, make_batch(extra=0))
    assert_same(
        collect_gradients(padded, make_batch(extra=4)), gradients, atol=1e-5, rtol=1e-5
    )
    assert_same(
        dict(padded.named_buffers()),
        dict(encoder.named_buffers()),
        atol=1e-6,
        rtol=1e-6,
    )


def find_heard(encoder, frame: int, units: slice) -> list[int]:
    """Which of 8 frames some units hear at one of them."""
    features = torch.randn(1, 8, 4, requires_grad=True)
    encoded, _ = encoder(features, torch.tensor([8]))
    encoded[0, frame, units].sum().backward()
    return features.grad[0].any(dim=1).nonzero().flatten().tolist()


@each_pair(member=MEMBERS, norm=NORMS, lookahead=[0, 1, 3])
def test_a_frame_hears_the_past_and_exactly_the_lookahead(member, lookahead, norm):
    encoder = make(member, norm=norm, bidirectional=False, lookahead=lookahead)
    for frame in (0, 3, 7):
        last = min(frame + lookahead, 7)
        assert find_heard(encoder, frame, slice(None)) == list(range(last + 1))


@pytest.mark.parametrize("frame", [0, 4, 7])
@each_member
def test_half_the_units_of_a_layer_hear_the_past_and_half_the_future(member, frame):
    encoder = make(member, num_layers=1)
    assert find_heard(encoder, frame, slice(0, 5)) == list(range(frame + 1))
    assert find_heard(encoder, frame, slice(5, 10)) == list(range(frame, 8))


@each_pair(member=MEMBERS, norm=NORMS, frame=[0, 4, 7])
def test_bidirectional_every_frame_of_a_stack_hears_the_whole(member, norm, frame):
    encoder = make(member, norm=norm)
    assert find_heard(encoder, frame, slice(None)) == list(range(8))


def chunk_sizes():
    """Ways to cut 11 frames, many of them into less than the lookahead."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(2):
        cuts = torch.randperm(10, generator=generator)[:4].sort().values + 1
        edges = [0, *cuts.tolist(), 11]
        yield [end - start for start, end in itertools.pairwise(edges)]
    yield from ([1] * 11, [11], [10, 1])


@each_pair(
    member=MEMBERS,
    sizes=list(chunk_sizes()),
    num_utterances=[1, 3],
    lookahead=[0, 3],
)
def test_a_stream_equals_the_whole(member, lookahead, num_utterances, sizes):
    encoder = make(
        member, norm="batch", residual=True, bidirectional=False, lookahead=lookahead
    )
    features = torch.randn(num_utterances, 11, 4)
    whole, _ = encoder(features, torch.tensor([11] * num_utterances))
    state, pieces, heard = None, [], 0
    for chunk in features.split(sizes, dim=1):
        heard += chunk.size(1)
        encoded, state = encoder.stream(chunk, state)
        pieces.append(encoded)
        # No frame comes later than it must.
        assert sum(piece.size(1) for piece in pieces) == max(0, heard - lookahead)
    pieces.append(encoder.flush(state))
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("lookahead", [0, 2])
@each_member
def test_a_stream_can_go_on_twice_from_one_state(member, lookahead):
    encoder = make(member, bidirectional=False, lookahead=lookahead)
    features = torch.randn(1, 9, 4)
    _, state = encoder.stream(features[:, :5])
    first, _ = encoder.stream(features[:, 5:], state)
    encoder.stream(torch.randn(1, 3, 4), state)
    again, _ = encoder.stream(features[:, 5:], state)
    assert torch.equal(first, again)


@each_member
def test_only_a_unidirectional_encoder_in_eval_streams_and_only_frames(member):
    frames = torch.randn(1, 2, 4)
    with pytest.raises(ValueError, match="bidirectional is True, training False"):
        make(member).stream(frames)
    encoder = make(member, bidirectional=False)
    with pytest.raises(ValueError, match="the chunk has 0 frames; expected"):
        encoder.stream(frames[:, :0])
    with pytest.raises(ValueError, match="bidirectional is False, training True"):
        encoder.train().stream(frames)


@each_member
def test_a_stream_keeps_its_utterances(member):
    encoder = make(member, bidirectional=False)
    _, state = encoder.stream(torch.randn(1, 2, 4))
    with pytest.raises(ValueError, match="has 3 utterances, expected 1 as in"):
        encoder.stream(torch.randn(3, 2, 4), state)


@pytest.mark.parametrize("options", [{"norm": "batch"}, {"norm": "layer"},
    {"residual": True}, {"dropout": 0.5}], ids=str)  # fmt: skip
@each_member
def test_norm_residual_and_dropout_act_between_layers_only(member, options):
    features = make_batch()
    for num_layers, acts in ((1, False), (2, True)):
        plain = make(member, num_layers).train()
        encoder = make(member, num_layers, **options).train()
        encoder.layers.load_state_dict(plain.layers.state_dict())
        same = torch.equal(encoder(features, LENGTHS)[0], plain(features, LENGTHS)[0])
        assert same is not acts
    assert make(member, 1, **options).state_dict().keys() == (
        make(member, 1).state_dict().keys()
    )


@each_member
def test_dropout_acts_in_training_only(member):
    encoder, features = make(member, dropout=0.5).train(), make_batch()
    first, second = encoder(features, LENGTHS)[0], encoder(features, LENGTHS)[0]
    assert not torch.equal(first, second)
    encoder.eval()
    assert torch.equal(encoder(features, LENGTHS)[0], encoder(features, LENGTHS)[0])


@each_pair(member=MEMBERS, norm=["batch", "layer"], bidirectional=[True, False])
def test_a_stack_is_its_layers_with_norm_and_residual_between(
    member, norm, bidirectional
):
    options = {"norm": norm, "residual": True, "bidirectional": bidirectional}
    encoder = make(member, num_layers=3, **options)

    def run_alone(index, frames):
        alone = member(frames.size(2), 5, 1, bidirectional=bidirectional).eval()
        alone.layers[0].load_state_dict(encoder.layers[index].state_dict())
        return alone(frames, LENGTHS)[0]

    features = make_batch()
    valid = ValidFrames(LENGTHS, features.size(1), features.device)
    expected = run_alone(0, features)
    for index in (1, 2):
        normalised = encoder.norms[index - 1](expected, valid)
        expected = expected + run_alone(index, normalised)
    torch.testing.assert_close(
        encoder(features, LENGTHS)[0], expected, atol=1e-6, rtol=0
    )


@each_pair(member=MEMBERS, norm=NORMS, bidirectional=[True, False])
def test_it_trains_in_half_precision(member, norm, bidirectional):
    encoder = make(member, norm=norm, bidirectional=bidirectional).train()
    features = make_batch()
    expected, _ = encoder(features, LENGTHS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        # Subsampling leaves bfloat16 under autocast; no subsampling, float32.
        for heard in (features, features.bfloat16()):
            encoder.zero_grad()
            encoded, _ = encoder(heard, LENGTHS)
            torch.testing.assert_close(encoded.float(), expected, atol=0.1, rtol=0)
            encoded.float().square().sum().backward()
            assert all(p.grad.isfinite().all() for p in encoder.parameters())
            assert any(p.grad.any() for p in encoder.parameters())


@pytest.mark.parametrize("norm", NORMS)
@each_member
def test_double_precision_stays_double(member, norm):
    encoder, features = make(member, norm=norm), make_batch()
    expected, _ = encoder(features, LENGTHS)
    encoded, _ = encoder.double()(features.double(), LENGTHS)
    assert encoded.dtype == torch.float64
    torch.testing.assert_close(encoded.float(), expected, atol=1e-5, rtol=0)


@each_pair(
    member=MEMBERS,
    mode=[torch.no_grad, torch.inference_mode],
    bidirectional=[True, False],
)
def test_values_are_the_same_without_gradients(member, bidirectional, mode):
    encoder, features = make(member, bidirectional=bidirectional), make_batch()
    expected, _ = encoder(features, LENGTHS)
    assert expected.requires_grad
    with mode():
        encoded, _ = encoder(features, LENGTHS)
    assert not encoded.requires_grad
    torch.testing.assert_close(encoded, expected.detach(), atol=1e-6, rtol=0)


@each_member
def test_used_twice_in_one_graph_its_gradients_add_up(member):
    encoder = make(member, norm="layer")
    first, second = make_batch(), torch.randn(2, 7, 4)
    lengths = torch.tensor([7, 5])

    def collect(*batches):
        encoder.zero_grad()
        loss = sum(encoder(*batch)[0].square().sum() for batch in batches)
        loss.backward(retain_graph=True)
        once = {name: p.grad.clone() for name, p in encoder.named_parameters()}
        loss.backward()
        assert_same({n: p.grad / 2 for n, p in encoder.named_parameters()}, once)
        return once

    together = collect((first, LENGTHS), (second, lengths))
    one, other = collect((first, LENGTHS)), collect((second, lengths))
    assert_same(together, {name: one[name] + other[name] for name in one})


@each_member
def test_frozen_layers_change_no_other_gradient(member):
    encoder = make(member, norm="batch")
    features = make_batch().requires_grad_()
    expected = collect_gradients(encoder, features)
    expected_input = features.grad
    for frozen in (encoder.layers[1], encoder):
        frozen.requires_grad_(False)
        features.grad = None
        encoder.zero_grad()
        encoded, _ = encoder(features, LENGTHS)
        torch.manual_seed(2)
        frames = encoded[:, : max(LENGTHS)]
        (frames * torch.randn(frames.shape)).sum().backward()
        torch.testing.assert_close(features.grad, expected_input)
        for name, parameter in encoder.named_parameters():
            if parameter.requires_grad:
                torch.testing.assert_close(parameter.grad, expected[name])
            else:
                assert parameter.grad is None


@each_member
def test_frames_may_lie_in_memory_in_any_order(member):
    encoder, features = make(member), make_batch()
    expected, _ = encoder(features, LENGTHS)
    scattered = torch.stack([features, features]).permute(3, 2, 1, 0).contiguous()
    scattered = scattered.permute(3, 2, 1, 0)[0]
    assert not scattered.is_contiguous()
    torch.testing.assert_close(encoder(scattered, LENGTHS)[0], expected)


@each_member
def test_a_copy_hears_the_same_and_a_saved_one_too(member, tmp_path):
    encoder, features = make(member, norm="batch"), make_batch()
    expected, _ = encoder(features, LENGTHS)
    assert torch.equal(copy.deepcopy(encoder)(features, LENGTHS)[0], expected)
    torch.save(encoder.state_dict(), tmp_path / "weights.pt")
    other = make(member, norm="batch")
    for values in other.state_dict().values():
        values.zero_()
    other.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    assert torch.equal(other(features, LENGTHS)[0], expected)


@each_pair(member=MEMBERS, norm=NORMS, bidirectional=[True, False])
def test_one_unit_one_feature_and_one_frame_are_enough(member, norm, bidirectional):
    encoder = member(1, 1, 2, norm=norm, bidirectional=bidirectional)
    frame = torch.randn(1, 1, 1)
    for training in (True, False):
        encoded, _ = encoder.train(training)(frame, torch.tensor([1]))
        assert encoded.shape == (1, 1, 1 + bidirectional)
        assert encoded.isfinite().all()
        encoded.sum().backward()
        assert all(p.grad.isfinite().all() for p in encoder.parameters())


@pytest.mark.parametrize("length", [-1, 0, 8])
@each_member
def test_impossible_lengths_are_refused(member, length):
    with pytest.raises(ValueError, match=r"input_lengths span .* expected 1 to 7"):
        make(member)(torch.randn(2, 7, 4), torch.tensor([3, length]))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"num_layers": 0}, "num_layers is 0, expected a whole number from 1"),
        ({"num_layers": -1}, "num_layers is -1, expected"),
        ({"hidden_size": 0}, "hidden_size is 0, expected a whole number from 1"),
        ({"dropout": 1.0}, "^dropout is 1.0, expected a number from 0 to below 1"),
        ({"dropout": -0.1}, "^dropout is -0.1, expected a number from 0"),
        ({"norm": "group"}, "norm is 'group', expected null, batch, layer"),
        (
            {"lookahead": 2},
            "lookahead is 2 and bidirectional True, expected 0",
        ),
        (
            {"lookahead": -1, "bidirectional": False},
            "lookahead is -1, expected a whole",
        ),
    ],
    ids=str,
)
@each_member
def test_impossible_stacks_are_refused(member, sizes, message):
    with pytest.raises(ValueError, match=message):
        member(4, **{"hidden_size": 3, "num_layers": 2} | sizes)
