"""What both beam searches do, and that they do the same."""

import gzip
import math
import sys
from pathlib import Path

import pytest
import torch
from decode.beams import BOTH, NEEDS_FLASHLIGHT
from decode.brute_force import noise

from speechgru.decode import language
from speechgru.decode.confidence import Confidence
from speechgru.decode.flashlight import FlashlightDecoder
from speechgru.decode.n_best import vote
from speechgru.decode.prefix_beam import PrefixBeamDecoder
from speechgru.interfaces import Decoder, InputError
from speechgru.lm.arpa import read_arpa
from speechgru.lm.binary import write_binary
from speechgru.lm.weights import retire_outdated, write_weights
from speechgru.ranges import OptionError
from speechgru.text.tokenizer import CharacterTokenizer
from speechgru.text.word_tokenizer import WordTokenizer


def hear(text: str, tokenizer, doubt: int | None = None, frames: int = 3):
    """(1, T, C): each token for some frames, and a blank behind it.

    Args:
        doubt: place of a token that is nearly as probably the next token.
    """
    ids = [i for token in tokenizer.encode(text) for i in [token] * frames + [0]]
    logits = torch.zeros(1, len(ids), len(tokenizer.tokens))
    logits[0, range(len(ids)), ids] = 7.0
    if doubt is not None:
        first = (frames + 1) * doubt
        logits[0, first, ids[first] + 1] = 6.7
    return logits.log_softmax(-1)


def decode(decoder, log_probs, tokenizer, lengths=None):
    lengths = lengths or [log_probs.size(1)] * len(log_probs)
    return decoder(log_probs, torch.tensor(lengths), tokenizer, 0.04)


@BOTH
def test_hears_what_is_said_when_it_is_said(kind, word_lm, token_lm, tokenizer):
    log_probs = hear("AB A", tokenizer)
    for lm in (None, str(word_lm), str(token_lm)):
        decoder = kind(lm=lm)
        assert isinstance(decoder, Decoder)
        [hypothesis] = decode(decoder, log_probs, tokenizer)
        assert hypothesis.text == "AB A"
        words = [(word.text, word.start, word.end) for word in hypothesis.words]
        # Frames: A 0-3, B 4-7, space 8-11, A 12-15.
        assert words == [
            ("AB", 0.0, pytest.approx(0.28)),
            ("A", pytest.approx(0.48), pytest.approx(0.60)),
        ]
        assert [token.text for token in hypothesis.tokens] == list("AB A")
        assert all(word.confidence > 0.9 for word in hypothesis.words)
        assert hypothesis.alternatives == ()


@BOTH
def test_nothing_said_is_no_words(kind, word_lm, tokenizer):
    silence = torch.full((2, 5, 4), -20.0)
    silence[..., 0] = 0.0
    for lm in (None, str(word_lm)):
        for hypothesis in decode(kind(lm=lm), silence, tokenizer, [5, 0]):
            assert (hypothesis.text, hypothesis.words, hypothesis.tokens) == (
                "",
                (),
                (),
            )


@NEEDS_FLASHLIGHT
@pytest.mark.parametrize("of", [None, "token_lm"])
def test_both_searches_find_the_same_texts_and_scores(of, tokenizer, request):
    lm = of and str(request.getfixturevalue(of))
    options = {"lm": lm, "num_best": 5, "beam_threshold": 1000.0}
    options |= {"lm_weight": 0.8} if lm else {}
    clear = torch.cat([hear("AB A", tokenizer), hear("B BA", tokenizer)])
    log_probs, lengths = (
        (clear + 1.5 * noise(1, *clear.shape)).log_softmax(-1),
        [16, 15],
    )
    ours = decode(PrefixBeamDecoder(2000, **options), log_probs, tokenizer, lengths)
    theirs = decode(FlashlightDecoder(2000, **options), log_probs, tokenizer, lengths)
    for one, other in zip(ours, theirs, strict=True):
        assert one.text == other.text
        assert one.score == pytest.approx(other.score, abs=1e-3)
        assert one.tokens == other.tokens
        assert one.words[0].confidence == pytest.approx(
            other.words[0].confidence, abs=1e-2
        )


@BOTH
def test_a_language_model_of_words_mends_what_is_unclear(kind, word_lm, tokenizer):
    log_probs = hear("AA B", tokenizer, doubt=1, frames=1)  # or AB; AA is no word
    assert decode(kind(), log_probs, tokenizer)[0].text == "AA B"
    [hypothesis] = decode(kind(lm=str(word_lm)), log_probs, tokenizer)
    assert hypothesis.text == "AB B"


