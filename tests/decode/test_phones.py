"""Every decoder with phones for tokens, of which words that sound alike are made."""

import pytest
import torch
from decode.beams import BOTH
from decode.brute_force import noise

from speechgru.decode.align import align_text
from speechgru.decode.greedy import GreedyDecoder
from speechgru.decode.language import WordScorer
from speechgru.decode.lexicon import Lexicon
from speechgru.decode.pauses import break_at_pauses
from speechgru.decode.prefix_beam import PrefixBeamDecoder
from speechgru.interfaces import InputError
from speechgru.lm.arpa import read_arpa, write_arpa
from speechgru.lm.kneser_ney import estimate_kneser_ney
from speechgru.lm.ngram import NGramModel
from speechgru.text.phone_tokenizer import PhoneTokenizer

SOUNDS = {
    "TO": "t u",
    "TWO": "t u",
    "TOO": "t u",
    "BEE": "b i",
    "BE": "b i",
    "TEE": "t i",
    "BEET": "b i t",
}
SENTENCES = [
    "TO BE",
    "TO BE",
    "TWO BEET",
    "TWO BEET",
    "BE TOO",
    "BE TOO",
    "BEE TWO TEE",
]
SECONDS = 0.04  # a frame


@pytest.fixture(scope="module")
def tokenizer() -> PhoneTokenizer:
    return PhoneTokenizer(None, ["b", "i", "t", "u"], SOUNDS)


@pytest.fixture(scope="module")
def lm(tmp_path_factory) -> str:
    """A language model of words, in a file."""
    path = tmp_path_factory.mktemp("lm") / "words.arpa"
    write_arpa(path, estimate_kneser_ney(map(str.split, SENTENCES), 3).ngrams)
    return str(path)


def hear(text, tokenizer, frames=2):
    """(1, T, C): each phone for some frames, and a blank behind it."""
    ids = [i for id in tokenizer.encode(text) for i in [id] * frames + [0]]
    logits = torch.zeros(1, len(ids), len(tokenizer.tokens))
    logits[0, range(len(ids)), ids] = 8.0
    return logits.log_softmax(-1)


def decode(decoder, log_probs, tokenizer):
    lengths = torch.full((len(log_probs),), log_probs.size(1))
    return decoder(log_probs, lengths, tokenizer, SECONDS)


def test_greedy_writes_the_most_frequent_words(tokenizer):
    [hypothesis] = decode(GreedyDecoder(), hear("two be beet", tokenizer), tokenizer)
    assert hypothesis.text == "TO BEE BEET"
    assert [word.text for word in hypothesis.words] == ["TO", "BEE", "BEET"]
    assert [token.text for token in hypothesis.tokens] == [
        *(" t", "u", " b", "i", " b", "i", "t"),
    ]
    # Frames: "t" 0-2, "u" 3-5.
    assert hypothesis.words[0].start == 0
    assert hypothesis.words[0].end == pytest.approx(5 * SECONDS)


@BOTH
@pytest.mark.parametrize("text", ["TO BE", "TWO BEET", "BE TOO", "BEE TWO TEE"])
def test_a_language_model_chooses_between_words_that_sound_alike(
    kind, text, tokenizer, lm
):
    [hypothesis] = decode(kind(lm=lm), hear(text, tokenizer), tokenizer)
    assert hypothesis.text == text
    assert [word.text for word in hypothesis.words] == text.split()


def test_what_follows_has_a_say(tokenizer, lm):
    """At the start TO and TWO are as frequent; what is chosen first may be wrong."""
    decoder = PrefixBeamDecoder(lm=lm)
    for text in ("TO BE", "TWO BEET"):
        [hypothesis] = decode(decoder, hear(text, tokenizer), tokenizer)
        assert hypothesis.text == text


def test_each_tokenizer_has_its_own_words(tokenizer, lm):
    """Also where the tokens are the same, and the words sound otherwise."""
    other = {**SOUNDS, "BEE": "t i", "TEE": "b i", "BE": "t i"}
    decoder = PrefixBeamDecoder(lm=lm)
    swapped = PhoneTokenizer(None, tokenizer.phones, other)
    log_probs = hear("bee two tee", tokenizer)
    [usual] = decode(decoder, log_probs, tokenizer)
    [hypothesis] = decode(decoder, log_probs, swapped)
    assert usual.text == "BEE TWO TEE"
    assert hypothesis.text.split()[0] == "TEE"


@BOTH
def test_words_of_a_language_model_without_a_sound_are_not_heard(
    kind, tmp_path, tokenizer, caplog
):
    path = tmp_path / "words.arpa"
    sentences = [*map(str.split, SENTENCES), ["TO", "XXIV", "BE"], ["XXV"]]
    write_arpa(path, estimate_kneser_ney(sentences, 3).ngrams)
    [hypothesis] = decode(kind(lm=str(path)), hear("TO BE", tokenizer), tokenizer)
    assert hypothesis.text == "TO BE"
    [message] = caplog.messages
    assert f"{path}: 2 of 9 words cannot be pronounced" in message
    assert "'XXIV'" in message
    assert "'XXV'" in message


@BOTH
def test_a_lexicon_alone_writes_its_first_word(kind, tmp_path, tokenizer):
    path = tmp_path / "words.txt"
    path.write_text("TOO\nTO\nBE\n")
    decoder = kind(lexicon=str(path))
    [hypothesis] = decode(decoder, hear("to bee", tokenizer), tokenizer)
    assert hypothesis.text == "TOO BE"


