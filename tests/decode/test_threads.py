"""One decoder, used from several threads, hears what it hears alone."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from speechgru.decode.flashlight import FlashlightDecoder
from speechgru.decode.greedy import GreedyDecoder
from speechgru.decode.prefix_beam import PrefixBeamDecoder
from speechgru.lm.arpa import write_arpa
from speechgru.lm.kneser_ney import estimate_kneser_ney
from speechgru.text.tokenizer import CharacterTokenizer

TOKENIZER = CharacterTokenizer(" ABCDEFGHIJKLMNOP")
NUM_UTTERANCES = 12


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, str | None]:
    """Paths of language models of many histories, by their unit."""
    folder = tmp_path_factory.mktemp("lm")
    generator = random.Random(3)
    words = ["".join(generator.choices(TOKENIZER.alphabet[1:], k=4)) for _ in range(60)]
    texts = [generator.choices(words, k=6) for _ in range(200)]
    of_tokens = [
        ["<space>" if token == " " else token for token in " ".join(text)]
        for text in texts
    ]
    write_arpa(folder / "words.arpa", estimate_kneser_ney(texts, 2).ngrams)
    write_arpa(folder / "tokens.arpa", estimate_kneser_ney(of_tokens, 5).ngrams)
    return {
        "none": None,
        "words": str(folder / "words.arpa"),
        "tokens": str(folder / "tokens.arpa"),
    }


@pytest.fixture(scope="module")
def utterances() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    shape = (1, 12, len(TOKENIZER.tokens))
    return [
        (3 * torch.randn(shape, generator=generator)).log_softmax(-1)
        for _ in range(NUM_UTTERANCES)
    ]


def make(kind: str, lm: str | None):
    if kind == "greedy":
        return GreedyDecoder()
    if kind == "beam":
        pytest.importorskip("flashlight")
        return FlashlightDecoder(lm=lm, beam_size=20)
    return PrefixBeamDecoder(lm=lm, beam_size=20, num_best=3)


@pytest.mark.parametrize(
    ("kind", "unit"),
    [
        ("greedy", "none"),
        *(("prefix_beam", unit) for unit in ("words", "tokens")),
        *(("beam", unit) for unit in ("words", "tokens")),
    ],
)
def test_texts_do_not_depend_on_the_threads(models, utterances, kind, unit):
    def hear(decoder, log_probs):
        length = torch.tensor([log_probs.size(1)])
        return decoder(log_probs, length, TOKENIZER, 0.04)

    alone = [hear(make(kind, models[unit]), u) for u in utterances[:4]]
    one = make(kind, models[unit])
    alone += [hear(one, u) for u in utterances[4:]]
    shared = make(kind, models[unit])
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda u: hear(shared, u), utterances))
    assert together == alone