@BOTH
def test_a_compressed_language_model_is_the_same(kind, word_lm, tmp_path, tokenizer):
    packed = tmp_path / "lm.arpa.gz"
    packed.write_bytes(gzip.compress(Path(word_lm).read_bytes()))
    log_probs = hear("AB B", tokenizer)
    [plain] = decode(kind(lm=str(word_lm)), log_probs, tokenizer)
    assert decode(kind(lm=str(packed)), log_probs, tokenizer) == [plain]


@BOTH
def test_a_lexicon_alone_also_does(kind, tmp_path, tokenizer):
    path = tmp_path / "words.txt"
    path.write_text("AB\nB B |\n\n")
    log_probs = hear("AA B", tokenizer, doubt=1, frames=1)
    [hypothesis] = decode(kind(lexicon=str(path)), log_probs, tokenizer)
    assert hypothesis.text == "AB B"


def test_a_lexicon_and_a_model_of_tokens_count_words_once(
    token_lm, tmp_path, tokenizer
):
    path = tmp_path / "words.txt"
    path.write_text("AB\nB\n")
    log_probs = hear("AB B", tokenizer)
    scores = []
    for word_score in (0.0, 1.0):
        decoder = PrefixBeamDecoder(
            lm=str(token_lm), lexicon=str(path), word_score=word_score
        )
        [hypothesis] = decode(decoder, log_probs, tokenizer)
        assert hypothesis.text == "AB B"
        scores.append(hypothesis.score)
    assert scores[1] - scores[0] == pytest.approx(2.0, abs=1e-3)


@BOTH
def test_alternatives_come_best_first_and_once(kind, tokenizer):
    [hypothesis] = decode(kind(num_best=8), noise(5, 1, 6, 4), tokenizer)
    texts = [hypothesis.text, *(item.text for item in hypothesis.alternatives)]
    scores = [hypothesis.score, *(item.score for item in hypothesis.alternatives)]
    assert len(set(texts)) == len(texts) == 8
    assert scores == sorted(scores, reverse=True)


def test_confidence_is_the_share_of_agreeing_texts():
    scores = {
        "A B C": math.log(0.4),
        "A C": math.log(0.3),
        "X B C": math.log(0.2),
        "": math.log(0.1),
    }
    assert vote(scores) == pytest.approx([0.7, 0.6, 0.9])
    assert vote({"": 0.0, "A": 0.0}) == []
    halves = {"A": math.log(0.64), "B": math.log(0.04)}
    assert vote(halves, scale=0.5) == pytest.approx([0.8])


def test_a_word_that_never_ended_is_left_out(tmp_path, tokenizer):
    path = tmp_path / "words.txt"
    path.write_text("B\nABA\n")
    decoder = PrefixBeamDecoder(beam_size=1, lexicon=str(path))
    [hypothesis] = decode(decoder, hear("B AB", tokenizer), tokenizer)
    assert hypothesis.text == "B"
    assert [word.text for word in hypothesis.words] == ["B"]


def test_hotwords_are_heard_more_readily(tokenizer):
    log_probs = hear("AA", tokenizer, doubt=1, frames=1)
    assert decode(PrefixBeamDecoder(), log_probs, tokenizer)[0].text == "AA"
    decoder = PrefixBeamDecoder(hotwords=["AB"])
    assert decode(decoder, log_probs, tokenizer)[0].text == "AB"
    # Part of a word is not the word.
    decoder = PrefixBeamDecoder(hotwords=["B"])
    assert decode(decoder, log_probs, tokenizer)[0].text == "AA"


def test_hotwords_are_normalised_and_must_be_heard(word_lm, tokenizer):
    log_probs = hear("AA", tokenizer, doubt=1, frames=1)
    decoder = PrefixBeamDecoder(hotwords=["ab"])
    assert decode(decoder, log_probs, tokenizer)[0].text == "AB"
    closed = PrefixBeamDecoder(lm=str(word_lm), hotwords=["ab bb"])
    with pytest.raises(InputError, match="the hotword 'BB' is not among the 4 words"):
        decode(closed, log_probs, tokenizer)
    options = {"lm": str(word_lm), "hotwords": ["ab bb"], "unknown_score": -1.0}
    decode(PrefixBeamDecoder(**options), log_probs, tokenizer)
    for hotword, expected in (
        ("AC", "'AC' holds 'C'"),
        (" ", "hotword ' ' has no word"),
    ):
        with pytest.raises(InputError, match=expected):
            decode(PrefixBeamDecoder(hotwords=[hotword]), log_probs, tokenizer)