@BOTH
def test_a_word_may_have_several_pronunciations(kind, tmp_path, tokenizer):
    path = tmp_path / "words.txt"
    path.write_text("TOMATO t u b i\nTOMATO t i t u\nBE\n")
    for text in ("to bee", "tee to"):
        log_probs = hear(text.replace(" ", ""), _spoken(tokenizer, text))
        [hypothesis] = decode(kind(lexicon=str(path)), log_probs, tokenizer)
        assert hypothesis.text == "TOMATO"


def _spoken(tokenizer, text):
    """With the words of a text as one."""
    phones = [phone for word in text.upper().split() for phone in SOUNDS[word].split()]
    words = {**SOUNDS, text.upper().replace(" ", ""): " ".join(phones)}
    return PhoneTokenizer(None, tokenizer.phones, words)


@BOTH
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("BE b i\nBE b i\n", r"words\.txt:2: 'BE' stands in line 1 already"),
        ("BE b iː\n", r"words\.txt:1: 'BE' sounds like 'b iː', but 'iː' is not among"),
        ("be\n", "the word 'be' is not as the model's texts are, expected 'BE'"),
        ("BAT\n", "the word 'BAT' is not among the 7 words whose phones are known"),
    ],
)
def test_a_lexicon_that_does_not_fit_is_refused(
    kind, content, expected, tmp_path, tokenizer
):
    path = tmp_path / "words.txt"
    path.write_text(content)
    with pytest.raises(InputError, match=expected):
        decode(kind(lexicon=str(path)), hear("be", tokenizer), tokenizer)


@pytest.mark.parametrize("text", SENTENCES)
def test_the_scorer_scores_a_text_as_its_best_words(text, tokenizer, lm):
    model = NGramModel(read_arpa(lm))
    scorer = WordScorer(Lexicon(SOUNDS, tokenizer), tokenizer, model, 0.7, 0.3)
    states, total = torch.tensor([scorer.start]), 0.0
    for token_id in tokenizer.encode(text):
        scores, reached = scorer.expand(states)
        total += scores[0, token_id].item()
        states = reached[:, token_id]
    total += scorer.finish(states).item()
    # Word by word the best is taken, which need not make the best text.
    chosen, words = [], text.split()
    for word in words:
        alike = [each for each in SOUNDS if SOUNDS[each] == SOUNDS[word]]
        best = max(alike, key=lambda w: model.score_sentence([*chosen, w])[-2])
        chosen.append(best)
    expected = 0.7 * sum(model.score_sentence(chosen)) + 0.3 * len(words)
    assert total == pytest.approx(expected, abs=1e-4)


def test_hotwords_are_heard_by_their_sound(tokenizer, tmp_path):
    unclear = hear("tee", tokenizer, frames=1)
    token = tokenizer.tokens.index(" b")
    unclear[0, 0, token] = unclear[0, 0, tokenizer.tokens.index(" t")] - 0.5
    [without] = decode(PrefixBeamDecoder(), unclear, tokenizer)
    [with_it] = decode(PrefixBeamDecoder(hotwords=["bee"]), unclear, tokenizer)
    assert (without.text, with_it.text) == ("TEE", "BEE")


def test_an_open_lexicon_writes_other_words_as_their_phones(tmp_path, tokenizer):
    path = tmp_path / "words.txt"
    path.write_text("TO\nTEE\n")
    decoder = PrefixBeamDecoder(lexicon=str(path), unknown_score=-1.0)
    [hypothesis] = decode(decoder, hear("to beet", tokenizer), tokenizer)
    assert hypothesis.text == "TO BEET"  # known to the tokenizer
    ids = [tokenizer.tokens.index(token) for token in (" u", "b")]
    log_probs = torch.full((1, 3, len(tokenizer.tokens)), -20.0)
    log_probs[0, [0, 2], ids] = 0.0
    log_probs[0, 1, 0] = 0.0
    [hypothesis] = decode(decoder, log_probs, tokenizer)
    assert hypothesis.text == "ub"


def test_an_alignment_keeps_the_words_that_it_was_given(tokenizer):
    [log_probs] = hear("two be", tokenizer)
    ids = tokenizer.encode("two be")
    aligned = align_text(log_probs, ids, tokenizer, SECONDS, "TWO BE")
    assert aligned.text == "TWO BE"
    assert [word.text for word in aligned.words] == ["TWO", "BE"]


def test_no_word_is_broken_at_a_pause(tokenizer):
    log_probs = hear("beet", tokenizer, frames=1)
    pause = torch.full((1, 100, len(tokenizer.tokens)), -20.0)
    pause[..., 0] = 0.0
    log_probs = torch.cat([log_probs[:, :4], pause, log_probs[:, 4:]], dim=1)
    [hypothesis] = decode(GreedyDecoder(), log_probs, tokenizer)
    assert break_at_pauses(hypothesis, tokenizer) == hypothesis


@pytest.mark.parametrize("seed", range(3))
def test_while_it_is_said_the_same_is_heard_as_of_the_whole(seed, tokenizer, lm):
    log_probs = noise(seed, 1, 24, len(tokenizer.tokens))
    decoder = PrefixBeamDecoder(lm=lm, beam_size=8)
    [whole] = decode(decoder, log_probs, tokenizer)
    decoding = decoder.begin(tokenizer, SECONDS)
    for chunk in log_probs[0].split(5):
        decoding = decoding.advance(chunk)
        assert isinstance(decoding.text, str)
    assert decoding.finish() == whole
    assert [word.text for word in whole.words] == whole.text.split()
