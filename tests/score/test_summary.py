import json
import math
from dataclasses import replace

import pytest

from speechgru.files import to_json
from speechgru.interfaces import InputError
from speechgru.score.counts import ErrorCounts
from speechgru.score.results import Result, make_result
from speechgru.score.summary import (
    MIN_SPEAKERS,
    Rate,
    length_class,
    summarise,
)


def make(id: str, reference: str, hypothesis: str, **known) -> Result:
    return make_result(id, reference, hypothesis, "levenshtein", **known)


def crowd(wrong: list[list[int]]) -> list[Result]:
    """One word an utterance: for each speaker, which of them are wrong."""
    return [
        make(
            f"{speaker}-{index}",
            "A",
            "B" if is_wrong else "A",
            speaker=f"speaker {speaker}",
        )
        for speaker, utterances in enumerate(wrong)
        for index, is_wrong in enumerate(utterances)
    ]


def width(rate: Rate) -> float:
    return rate.high - rate.low


def test_hand_worked_summary():
    summary = summarise(
        [
            make("a", "GO ON UP", "GO IN", speaker="bob", duration=1.5),
            make("b", "GO", "GO", speaker="ann", duration=0.25),
            make("c", "", "UP", speaker="bob", duration=2.0),
            make("d", "ON", "ON", duration=0.5),
        ]
    )
    assert summary.num_utterances == 4
    assert summary.duration == 4.25
    assert summary.scoring == "levenshtein"
    assert summary.resampled == "utterance"
    # a: ON to IN, and UP is missing. c: UP is too much.
    assert summary.words.counts == ErrorCounts(1, 1, 1, 3)
    # a: O to I, and " UP" is missing. c: U and P are too much.
    assert summary.characters.counts == ErrorCounts(1, 3, 2, 8)
    assert summary.sentences.counts == ErrorCounts(substitutions=2, hits=2)
    assert {name: rate.counts for name, rate in summary.by_speaker.items()} == {
        "bob": ErrorCounts(1, 1, 1, 1),
        "ann": ErrorCounts(hits=1),
        "(not known)": ErrorCounts(hits=1),
    }
    assert [(name, rate.counts) for name, rate in summary.by_length.items()] == [
        ("0", ErrorCounts(insertions=1)),
        ("1-2", ErrorCounts(hits=2)),
        ("3-5", ErrorCounts(1, 1, 0, 1)),
    ]
    assert str(summary.by_speaker["ann"]) == "0.00 % [0.00, 0.00]"
    assert str(summary.by_length["3-5"]) == "66.67 % [66.67, 66.67]"


def test_words_are_counted_as_they_were_aligned():
    # Five words mistaken, or three lost and three invented.
    said, heard = "A B C D E", "D E F G H"
    summary = summarise([make_result("a", said, heard, "nist")])
    assert summary.scoring == "nist"
    assert summary.words.counts == ErrorCounts(0, 3, 3, 2)
    assert summarise([make("a", said, heard)]).words.counts.edits == 5


def test_one_unknown_duration_leaves_the_whole_unknown():
    results = [make("a", "GO", "GO", duration=1.0), make("b", "GO", "GO")]
    assert summarise(results).duration is None


def test_without_speakers_there_is_no_table_of_them():
    assert summarise([make("a", "GO", "GO")]).by_speaker == {}


@pytest.mark.parametrize(
    ("num_words", "name"),
    [
        *((0, "0"), (1, "1-2"), (2, "1-2"), (3, "3-5"), (5, "3-5"), (6, "6-10")),
        *((10, "6-10"), (11, "11-20"), (20, "11-20"), (21, "21-30")),
        *((40, "31-40"), (41, "41-"), (1000, "41-")),
    ],
)
def test_classes_of_length_at_their_bounds(num_words, name):
    assert length_class(num_words) == name


def test_classes_of_length_are_those_of_the_reference_and_in_order():
    lengths = [30, 2, 0, 11, 1, 7, 3]
    results = [
        make(str(length), " ".join(["A"] * length), "A A A A") for length in lengths
    ]
    by_length = summarise(results).by_length
    assert list(by_length) == ["0", "1-2", "3-5", "6-10", "11-20", "21-30"]
    counts = [rate.counts.reference_length for rate in by_length.values()]
    assert counts == [0, 3, 3, 7, 11, 30]