def test_words_outside_the_lexicon_cost_what_is_asked(word_lm, tokenizer):
    log_probs = hear("BB A", tokenizer)
    closed = PrefixBeamDecoder(lm=str(word_lm))
    assert decode(closed, log_probs, tokenizer)[0].text != "BB A"
    opened = PrefixBeamDecoder(lm=str(word_lm), unknown_score=-1.0)
    assert decode(opened, log_probs, tokenizer)[0].text == "BB A"
    dear = PrefixBeamDecoder(lm=str(word_lm), unknown_score=-100.0)
    assert decode(dear, log_probs, tokenizer)[0].text != "BB A"


def test_weights_beside_the_model_are_the_default(tmp_path, word_lm):
    lm = tmp_path / "lm.arpa"
    lm.write_bytes(word_lm.read_bytes())
    untuned = PrefixBeamDecoder(lm=str(lm))
    assert (untuned.lm_weight, untuned.word_score) == (0.5, 0.0)
    weights = {"lm_weight": 0.9, "word_score": 1.5, "confidence_scale": 0.5}
    write_weights(lm, "prefix_beam", weights, {"wer": 0.05})
    tuned = PrefixBeamDecoder(lm=str(lm))
    assert (tuned.lm_weight, tuned.word_score) == (0.9, 1.5)
    assert tuned.confidence == Confidence(scale=0.5)  # as of older versions
    asked = PrefixBeamDecoder(lm=str(lm), lm_weight=0.0)
    assert (asked.lm_weight, asked.word_score) == (0.0, 1.5)
    with lm.open("a") as file:
        file.write("\n")
    with pytest.raises(InputError, match="was tuned for another language model"):
        PrefixBeamDecoder(lm=str(lm))
    path = tmp_path / "lm.prefix_beam.weights.json"
    path.write_text('{"lm_weight": "much"}')
    with pytest.raises(InputError, match=r"prefix_beam\.weights\.json: does not hold"):
        PrefixBeamDecoder(lm=str(lm))


def test_the_same_model_in_two_forms_has_weights_of_its_own(tmp_path, word_lm):
    arpa, binary = tmp_path / "lm.arpa", tmp_path / "lm.ngrams"
    arpa.write_bytes(word_lm.read_bytes())
    write_binary(binary, read_arpa(arpa))
    weights = {"lm_weight": 0.9, "word_score": 1.5, "confidence_scale": 0.5}
    write_weights(arpa, "prefix_beam", weights, {})
    assert PrefixBeamDecoder(lm=str(binary)).lm_weight == 0.5  # nobody has tuned it
    assert retire_outdated(binary, "prefix_beam") is None
    write_weights(binary, "prefix_beam", {**weights, "lm_weight": 0.7}, {})
    assert PrefixBeamDecoder(lm=str(binary)).lm_weight == 0.7
    assert PrefixBeamDecoder(lm=str(arpa)).lm_weight == 0.9
    # Older versions called both by one name.
    own = tmp_path / "lm.ngrams.prefix_beam.weights.json"
    own.rename(tmp_path / "lm.prefix_beam.weights.json")
    assert PrefixBeamDecoder(lm=str(binary)).lm_weight == 0.7
    arpa.unlink()
    with binary.open("ab") as file:
        file.write(b"0")
    assert retire_outdated(binary, "prefix_beam") is not None


def test_without_a_weight_what_the_model_rules_out_can_be_heard(
    tmp_path, word_lm, tokenizer
):
    lm = tmp_path / "lm.arpa"
    lines = word_lm.read_text().splitlines()
    of_a = next(line for line in lines if line.split("\t")[1:2] == ["A"])
    lm.write_text(
        "\n".join(lines).replace(of_a, of_a.replace(of_a.split("\t")[0], "-99", 1))
        + "\n"
    )
    log_probs = hear("BB A", tokenizer)
    heard = [
        decode(PrefixBeamDecoder(lm=str(each), lm_weight=0.0), log_probs, tokenizer)
        for each in (word_lm, lm)
    ]
    assert heard[0] == heard[1]
    assert "A" in heard[0][0].text.split()


