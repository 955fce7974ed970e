import itertools
import math

import pytest
import torch

from speechgru.checkpoint.load import load_checkpoint, load_language_model
from speechgru.checkpoint.models import LANGUAGE_MODEL, build_language_model
from speechgru.checkpoint.storage import describe, write_checkpoint
from speechgru.interfaces import InputError, LanguageModel
from speechgru.model.language_model import TextScorer
from speechgru.text.tokenizer import CharacterTokenizer

CONFIG = {
    "language_model": LANGUAGE_MODEL,
    "encoder": {
        "_target_": "speechgru.model.encoders.gru.GRUEncoder",
        "_partial_": True,
        "hidden_size": 5,
        "num_layers": 2,
        "bidirectional": False,
    },
}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return build_language_model(CONFIG, 4).eval()


@pytest.fixture
def scorer(model) -> TextScorer:
    return TextScorer(model, CharacterTokenizer(" AB"))


def test_texts_of_all_lengths_have_a_probability_of_one_together(model):
    # Of those that end within three tokens, and those that have not ended.
    total = 0.0
    for length in range(4):
        texts = torch.tensor(list(itertools.product([1, 2, 3], repeat=length)))
        lengths = torch.full((3**length,), length)
        texts = texts.reshape(3**length, length).long()
        total += (-model(texts, lengths)).exp().sum().item()
    prefixes = torch.tensor(list(itertools.product([1, 2, 3], repeat=4)))
    whole = -model(prefixes, torch.full((81,), 4))
    # What goes on behind four tokens: the text's probability, less its end's.
    embedded = torch.nn.functional.embedding(
        torch.nn.functional.pad(prefixes, (1, 0)), model.head.weight
    )
    encoded, _ = model.encoder(embedded * model.scale, torch.full((81,), 5))
    ends = model.head(encoded[:, -1]).log_softmax(-1)[:, 0]
    going_on = (whole - ends).exp().sum().item()
    assert total + going_on == pytest.approx(1.0, abs=1e-5)


def test_padding_and_other_texts_change_nothing(scorer):
    texts = ["A", "AB BA", "", "B A B A B"]
    together = scorer.score_texts(texts)
    for text, score in zip(texts, together, strict=True):
        assert scorer.score_texts([text]) == pytest.approx([score], abs=1e-5)
    assert isinstance(scorer, LanguageModel)
    assert scorer.score_texts([]) == []
    assert all(-math.inf < score < 0 for score in together)


def test_a_token_foresees_the_next_and_not_itself(model):
    first = torch.tensor([[1, 2, 3]])
    other = torch.tensor([[1, 2, 1]])
    with torch.no_grad():
        for length, equal in ((2, True), (3, False)):
            lengths = torch.tensor([length])
            same = torch.equal(model(first, lengths), model(other, lengths))
            assert same == equal


def test_foreign_characters_are_refused(scorer):
    with pytest.raises(InputError, match="character 'C' is not among the 4 tokens"):
        scorer.score_texts(["AC"])


@pytest.mark.parametrize("option", [{"bidirectional": True}, {"lookahead": 2}])
def test_who_hears_the_future_is_refused(option):
    config = {**CONFIG, "encoder": {**CONFIG["encoder"], **option}}
    with pytest.raises(InputError, match=r"set encoder\.bidirectional=false"):
        build_language_model(config, 4)


def test_a_checkpoint_is_loaded_as_what_it_is(model, checkpoint, tmp_path):
    path = tmp_path / "lm.ckpt"
    weights = {f"model.{name}": value for name, value in model.state_dict().items()}
    tokenizer = CharacterTokenizer(" AB")
    description = describe(CONFIG, tokenizer.config(), {})
    write_checkpoint(description | {"state_dict": weights}, path)
    loaded = load_language_model(path)
    assert loaded.tokenizer.tokens == tokenizer.tokens
    again = TextScorer(loaded.model, loaded.tokenizer).score_texts(["AB"])
    assert again == TextScorer(model, tokenizer).score_texts(["AB"])
    with pytest.raises(InputError, match="is a language model, expected an acoustic"):
        load_checkpoint(path)
    with pytest.raises(InputError, match="is an acoustic model, expected a language"):
        load_language_model(checkpoint)