def test_speakers_are_drawn_where_all_are_known_and_enough():
    enough = crowd([[0, 1]] * MIN_SPEAKERS)
    assert MIN_SPEAKERS == 10
    assert summarise(enough).resampled == "speaker"
    assert summarise(enough, "utterance").resampled == "utterance"
    few = crowd([[0, 1]] * (MIN_SPEAKERS - 1))
    assert summarise(few).resampled == "utterance"
    assert summarise(few, "speaker").resampled == "speaker"
    nameless = [*enough, make("x", "A", "A")]
    assert summarise(nameless).resampled == "utterance"


def test_intervals_are_wider_where_errors_hang_together_by_speaker():
    # Half of the speakers are never understood: 10 draws instead of 100.
    results = crowd([[1] * 10] * 5 + [[0] * 10] * 5)
    speakers, utterances = (
        summarise(results, "speaker"),
        summarise(results, "utterance"),
    )
    for unit in ("words", "characters", "sentences"):
        by_speaker, by_utterance = getattr(speakers, unit), getattr(utterances, unit)
        assert by_speaker.counts == by_utterance.counts
        assert width(by_speaker) > 2 * width(by_utterance) > 0
        assert by_speaker.low < 0.5 < by_speaker.high


def test_speakers_who_err_alike_leave_no_doubt():
    # Whoever is drawn, half of the words are wrong.
    results = crowd([[0, 1]] * 10)
    assert (summarise(results).words.low, summarise(results).words.high) == (0.5, 0.5)
    assert width(summarise(results, "utterance").words) > 0


def test_a_speaker_is_drawn_whole_wherever_the_utterances_stand():
    results = crowd([[0, 1]] * 10)
    shuffled = results[::2] + results[1::2]
    assert summarise(shuffled).words == summarise(results).words


def test_the_table_of_speakers_draws_their_utterances():
    results = crowd([[0, 1] * 10] * 10)
    alone = summarise(results[:20], "utterance").words
    assert summarise(results, "speaker").by_speaker["speaker 0"] == alone
    assert width(alone) > 0


def test_a_rate_without_a_reference_is_infinite_and_null_in_json():
    summary = summarise([make("a", "", "UP"), make("b", "", "")])
    assert summary.words.counts.rate == math.inf
    assert str(summary.words) == "inf % [0.00, inf]"
    text = to_json(summary.to_record())
    expected = {"substitutions": 0, "deletions": 0, "insertions": 1, "hits": 0}
    expected |= {"rate": None, "low": 0.0, "high": None}
    record = json.loads(text)
    assert record["words"] == expected
    assert record["by_length"] == {"0": expected}
    assert record["sentences"]["rate"] == 0.5


def test_the_record_says_what_the_summary_says():
    results = crowd([[0, 1], [0]])
    summary = summarise([replace(result, duration=0.5) for result in results])
    record = summary.to_record()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record.keys() == vars(summary).keys()
    assert record["words"]["rate"] == summary.words.counts.rate == 1 / 3
    assert record["words"]["substitutions"] == 1
    assert record["words"]["high"] == summary.words.high
    assert record["by_speaker"]["speaker 1"]["hits"] == 1
    assert record["duration"] == 1.5


@pytest.mark.parametrize(
    ("results", "resample", "message"),
    [
        ([], None, "^no results, expected at least one utterance"),
        (
            [make("a", "A", "A"), make_result("b", "A", "A", "nist")],
            None,
            "scored by levenshtein and nist, expected one scoring; make the results",
        ),
        ([make("a", "A", "A")], "word", "resample is 'word', expected utterance or sp"),
        (
            [make("a", "A", "A", speaker="ann"), make("b", "A", "A")],
            "speaker",
            "speaker, but the speaker of b is not known; use resample=utterance",
        ),
    ],
)
def test_what_cannot_be_summed_up_is_refused(results, resample, message):
    with pytest.raises(InputError, match=message):
        summarise(results, resample)