@pytest.mark.parametrize("hotword", [911, True, None])
def test_a_hotword_that_is_no_text_is_named(hotword):
    with pytest.raises(OptionError, match=f"hotwords holds {hotword}, expected text"):
        PrefixBeamDecoder(hotwords=["A", hotword])


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "3", "null", "[" * 100_000, "\\x00", '{"lm_weight": 1}'),
        '{"lm_weight": NaN, "word_score": 0, "confidence_scale": 1}',
        '{"lm_weight": "1", "word_score": 0, "confidence_scale": 1}',
        '{"lm_weight": 1e99, "word_score": 0, "confidence_scale": 1}',
        '{"lm_weight": 1, "word_score": 0, "confidence_scale": 0}',
        '{"lm_weight": 1' + "0" * 400 + ', "word_score": 0, "confidence_scale": 1}',
    ],
    ids=lambda content: content[:40],
)
def test_weights_that_are_no_numbers_are_refused(tmp_path, word_lm, content):
    lm = tmp_path / "lm.arpa"
    lm.write_bytes(word_lm.read_bytes())
    content = content.replace("}", ', "lm_sha256": "?"}')
    (tmp_path / "lm.prefix_beam.weights.json").write_text(content)
    with pytest.raises(InputError, match=r"prefix_beam\.weights\.json: does not hold"):
        PrefixBeamDecoder(lm=str(lm))


@NEEDS_FLASHLIGHT
def test_weights_of_another_decoder_are_not_taken(tmp_path, word_lm):
    lm = tmp_path / "lm.arpa"
    lm.write_bytes(word_lm.read_bytes())
    weights = {"lm_weight": 0.9, "word_score": 1.5, "confidence_scale": 0.5}
    write_weights(lm, "prefix_beam", weights, {})
    assert FlashlightDecoder(lm=str(lm)).weights == {
        "lm_weight": 0.5,
        "word_score": 0.0,
        **Confidence().weights,
    }


@BOTH
def test_a_decoder_may_change_its_tokenizer(kind, tokenizer):
    decoder = kind()
    other = CharacterTokenizer(" ABC")
    assert decode(decoder, hear("AB", tokenizer), tokenizer)[0].text == "AB"
    assert decode(decoder, hear("CAB", other), other)[0].text == "CAB"


@BOTH
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"beam_size": 0}, "beam_size is 0, expected a whole number from 1"),
        ({"num_best": 0}, "num_best is 0, expected a whole number from 1"),
        ({"num_best": 6, "beam_size": 5}, r"num_best is 6, expected at most .* \(5\)"),
        ({"beam_threshold": 0.0}, "beam_threshold is 0.0, expected a number above 0"),
        ({"lm_weight": 1.0}, "lm_weight is 1.0, but there is no language model"),
    ],
)
def test_impossible_options_are_refused(kind, options, expected):
    with pytest.raises(InputError, match=expected):
        kind(**options)


@BOTH
def test_a_language_model_that_does_not_fit_is_refused(
    kind, word_lm, token_lm, tokenizer, tmp_path
):
    log_probs = hear("AB", tokenizer)
    lower = tmp_path / "lower.arpa"
    lower.write_text(word_lm.read_text().replace("A", "a").replace("B", "b"))
    with pytest.raises(InputError, match=r"the word 'a' is not as .* 'A'"):
        decode(kind(lm=str(lower)), log_probs, tokenizer)
    foreign = tmp_path / "foreign.arpa"
    foreign.write_text(word_lm.read_text().replace("BA", "BÖ"))
    with pytest.raises(InputError, match=r"the word 'BÖ' holds 'Ö', which is in none"):
        decode(kind(lm=str(foreign)), log_probs, tokenizer)
    tokens = tmp_path / "tokens.arpa"
    tokens.write_text(token_lm.read_text().replace("B", "C"))
    with pytest.raises(InputError, match=r"model of tokens holds 'C', .* 4 tokens"):
        decode(kind(lm=str(tokens)), log_probs, tokenizer)
    broken = tmp_path / "broken.arpa"
    broken.write_text(word_lm.read_text()[:-20])
    with pytest.raises(InputError, match=r"broken\.arpa"):
        decode(kind(lm=str(broken)), log_probs, tokenizer)


@BOTH
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("AB\nC\n", "the word 'C' holds 'C', which is in none"),
        ("ab\n", "the word 'ab' is not as the model's texts are, expected 'AB'"),
        ("AB A C\n", r"words\.txt:1: 'AB' is spelled 'A C', expected its own"),
        ("AB\nB\nAB\n", r"words\.txt:3: 'AB' stands in line 1 already"),
        ("\n", "holds no words"),
    ],
)
def test_a_lexicon_that_does_not_fit_is_refused(
    kind, content, expected, tmp_path, tokenizer
):
    path = tmp_path / "words.txt"
    path.write_text(content)
    with pytest.raises(InputError, match=expected):
        decode(kind(lexicon=str(path)), hear("AB", tokenizer), tokenizer)


