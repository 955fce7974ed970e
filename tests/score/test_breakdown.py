import pytest

from speechgru.score.breakdown import (
    Unseen,
    break_down,
    describe_unseen,
    first,
    frequency_class,
)
from speechgru.score.counts import ErrorCounts
from speechgru.score.results import make_result

RESULTS = [
    make_result("a", "THE CAT SAT", "THE CAP", "levenshtein", speaker="ann"),
    make_result("b", "THE YAK", "A THE YAK", "levenshtein", speaker="bob"),
    make_result("c", "GNU", "NEW", "levenshtein", speaker="bob"),
]
TRAINED = {"THE": 1200, "CAT": 3, "SAT": 3, "YAK": 0}


def test_words_are_sorted_by_how_often_training_has_them():
    found = break_down(RESULTS, TRAINED).by_frequency
    assert {name: rate.counts for name, rate in found.items()} == {
        "0": ErrorCounts(substitutions=1, hits=1),  # GNU, YAK
        "2-4": ErrorCounts(substitutions=1, deletions=1),  # CAT, SAT
        "1000-": ErrorCounts(hits=2),  # THE; the A before it was not said
    }
    assert list(found) == ["0", "2-4", "1000-"]
    assert (found["1000-"].low, found["1000-"].high) == (0, 0)
    assert 0 <= found["0"].low < 0.5 < found["0"].high <= 1


def test_intervals_are_drawn_over_what_has_such_words():
    by = {
        unit: break_down(RESULTS, TRAINED, unit).by_frequency["0"]
        for unit in ("utterance", "speaker")
    }
    assert by["utterance"].counts == by["speaker"].counts
    # Bob alone said words that are new.
    assert (by["speaker"].low, by["speaker"].high) == (0.5, 0.5)
    assert by["utterance"].high == 1


def test_words_that_training_never_has_are_told():
    unseen = break_down(RESULTS, TRAINED).unseen
    assert unseen == Unseen(2, 2, 1, share=2 / 6, share_of_errors=1 / 3)
    assert describe_unseen(unseen) == (
        "2 words said, 33.33 %, never occur in training (2 different ones): 50.00 % of "
        "them are not heard, 33.33 % of all words that are not."
    )
    all_seen = break_down(RESULTS[:1], TRAINED).unseen
    assert describe_unseen(all_seen) == "Every word said occurs in training."


def test_without_the_words_of_training_nothing_is_said_of_them():
    found = break_down(RESULTS, None)
    assert (found.by_frequency, found.unseen) == ({}, None)
    assert found.to_record(9)["unseen"] is None


def test_confusions_of_words_and_of_characters_are_counted():
    found = break_down(RESULTS, None)
    assert found.words == {
        ("CAT", "CAP"): 1,
        ("SAT", None): 1,
        (None, "A"): 1,
        ("GNU", "NEW"): 1,
    }
    # " SAT" is missing, "A " too much; of GNU, G is missing, E too much, U a W.
    assert found.characters[" ", None] == found.characters[None, " "] == 1
    assert found.characters["T", "P"] == 1
    edits = sum(result.character_errors.edits for result in RESULTS)
    assert found.characters.total() == edits
    record = found.to_record(2)["words_confused"]
    assert (record["kinds"], record["errors"]) == (4, 4)
    assert record["most"] == [["CAT", "CAP", 1], ["GNU", "NEW", 1]]
    assert first(found.words, 4)[-1] == ((None, "A"), 1)


@pytest.mark.parametrize(
    ("occurrences", "name"),
    [(0, "0"), (1, "1"), (2, "2-4"), (9, "5-9"), (99, "10-99"), (10**7, "1000-")],
)
def test_frequencies_have_classes(occurrences, name):
    assert frequency_class(occurrences) == name
