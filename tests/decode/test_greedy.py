import math

import pytest
import torch
from torch import Tensor

from speechgru.decode.greedy import GreedyDecoder
from speechgru.interfaces import Decoder
from speechgru.text.tokenizer import CharacterTokenizer

BLANK, SPACE, A, B = range(4)


@pytest.fixture
def tokenizer() -> CharacterTokenizer:
    return CharacterTokenizer(" AB")


def frames(*best: tuple[int, float]) -> Tensor:
    """(1, T, 4) log-probabilities with one probable token a frame."""
    log_probs = torch.empty(1, len(best), 4)
    for frame, (token_id, probability) in enumerate(best):
        log_probs[0, frame] = math.log((1 - probability) / 3)
        log_probs[0, frame, token_id] = math.log(probability)
    return log_probs


def decode(log_probs: Tensor, lengths: list[int], tokenizer, seconds=0.04):
    return GreedyDecoder()(log_probs, torch.tensor(lengths), tokenizer, seconds)


def test_it_is_a_decoder():
    assert isinstance(GreedyDecoder(), Decoder)


def test_hand_worked_utterance(tokenizer):
    log_probs = frames(
        (BLANK, 0.9),
        (A, 0.8),
        (A, 0.4),
        (BLANK, 0.5),
        (A, 0.9),
        (SPACE, 0.7),
        (BLANK, 0.6),
        (B, 0.64),
    )
    [hypothesis] = decode(log_probs, [8], tokenizer)
    assert hypothesis.text == "AA B"
    probabilities = [0.9, 0.8, 0.4, 0.5, 0.9, 0.7, 0.6, 0.64]
    assert hypothesis.score == pytest.approx(math.log(math.prod(probabilities)), 1e-5)
    tokens = [(t.text, t.start, t.end, t.confidence) for t in hypothesis.tokens]
    assert tokens == [
        ("A", pytest.approx(0.04), pytest.approx(0.12), pytest.approx(0.6)),
        ("A", pytest.approx(0.16), pytest.approx(0.20), pytest.approx(0.9)),
        (" ", pytest.approx(0.20), pytest.approx(0.24), pytest.approx(0.7)),
        ("B", pytest.approx(0.28), pytest.approx(0.32), pytest.approx(0.64)),
    ]
    words = [(w.text, w.start, w.end, w.confidence) for w in hypothesis.words]
    assert words == [
        ("AA", pytest.approx(0.04), pytest.approx(0.20), pytest.approx(0.54**0.5)),
        ("B", pytest.approx(0.28), pytest.approx(0.32), pytest.approx(0.64)),
    ]


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ([], "", []),
        ([BLANK, BLANK], "", []),
        ([SPACE, BLANK, SPACE], "", []),
        ([SPACE, A, BLANK, SPACE], "A", ["A"]),
        ([A, SPACE, BLANK, SPACE, B], "A B", ["A", "B"]),
        ([A, A, B, B, A], "ABA", ["ABA"]),
        ([A, BLANK, A, BLANK], "AA", ["AA"]),
    ],
)
def test_paths_collapse_to_text_without_needless_spaces(path, text, words, tokenizer):
    log_probs = frames(*[(token_id, 0.7) for token_id in path])
    [hypothesis] = decode(log_probs, [len(path)], tokenizer)
    assert hypothesis.text == text
    assert [word.text for word in hypothesis.words] == words


def test_a_script_without_spaces_is_one_word():
    tokenizer = CharacterTokenizer("世你好")
    [hypothesis] = decode(frames((2, 0.9), (3, 0.9), (1, 0.9)), [3], tokenizer)
    assert hypothesis.text == "你好世"
    assert [word.text for word in hypothesis.words] == ["你好世"]


@pytest.mark.parametrize("filler", [0.0, -50.0, math.nan, math.inf])
def test_padding_frames_never_matter(filler, tokenizer):
    generator = torch.Generator().manual_seed(5)
    lengths = [9, 1, 0, 6]
    alone = [
        torch.randn(1, length, 4, generator=generator).log_softmax(-1)
        for length in lengths
    ]
    batch = torch.full((4, 12, 4), filler)
    for index, log_probs in enumerate(alone):
        batch[index, : lengths[index]] = log_probs[0]
    together = decode(batch, lengths, tokenizer)
    assert together == [
        decode(log_probs, [length], tokenizer)[0]
        for log_probs, length in zip(alone, lengths, strict=True)
    ]
    assert together[2].text == ""
    assert together[2].score == 0.0


