import pytest

from speechgru.interfaces import Alternative, Span
from speechgru.transcribe.segments.cutting import Piece
from speechgru.transcribe.segments.joining import join_pieces
from speechgru.transcribe.transcript import Transcript

PIECES = [Piece(1.0, 2.0), Piece(5.0, 6.0), Piece(8.0, 9.0)]


def heard(text: str, score: float = -1.0, *others: tuple[str, float]) -> Transcript:
    words = tuple(
        Span(word, 0.1 + index, 0.2 + index, 0.81)
        for index, word in enumerate(text.split())
    )
    alternatives = tuple(Alternative(*other) for other in others)
    confidence = 0.81 if text else None
    return Transcript("a", text, 1.0, score, confidence, words, words, alternatives)


def test_texts_follow_each_other_and_times_move():
    joined = join_pieces("a", 10.0, PIECES, [heard("A"), heard(""), heard("B C")])
    assert (joined.text, joined.duration, joined.score) == ("A B C", 10.0, -3.0)
    assert [word.start for word in joined.words] == pytest.approx([1.1, 8.1, 9.1])
    assert joined.tokens == joined.words
    assert joined.confidence == pytest.approx(0.81)
    assert joined.segments == (Span("A", 1.0, 2.0, 0.81), Span("B C", 8.0, 9.0, 0.81))
    assert joined.alternatives == ()


def test_no_pieces_hold_no_words():
    joined = join_pieces("a", 10.0, [], [])
    assert (joined.text, joined.score, joined.confidence) == ("", 0.0, None)


def test_other_texts_are_the_best_of_all_combinations():
    joined = join_pieces(
        "a",
        10.0,
        PIECES[:2],
        [
            heard("A", -1.0, ("E", -1.5), ("O", -9.0)),
            heard("B", -2.0, ("P", -4.0), ("V", -2.25)),
        ],
    )
    found = [(other.text, other.score) for other in joined.alternatives]
    assert found == [("A V", -3.25), ("E B", -3.5)]


def test_other_texts_differ_on_whichever_side_of_a_cut_a_word_is_heard():
    joined = join_pieces(
        "a",
        10.0,
        PIECES[:2],
        [
            heard("A B", -1.0, ("A", -1.25), ("X", -9.0), ("Y", -9.5)),
            heard("", -1.0, ("B", -1.5)),
        ],
    )
    found = [(other.text, other.score) for other in joined.alternatives]
    assert found == [("A", -2.25), ("A B B", -2.5), ("X", -10.0)]
