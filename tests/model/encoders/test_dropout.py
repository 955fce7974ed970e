"""What training drops out of an encoder."""

import pytest
import torch
from encoder_family import MEMBERS, WITHOUT_RECURRENT_WEIGHTS, each_member

from speechgru.model.encoders.gru import GRUEncoder

FRAMES = torch.randn(2, 7, 3, generator=torch.Generator().manual_seed(0))
LENGTHS = torch.tensor([7, 4])


def encode(encoder, seed=0):
    torch.manual_seed(seed)
    return encoder(FRAMES, LENGTHS)[0]


def make(member, **options):
    torch.manual_seed(5)
    return member(3, hidden_size=8, num_layers=2, **options)


@each_member
@pytest.mark.parametrize(
    "option", ["dropout", "input_dropout", "output_dropout", "weight_dropout"]
)
def test_it_changes_training_and_nothing_else(member, option):
    if member in WITHOUT_RECURRENT_WEIGHTS and option == "weight_dropout":
        with pytest.raises(ValueError, match="has no recurrent weights"):
            make(member, weight_dropout=0.5)
        return
    plain, dropping = make(member).eval(), make(member, **{option: 0.5})
    assert not torch.equal(encode(dropping, seed=1), encode(dropping, seed=2))
    assert torch.equal(encode(dropping, seed=1), encode(dropping, seed=1))
    dropping.load_state_dict(plain.state_dict())
    assert torch.equal(encode(dropping.eval()), encode(plain))


@pytest.mark.parametrize(
    "member", [each for each in MEMBERS if each not in WITHOUT_RECURRENT_WEIGHTS]
)
def test_dropped_weights_keep_their_expectation_and_get_gradients(member):
    encoder = make(member, weight_dropout=0.5)
    encode(encoder).sum().backward()
    weights = [p for name, p in encoder.named_parameters() if "weight_hh" in name]
    assert weights
    for weight in weights:
        zeros = (weight.grad == 0).float().mean()
        # Those that were dropped out have no gradient.
        assert 0.3 < zeros < 0.8
    (ones,) = encoder.drop_weights(encoder.layers[0], [torch.ones(100, 100)])
    assert ones.mean() == pytest.approx(1, abs=0.05)


def test_variational_dropout_drops_the_same_units_at_every_frame():
    encoder = make(GRUEncoder, output_dropout=0.5, variational=True)
    encoded = encode(encoder)
    for utterance, length in zip(encoded, LENGTHS, strict=True):
        dropped = utterance[:length] == 0
        assert (dropped == dropped[0]).all()
        assert dropped[0].any()
        assert not dropped[0].all()
    assert not torch.equal(encoded[0, 0] == 0, encoded[1, 0] == 0)
    other = encode(make(GRUEncoder, output_dropout=0.5))
    dropped = other[0] == 0
    assert not (dropped == dropped[0]).all()


@pytest.mark.parametrize(
    "option", ["dropout", "input_dropout", "output_dropout", "weight_dropout"]
)
def test_probabilities_are_below_one(option):
    with pytest.raises(
        ValueError, match=f"^{option} is .*, expected a number from 0 to below 1"
    ):
        make(GRUEncoder, **{option: 1.0})