@BOTH
def test_other_weights_are_as_if_set_at_first(kind, word_lm, tokenizer):
    log_probs = noise(3, 4, 12, 4)
    lm = str(word_lm)
    decoder = kind(lm=lm, lm_weight=0.1, beam_size=3)
    before = decode(decoder, log_probs, tokenizer)
    other = decoder.adjusted(lm_weight=2.0, word_score=1.0, beam_size=20, num_best=5)
    expected = kind(lm=lm, lm_weight=2.0, word_score=1.0, beam_size=20, num_best=5)
    found = decode(other, log_probs, tokenizer)
    assert found == decode(expected, log_probs, tokenizer) != before
    assert decode(decoder, log_probs, tokenizer) == before
    with pytest.raises(InputError, match=r"num_best is 5, expected at most beam_size"):
        decoder.adjusted(lm_weight=2.0, word_score=1.0, beam_size=4, num_best=5)


def test_what_is_looked_up_again_is_as_at_first(token_lm, tokenizer, monkeypatch):
    log_probs = noise(3, 4, 12, 4)
    decoder = PrefixBeamDecoder(lm=str(token_lm))
    first = decode(decoder, log_probs, tokenizer)
    assert decode(decoder, log_probs, tokenizer) == first
    monkeypatch.setattr(language, "MAX_CELLS", 1)  # so that all is forgotten at once
    assert decode(decoder, log_probs, tokenizer) == first


def test_other_weights_need_no_file_again(word_lm, tmp_path, tokenizer):
    lm = tmp_path / "words.arpa"
    lm.write_bytes(word_lm.read_bytes())
    decoder = PrefixBeamDecoder(lm=str(lm))
    decode(decoder, hear("AB", tokenizer), tokenizer)
    lm.unlink()
    other = decoder.adjusted(lm_weight=0.0, word_score=0.0, beam_size=5, num_best=1)
    [hypothesis] = decode(other, hear("BA", tokenizer), tokenizer)
    assert hypothesis.text == "BA"


@NEEDS_FLASHLIGHT
def test_flashlight_says_what_it_cannot_do(token_lm, tmp_path, tokenizer):
    (tmp_path / "words.txt").write_text("AB\n")
    decoder = FlashlightDecoder(lexicon=str(tmp_path / "words.txt"), lm=str(token_lm))
    with pytest.raises(InputError, match=r"not both; take decoder=prefix_beam"):
        decode(decoder, hear("AB", tokenizer), tokenizer)


@BOTH
def test_tokens_of_whole_words_are_heard(kind, word_lm):
    words = WordTokenizer(" AB", ["AB"])
    for lm in (None, str(word_lm)):
        [hypothesis] = decode(kind(lm=lm), hear("BA AB", words), words)
        assert hypothesis.text == "BA AB"
        assert [token.text for token in hypothesis.tokens] == ["B", "A", " AB"]


@NEEDS_FLASHLIGHT
def test_flashlight_has_no_word_score_without_a_lexicon(token_lm, tokenizer):
    decoder = FlashlightDecoder(lm=str(token_lm), word_score=0.5)
    with pytest.raises(InputError, match=r"word_score is 0\.5, expected 0"):
        decode(decoder, hear("AB", tokenizer), tokenizer)


def test_flashlight_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "flashlight.lib.text", None)
    with pytest.raises(InputError, match=r"pip install 'speechgru\[flashlight\]'"):
        FlashlightDecoder()


@BOTH
def test_wrong_shapes_are_refused(kind, tokenizer):
    with pytest.raises(ValueError, match="hold NaN"):
        decode(kind(), torch.full((1, 2, 4), math.nan), tokenizer)
    with pytest.raises(ValueError, match="score 5 tokens but the tokenizer has 4"):
        decode(kind(), torch.zeros(1, 2, 5), tokenizer)


@BOTH
def test_a_blank_penalty_lets_doubtful_tokens_be_heard(kind, tokenizer):
    log_probs = torch.tensor([[[0.6, 0.05, 0.3, 0.05], [0.9, 0.02, 0.04, 0.04]]]).log()
    # Paths without a token: 0.6 x 0.9; those of A: 0.3 x 0.9 + 0.6 x 0.04 + 0.3 x 0.04.
    heard = [
        decode(kind(blank_penalty=penalty), log_probs, tokenizer)[0]
        for penalty in (0.0, math.log(1.4), math.log(2.2))
    ]
    assert [hypothesis.text for hypothesis in heard] == ["", "", "A"]
    assert heard[1].score < heard[0].score - math.log(1.4)
    assert log_probs[0, 0, 0].exp() == pytest.approx(0.6), "nothing is changed in place"
