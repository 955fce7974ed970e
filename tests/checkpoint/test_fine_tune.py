import pytest
import torch

from speechgru.checkpoint.fine_tune import extend_tokenizer, initialise_from
from speechgru.checkpoint.load import LoadedCheckpoint
from speechgru.checkpoint.models import build_model
from speechgru.interfaces import InputError
from speechgru.text.tokenizer import CharacterTokenizer

MODEL = {
    "features": {
        "_target_": "speechgru.features.mfcc.MFCC",
        "sample_rate": 8000,
        "n_fft": 64,
        "hop_length": 32,
        "n_mels": 5,
        "n_mfcc": 4,
    },
    "normalize": {
        "_target_": "speechgru.features.normalize.GlobalNorm",
        "_partial_": True,
    },
    "spec_augment": None,
    "subsampling": {
        "_target_": "speechgru.model.frontends.conv1d.Conv1dSubsampling",
        "_partial_": True,
        "factor": 2,
        "channels": 4,
        "kernel_size": 3,
    },
    "encoder": {
        "_target_": "speechgru.model.encoders.gru.GRUEncoder",
        "_partial_": True,
        "hidden_size": 3,
        "num_layers": 2,
    },
}


@pytest.fixture
def start() -> LoadedCheckpoint:
    """A model of the tokens blank, space, B and A, in this order."""
    torch.manual_seed(0)
    tokenizer = CharacterTokenizer(" BA", case="upper", punctuation="error")
    model = build_model(MODEL, num_tokens=4)
    model.normalize.mean.fill_(2.5)
    return LoadedCheckpoint(model.eval(), tokenizer, MODEL, {})


def test_new_characters_follow_those_the_tokenizer_has(start):
    extended = extend_tokenizer(start.tokenizer, ["a cab", "zoë"])
    assert extended.tokens == ("<blank>", " ", "B", "A", "C", "O", "Z", "Ë")
    assert extended.config() == {**start.tokenizer.config(), "alphabet": " BACOZË"}
    assert extended.encode("ab") == start.tokenizer.encode("ab")


def test_known_texts_leave_the_tokenizer_as_it_is(start):
    assert extend_tokenizer(start.tokenizer, ["ab", "ba"]).config() == (
        start.tokenizer.config()
    )


def test_texts_that_cannot_be_normalised_are_left_to_the_doctor(start):
    assert extend_tokenizer(start.tokenizer, ["c!", "ad"]).tokens[4:] == ("D",)


def test_new_tokens_get_new_head_rows_and_all_else_is_taken_over(start):
    tokenizer = extend_tokenizer(start.tokenizer, ["cd"])
    torch.manual_seed(1)
    model = build_model(MODEL, num_tokens=6)
    fresh = {name: value.clone() for name, value in model.state_dict().items()}
    lines = initialise_from(model, tokenizer, start)
    old = start.model.state_dict()
    for name, value in model.state_dict().items():
        if name.startswith("head."):
            assert torch.equal(value[:4], old[name])
            assert torch.equal(value[4:], fresh[name][4:])
        else:
            assert torch.equal(value, old[name]), name
    assert lines == [
        "4 tokens and all layers taken over",
        "new head rows for 2 tokens: 'C' 'D'",
    ]


def test_the_start_is_left_as_it_was(start):
    before = {name: value.clone() for name, value in start.model.state_dict().items()}
    model = build_model(MODEL, num_tokens=5)
    initialise_from(model, extend_tokenizer(start.tokenizer, ["c"]), start)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    for name, value in start.model.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_without_new_tokens_the_model_hears_the_same(start):
    torch.manual_seed(2)
    model = build_model(MODEL, num_tokens=4).eval()
    waveforms, lengths = torch.randn(1, 500) / 10, torch.tensor([500])
    expected = start.model(waveforms, lengths)[0]
    assert not torch.equal(model(waveforms, lengths)[0], expected)
    assert len(initialise_from(model, start.tokenizer, start)) == 1
    assert torch.equal(model(waveforms, lengths)[0], expected)


def test_a_model_that_was_told_nothing_cannot_begin_to_be(start):
    config = {**MODEL, "encoder": {**MODEL["encoder"], "self_conditioned": True}}
    with pytest.raises(
        InputError, match=r"do not fit the model (?s:.*)conditioning\.back"
    ):
        initialise_from(build_model(config, 4), start.tokenizer, start)


def test_what_is_told_of_new_tokens_is_new_and_the_rest_is_taken_over():
    config = {**MODEL, "encoder": {**MODEL["encoder"], "self_conditioned": True}}
    tokenizer = CharacterTokenizer(" BA", case="upper", punctuation="error")
    start = LoadedCheckpoint(build_model(config, 4).eval(), tokenizer, config, {})
    extended = extend_tokenizer(tokenizer, ["CAB"])
    model = build_model(config, 5)
    initialise_from(model, extended, start)
    assert model.head is model.encoder.conditioning.head
    known, grown = start.model.encoder.conditioning, model.encoder.conditioning
    assert torch.equal(grown.head.weight[:4], known.head.weight)
    assert torch.equal(grown.back.weight[:, :4], known.back.weight)
    assert torch.equal(grown.back.bias, known.back.bias)
    assert grown.back.weight.shape == (6, 5)