def test_words_agree_with_text_and_lie_in_order_within_the_utterance(tokenizer):
    generator = torch.Generator().manual_seed(6)
    log_probs = (3 * torch.randn(20, 50, 4, generator=generator)).log_softmax(-1)
    lengths = torch.randint(0, 51, (20,), generator=generator)
    for length, hypothesis in zip(
        lengths.tolist(),
        GreedyDecoder()(log_probs, lengths, tokenizer, 0.5),
        strict=True,
    ):
        assert hypothesis.text == " ".join(word.text for word in hypothesis.words)
        for spans in (hypothesis.tokens, hypothesis.words):
            times = [time for span in spans for time in (span.start, span.end)]
            assert times == sorted(times)
            assert all(0 <= time <= length * 0.5 for time in times)
            assert all(span.start < span.end for span in spans)
            assert all(0 < span.confidence <= 1 for span in spans)


def test_a_certain_token_has_confidence_one(tokenizer):
    log_probs = torch.full((1, 3, 4), -math.inf)
    log_probs[0, :, A] = 1e-7  # as rounding may leave it
    [hypothesis] = decode(log_probs, [3], tokenizer)
    assert hypothesis.tokens[0].confidence == 1.0
    assert hypothesis.words[0].confidence == 1.0


def test_equal_probabilities_go_to_the_first_token(tokenizer):
    [hypothesis] = decode(torch.full((1, 5, 4), math.log(0.25)), [5], tokenizer)
    assert hypothesis.text == ""


def test_an_empty_batch_has_no_hypotheses(tokenizer):
    lengths = torch.empty(0, dtype=torch.int64)
    log_probs = torch.empty(0, 7, 4)
    assert GreedyDecoder()(log_probs, lengths, tokenizer, 0.04) == []


@pytest.mark.parametrize(
    ("log_probs", "lengths", "message"),
    [
        (torch.zeros(2, 3), [3, 3], r"shape \(2, 3\), expected floats"),
        (torch.zeros(1, 3, 4, dtype=torch.int64), [3], "int64.*expected floats"),
        (torch.zeros(1, 3, 5), [3], "score 5 tokens but the tokenizer has 4"),
        (torch.zeros(2, 3, 4), [3], r"expected integers \(2,\)"),
        (torch.zeros(1, 3, 4), [0.5], r"float32.*expected integers \(1,\)"),
        (torch.zeros(2, 3, 4), [3, 4], "span 3 to 4 frames, expected 0 to 3"),
        (torch.zeros(2, 3, 4), [-1, 3], "span -1 to 3 frames, expected 0 to 3"),
        (torch.full((1, 3, 4), math.nan), [1], "utterance 0 .* NaN"),
    ],
)
def test_rejects_what_does_not_fit(log_probs, lengths, message, tokenizer):
    with pytest.raises(ValueError, match=message):
        decode(log_probs, lengths, tokenizer)


def test_a_blank_penalty_lets_doubtful_tokens_be_heard(tokenizer):
    log_probs = torch.tensor([[[0.6, 0.05, 0.3, 0.05], [0.9, 0.02, 0.04, 0.04]]]).log()
    heard = []
    for penalty in (0.0, math.log(1.9), math.log(2.1)):
        decoder = GreedyDecoder(blank_penalty=penalty)
        [hypothesis] = decoder(log_probs, torch.tensor([2]), tokenizer, 0.04)
        heard.append(hypothesis.text)
    assert heard == ["", "", "A"]
    # What it is sure of is as before.
    assert hypothesis.tokens[0].confidence == pytest.approx(0.3)
    assert hypothesis.score == pytest.approx(math.log(0.3 * 0.9), 1e-5)
    assert log_probs[0, 0, 0].exp() == pytest.approx(0.6), "nothing is changed in place"


def test_a_penalty_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="blank_penalty is nan, expected a number"):
        GreedyDecoder(blank_penalty=math.nan)
