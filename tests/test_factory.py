"""Decoders are complete when they are made, also those of the user's own."""

import pytest
from decode.conftest import SENTENCES

from speechgru.checkpoint.identity import digest_weights
from speechgru.checkpoint.load import load_checkpoint
from speechgru.factory import build_decoder
from speechgru.interfaces import InputError
from speechgru.lm.arpa import write_arpa
from speechgru.lm.kneser_ney import estimate_kneser_ney
from speechgru.lm.weights import write_weights
from speechgru.options import Component, DecodeOptions


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A module with decoders of the user's own; its name."""
    (tmp_path / "my_decoders.py").write_text(
        "from speechgru.decode.prefix_beam import PrefixBeamDecoder\n"
        "class Wider(PrefixBeamDecoder):\n"
        "    name = 'prefix_beam'\n"
        "class Nameless:\n"
        "    def __call__(self, log_probs, lengths, tokenizer, seconds_per_frame):\n"
        "        return []\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return "my_decoders"


def test_a_beam_search_of_ones_own_takes_what_was_tuned_with_the_model(
    mine, checkpoint, tmp_path
):
    loaded = load_checkpoint(checkpoint)
    lm = tmp_path / "words.arpa"
    write_arpa(lm, estimate_kneser_ney(map(str.split, SENTENCES), 2).ngrams)
    for weight, model in ((0.3, digest_weights(loaded.model)), (0.9, "another")):
        weights = {"lm_weight": weight, "word_score": 0.0, "confidence_scale": 1.0}
        write_weights(lm, "prefix_beam", weights, {}, model)
    wider = Component(f"{mine}.Wider", {"lm": str(lm)})
    decoder = build_decoder(DecodeOptions(decoder=wider, trust=(mine,)), loaded)
    assert decoder.weights["lm_weight"] == 0.3


def test_a_decoder_without_a_name_is_refused(mine, checkpoint):
    options = DecodeOptions(decoder=Component(f"{mine}.Nameless"), trust=(mine,))
    with pytest.raises(InputError, match="Nameless has no name or no weights"):
        build_decoder(options, load_checkpoint(checkpoint))


def test_a_decoder_of_one_text_is_not_rescored(checkpoint, tmp_path):
    options = DecodeOptions(rescore=tmp_path / "lm.ckpt")
    with pytest.raises(InputError, match=r"rescore is .*, but the decoder finds one"):
        build_decoder(options, load_checkpoint(checkpoint))
