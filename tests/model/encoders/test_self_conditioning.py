"""Layers that are told which tokens those below have heard."""

from itertools import pairwise

import pytest
import torch
from encoder_family import OF_TORCH, each_member

from speechgru.checkpoint.build import build
from speechgru.checkpoint.models import build_language_model, build_model
from speechgru.factory import TASK_ROOMS
from speechgru.interfaces import InputError
from speechgru.model.acoustic import AcousticModel
from speechgru.model.encoders.gru import GRUEncoder
from speechgru.model.encoders.recurrent import RecurrentEncoder
from speechgru.options import choose

LENGTHS = torch.tensor([9, 6])
NUM_TOKENS = 7


def make(member=GRUEncoder, **options) -> RecurrentEncoder:
    torch.manual_seed(0)
    options = {"self_conditioned": True, "num_tokens": NUM_TOKENS} | options
    encoder = member(4, 5, 3, **options)
    # What is told shall be loud.
    torch.nn.init.normal_(encoder.conditioning.back.weight)
    torch.nn.init.normal_(encoder.conditioning.head.weight)
    return encoder.eval()


def make_frames() -> torch.Tensor:
    return torch.randn(2, 9, 4, generator=torch.Generator().manual_seed(1))


@each_member
def test_a_layer_receives_what_those_below_gave_and_heard(member):
    encoder = make(member)
    steps = list(encoder.walk(make_frames(), LENGTHS))
    told = encoder.conditioning
    for (_, encoded), (entered, _) in pairwise(steps):
        expected = encoded + told.back(told.head(encoded).softmax(-1))
        torch.testing.assert_close(entered[1, :6], expected[1, :6])
        assert (entered - encoded)[1, :6].abs().min() > 1e-6


@pytest.mark.parametrize("member", OF_TORCH)
def test_packed_and_padded_utterances_are_told_the_same(member):
    encoder = make(member, norm="layer", residual=True)
    padded, _ = encoder(make_frames(), LENGTHS)
    with torch.no_grad():
        packed, _ = encoder(make_frames(), LENGTHS)
    torch.testing.assert_close(packed, padded.detach())


@each_member
def test_padding_is_told_nothing(member):
    encoder = make(member, bidirectional=False, lookahead=2, residual=True)
    batched, _ = encoder(make_frames(), LENGTHS)
    alone, _ = encoder(make_frames()[1:, :6], LENGTHS[1:])
    torch.testing.assert_close(batched[1:, :6], alone)
    assert not batched[1, 6:].any()


@each_member
def test_a_stream_hears_what_the_whole_hears(member):
    encoder = make(member, bidirectional=False, lookahead=1, norm="layer")
    frames = make_frames()
    whole, _ = encoder(frames, torch.tensor([9, 9]))
    state, parts = None, []
    for chunk in frames.split([1, 5, 3], dim=1):
        part, state = encoder.stream(chunk, state)
        parts.append(part)
    streamed = torch.cat([*parts, encoder.flush(state)], dim=1)
    torch.testing.assert_close(streamed, whole)


def test_computed_twice_the_gradients_are_those_of_once():
    gradients = []
    for again in (False, True):
        encoder = make(gradient_checkpointing=again).train()
        encoder(make_frames(), LENGTHS)[0].square().sum().backward()
        gradients.append([parameter.grad for parameter in encoder.parameters()])
    assert all(gradient.any() for gradient in gradients[0])
    torch.testing.assert_close(*gradients)


def describe(**encoder):
    group = choose("encoder", "gru", hidden_size=4, num_layers=2, **encoder)
    return {
        "features": choose("features", "log_mel", n_mels=8).to_plain(),
        "normalize": choose("normalize", "none").to_plain(),
        "spec_augment": None,
        "subsampling": choose("subsampling", "frame_stack").to_plain(),
        "encoder": group.to_plain(),
    }


def test_the_layers_below_are_heard_by_the_head_of_the_model():
    model: AcousticModel = build_model(describe(self_conditioned=True), NUM_TOKENS)
    assert model.head is model.encoder.conditioning.head
    plain = build_model(describe(), NUM_TOKENS)
    back = NUM_TOKENS * 8 + 8
    assert model.num_parameters == plain.num_parameters + back
    batch = torch.randn(1, 4000), torch.tensor([4000])
    below, last, _ = model.eval().score_layers(*batch, all_layers=True)
    assert below.shape == last.shape
    torch.testing.assert_close(model(*batch)[0], last)


def test_a_model_that_was_saved_hears_the_same():
    config = describe(self_conditioned=True)
    model, copy = (build_model(config, NUM_TOKENS).eval() for _ in range(2))
    copy.load_state_dict(model.state_dict())
    batch = torch.randn(1, 4000), torch.tensor([4000])
    assert torch.equal(model(*batch)[0], copy(*batch)[0])


def test_a_layer_alone_has_nobody_to_tell():
    with pytest.raises(ValueError, match=r"num_layers=1, expected false: .* layers"):
        GRUEncoder(4, 5, 1, self_conditioned=True, num_tokens=NUM_TOKENS)


def test_training_needs_the_losses_of_the_layers_below():
    task = {
        "_target_": "speechgru.training.ctc.CTCTask",
        "_partial_": True,
        "learning_rate": 0.001,
        "weight_decay": 0.0,
        "schedule": "one_cycle",
        "warmup": 0.1,
        "clip_norm": 1.0,
    }
    parts = {
        "model": build_model(describe(self_conditioned=True), NUM_TOKENS),
        **dict.fromkeys(("tokenizer", "decoder")),
        "model_config": {},
        "metadata": {},
        "seed": 1,
    }
    assert build({**task, "intermediate": 0.5}, "task", rooms=TASK_ROOMS, **parts)
    with pytest.raises(InputError, match=r"^task.intermediate is 0.0, expected .*0\.5"):
        build(task, "task", rooms=TASK_ROOMS, **parts)


def test_a_language_model_is_told_nothing():
    config = {
        "language_model": {
            "_target_": "speechgru.model.language_model.RecurrentLanguageModel",
            "_partial_": True,
        },
        "encoder": describe(self_conditioned=True, bidirectional=False)["encoder"],
    }
    with pytest.raises(InputError, match=r"self_conditioned is true.*expected false"):
        build_language_model(config, NUM_TOKENS)
