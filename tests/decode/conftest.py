import pytest

from speechgru.decode.language import SPACE
from speechgru.lm.arpa import write_arpa
from speechgru.lm.kneser_ney import estimate_kneser_ney
from speechgru.text.tokenizer import CharacterTokenizer

SENTENCES = ["A B", "AB A", "B", "BA A B", "AB", "A"]


@pytest.fixture(scope="session")
def tokenizer() -> CharacterTokenizer:
    return CharacterTokenizer(" AB")


@pytest.fixture(scope="session")
def word_lm(tmp_path_factory):
    """A bigram model of the words A, B, AB and BA."""
    path = tmp_path_factory.mktemp("lm") / "words.arpa"
    write_arpa(path, estimate_kneser_ney(map(str.split, SENTENCES), 2).ngrams)
    return path


@pytest.fixture(scope="session")
def token_lm(tmp_path_factory):
    """A trigram model of the tokens A, B and the space."""
    path = tmp_path_factory.mktemp("lm") / "tokens.arpa"
    texts = [[c.replace(" ", SPACE) for c in text] for text in SENTENCES]
    write_arpa(path, estimate_kneser_ney(texts, 3).ngrams)
    return path
