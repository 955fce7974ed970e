import random

import pytest

from speechgru.score.alignment import (
    SCORINGS,
    AlignedPair,
    align_levenshtein,
    align_nist,
    count_edits,
)
from speechgru.score.counts import ErrorCounts


def fewest_edits(reference: list[str], hypothesis: list[str]) -> int:
    row = list(range(len(hypothesis) + 1))
    for i, said in enumerate(reference, start=1):
        diagonal, row[0] = row[0], i
        for j, heard in enumerate(hypothesis, start=1):
            change = diagonal + (said != heard)
            diagonal, row[j] = row[j], min(change, row[j] + 1, row[j - 1] + 1)
    return row[-1]


def cheapest(reference: list[str], hypothesis: list[str]) -> int:
    """By 4 a substitution and 3 a deletion or an insertion, without a table."""
    if not reference or not hypothesis:
        return 3 * (len(reference) + len(hypothesis))
    return min(
        cheapest(reference[1:], hypothesis[1:]) + 4 * (reference[0] != hypothesis[0]),
        cheapest(reference[1:], hypothesis) + 3,
        cheapest(reference, hypothesis[1:]) + 3,
    )


def random_pairs(count: int, longest: int):
    generator = random.Random(11)
    for _ in range(count):
        reference, hypothesis = (
            generator.choices(["A", "B", "É"], k=generator.randint(0, longest))
            for _ in range(2)
        )
        yield reference, hypothesis


def pairs(*steps: str) -> tuple[AlignedPair, ...]:
    """Read `said/heard`, where nothing is written as nothing."""
    return tuple(
        AlignedPair(*(word or None for word in step.split("/"))) for step in steps
    )


def test_each_step_is_named_by_its_edit():
    alignment = pairs("A/A", "B/X", "B/", "/X", "/Y", "C/C", "D/D")
    assert [pair.edit for pair in alignment] == list("CSDIICC")
    assert count_edits(alignment) == ErrorCounts(1, 1, 2, 3)
    assert count_edits(()) == ErrorCounts()


@pytest.mark.parametrize("align", SCORINGS.values(), ids=SCORINGS)
def test_an_alignment_spells_both_texts(align):
    for reference, hypothesis in random_pairs(500, 9):
        alignment = align(" ".join(reference), " ".join(hypothesis))
        said = [pair.reference for pair in alignment if pair.reference is not None]
        heard = [pair.hypothesis for pair in alignment if pair.hypothesis is not None]
        assert (said, heard) == (reference, hypothesis)
        assert AlignedPair(None, None) not in alignment


@pytest.mark.parametrize("align", SCORINGS.values(), ids=SCORINGS)
@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("", "", ()),
        ("A B", "", pairs("A/", "B/")),
        ("", "A B", pairs("/A", "/B")),
        ("A B C", "A X C", pairs("A/A", "B/X", "C/C")),
        ("A B C", "A C", pairs("A/A", "B/", "C/C")),
        ("A C", "A B C", pairs("A/A", "/B", "C/C")),
        ("A", "a", pairs("A/a")),
        ("  A\t B\u3000C\n", "A B\u2028C", pairs("A/A", "B/B", "C/C")),
    ],
)
def test_hand_worked_alignments_that_every_scoring_shares(
    align, reference, hypothesis, expected
):
    assert align(reference, hypothesis) == expected


def test_levenshtein_makes_the_fewest_edits():
    for reference, hypothesis in random_pairs(1000, 12):
        alignment = align_levenshtein(" ".join(reference), " ".join(hypothesis))
        assert count_edits(alignment).edits == fewest_edits(reference, hypothesis)


def test_nist_takes_the_cheapest_way():
    for reference, hypothesis in random_pairs(300, 5):
        counts = count_edits(align_nist(" ".join(reference), " ".join(hypothesis)))
        cost = 4 * counts.substitutions + 3 * (counts.deletions + counts.insertions)
        assert cost == cheapest(reference, hypothesis)


def test_nist_loses_and_invents_words_rather_than_mistake_them():
    # Five substitutions cost 20; three words lost and three invented cost 18.
    said, heard = "A B C D E", "D E F G H"
    assert align_levenshtein(said, heard) == pairs("A/D", "B/E", "C/F", "D/G", "E/H")
    assert align_nist(said, heard) == pairs(
        "A/", "B/", "C/", "D/D", "E/E", "/F", "/G", "/H"
    )


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        # A pair at the end costs no more than an insertion or a deletion there.
        ("A", "B C", pairs("/B", "A/C")),
        ("A A", "A", pairs("A/", "A/A")),
        # Three substitutions, or two words lost and two invented: 12 each.
        ("A B C", "C D E", pairs("A/C", "B/D", "C/E")),
        # With a pair at the end it would cost 8, with either of these 6.
        ("A B", "B A", pairs("A/", "B/B", "/A")),
    ],
)
def test_nist_ends_equally_cheap_ways_with_a_pair_else_with_an_insertion(
    reference, hypothesis, expected
):
    assert align_nist(reference, hypothesis) == expected
