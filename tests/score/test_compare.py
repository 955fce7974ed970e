import random
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from math import sqrt
from pathlib import Path
from statistics import NormalDist

import pytest

from speechgru.interfaces import InputError
from speechgru.score.alignment import SCORINGS, AlignedPair, Alignment
from speechgru.score.compare import (
    Comparison,
    MatchedPairs,
    check_comparable,
    compare,
    error_segments,
    holm,
    matched_pairs_test,
)
from speechgru.score.results import Result, make_result
from speechgru.score.summary import MIN_SPEAKERS, Rate, summarise

TOOLS = Path("/usr/lib/sctk/bin")
"""Where Debian's package sctk hides NIST's programs."""


@pytest.fixture(scope="module")
def nist_tools() -> tuple[str, str]:
    """NIST's sclite and sc_stats."""
    found = [shutil.which(n) or shutil.which(TOOLS / n) for n in ("sclite", "sc_stats")]
    if None in found:
        pytest.skip("NIST's sc_stats is not installed; it is in Debian's package sctk")
    return tuple(found)


def align(steps: str) -> Alignment:
    """Read `said/heard` for each step, where nothing is written as nothing."""
    return tuple(
        AlignedPair(*(word or None for word in step.split("/")))
        for step in steps.split()
    )


def make_system(*utterances: str, scoring: str = "levenshtein") -> list[Result]:
    """Read `said > heard` for each utterance."""
    return [
        make_result(str(index), *(side.strip() for side in text.split(">")), scoring)
        for index, text in enumerate(utterances)
    ]


def crowd(wrong: list[list[int]], length: int = 5) -> list[Result]:
    """For each speaker, how many words of each utterance are wrong."""
    return [
        make_result(
            f"{speaker}-{index}",
            " ".join(["A"] * length),
            " ".join(["B"] * count + ["A"] * (length - count)),
            "levenshtein",
            speaker=f"speaker {speaker}",
        )
        for speaker, counts in enumerate(wrong)
        for index, count in enumerate(counts)
    ]


def corrupt(generator: random.Random, words: list[str], rate: float) -> list[str]:
    """Lose, replace or invent words, none behind the last."""
    heard = []
    for word in words:
        if generator.random() < rate:
            heard += generator.choice([[], [generator.choice("abc")], ["d", word]])
        else:
            heard.append(word)
    return heard


def random_systems(seed: int, count: int, *rates: float, scoring="levenshtein"):
    """The same references, heard by a system for each rate of errors."""
    generator = random.Random(seed)
    systems: list[list[Result]] = [[] for _ in rates]
    for index in range(count):
        said = generator.choices("abcdefgh", k=generator.randint(1, 12))
        for system, rate in zip(systems, rates, strict=True):
            heard = corrupt(generator, said, rate)
            texts = " ".join(said), " ".join(heard)
            system.append(make_result(f"{index:03d}", *texts, scoring))
    return systems


def width(interval: Comparison | Rate) -> float:
    return interval.high - interval.low


GOOD = "A/A B/B C/C D/D E/E"


@pytest.mark.parametrize(
    ("first", "second", "segments"),
    [
        (GOOD, GOOD, []),
        # Two good words end a segment, one does not.
        ("A/X B/B C/C D/X E/E", GOOD, [(1, 0), (1, 0)]),
        ("A/X B/B C/X D/D E/E", GOOD, [(2, 0)]),
        ("A/A B/B C/C D/D E/", GOOD, [(1, 0)]),
        # C is right in the first system alone.
        ("A/X B/B C/C D/D E/E", "A/A B/B C/Y D/D E/E", [(1, 1)]),
        ("A/ B/B C/C D/D E/E", "A/A B/B C/C D/ E/", [(1, 0), (0, 2)]),
        # Between B and C something was heard: they are no run.
        ("A/X B/B /I C/C D/X E/E", GOOD, [(3, 0)]),
        ("A/X B/B C/C D/X E/E", "A/A B/B /I C/C D/D E/E", [(2, 1)]),
        # The words around an insertion belong to its segment.
        ("A/A B/B C/C /I D/D E/E", GOOD, [(1, 0)]),
        ("/I /J A/A B/B C/X D/D E/E", GOOD, [(2, 0), (1, 0)]),
        # What is invented behind the last word counts, too.
        (f"{GOOD} /I", f"{GOOD} /I /J", [(1, 2)]),
        ("A/X B/B C/C D/D E/E /I", GOOD, [(1, 0), (1, 0)]),
        ("A/A B/B C/C D/D E/X /I", GOOD, [(2, 0)]),
        ("/I", "", [(1, 0)]),
    ],
)
def test_hand_worked_segments(first, second, segments):
    assert error_segments(align(first), align(second)) == segments
    turned = [(theirs, ours) for ours, theirs in segments]
    assert error_segments(align(second), align(first)) == turned


@pytest.mark.parametrize("scoring", SCORINGS)
def test_segments_hold_every_error_once(scoring):
    first, second = random_systems(1, 300, 0.2, 0.5, scoring=scoring)
    # Something invented behind the last word, too.
    second = [
        make_result(r.id, r.reference, f"{r.hypothesis} a b", scoring) for r in second
    ]
    for ours, theirs in zip(first, second, strict=True):
        segments = error_segments(ours.alignment, theirs.alignment)
        assert (0, 0) not in segments
        sums = [sum(errors) for errors in zip(*segments, strict=True)]
        assert sums == [ours.word_errors.edits, theirs.word_errors.edits]


def test_hand_worked_matched_pairs_test():
    pairs = [
        # Segments (0, 1) and (0, 3), then (2, 1), then (1, 1).
        (align("A/A B/B C/C D/D E/E F/F"), align("A/X B/B C/C D/X E/X F/X")),
        (align("A/X B/X C/C D/D"), align("A/A B/B C/C D/")),
        (align("A/A B/B"), align("A/A B/B")),
        (align("A/X"), align("A/")),
    ]
    test = matched_pairs_test(pairs)
    # Differences 1, 3, -1 and 0: mean 3/4, their variance 35/12 of 4 segments.
    z = 0.75 / sqrt(35 / 12 / 4)
    assert (test.num_segments, test.mean) == (4, 0.75)
    assert test.z == pytest.approx(z)
    assert test.p == pytest.approx(2 * NormalDist().cdf(-z))


def test_a_z_of_1_96_is_significant_at_5_percent():
    # 97 segments of which 50 are worse by one and 23 better: 27 / 97 over its error.
    wrong, right = align("A/X"), align("A/A")
    pairs = [(right, wrong)] * 50 + [(wrong, right)] * 23 + [(wrong, wrong)] * 24
    test = matched_pairs_test(pairs)
    deviation = sqrt((73 - 97 * (27 / 97) ** 2) / 96)
    assert test.z == pytest.approx(27 / sqrt(97) / deviation)
    assert test.p == pytest.approx(2 * NormalDist().cdf(-test.z))
    turned = matched_pairs_test([(second, first) for first, second in pairs])
    assert turned == MatchedPairs(97, -test.mean, -test.z, test.p)


@pytest.mark.parametrize(
    ("pairs", "num_segments", "mean"),
    [
        ([], 0, 0.0),
        ([("A/A", "A/A")] * 5, 0, 0.0),
        ([("A/X", "A/A")], 1, -1.0),
        # Every segment differs alike.
        ([("A/X", "A/A")] * 5, 5, -1.0),
        ([("A/X", "A/")] * 5, 5, 0.0),
    ],
)
def test_without_varying_segments_there_is_no_test(pairs, num_segments, mean):
    pairs = [(align(first), align(second)) for first, second in pairs]
    assert matched_pairs_test(pairs) == MatchedPairs(num_segments, mean, None, None)


@pytest.mark.parametrize("seed", range(3))
def test_segments_and_z_are_those_of_nist(nist_tools, tmp_path, seed):
    # sc_stats leaves out what is invented behind the last word.
    first, second = random_systems(seed, 400, 0.15, 0.2, scoring="nist")
    kept = [
        (ours, theirs)
        for ours, theirs in zip(first, second, strict=True)
        if ours.alignment[-1].edit != "I" and theirs.alignment[-1].edit != "I"
    ]
    assert len(kept) > 300
    first, second = (list(system) for system in zip(*kept, strict=True))
    found = run_sc_stats(nist_tools, tmp_path, first, second)
    test = compare(first, second).matched_pairs
    assert test.num_segments == found["segments"]
    errors = [sum(r.word_errors.edits for r in system) for system in (first, second)]
    assert errors == found["errors"]
    # NIST takes the second from the first, and prints three decimals.
    assert -test.mean == pytest.approx(found["mean"], abs=0.00051)
    assert -test.z == pytest.approx(found["z"], abs=0.00051)
    assert (test.p < 0.05) == found["differs"]


def run_sc_stats(tools, folder: Path, first: list[Result], second: list[Result]):
    """What NIST's matched-pairs test says."""
    sclite, sc_stats = tools
    texts = {
        "R": [(result.reference, result.id) for result in first],
        "A": [(result.hypothesis, result.id) for result in first],
        "B": [(result.hypothesis, result.id) for result in second],
    }
    for name, lines in texts.items():
        content = "".join(f"{text} (ann-{id})\n" for text, id in lines)
        (folder / name).write_text(content)
    for name in "AB":
        subprocess.run(
            [sclite, *f"-r R trn -h {name} trn -i spu_id -s -o sgml".split()],
            cwd=folder,
            capture_output=True,
            check=True,
        )
    subprocess.run(
        [sc_stats, "-p", "-t", "mapsswe", "-v", "-n", "out"],
        input=b"".join((folder / f"{name}.sgml").read_bytes() for name in "AB"),
        cwd=folder,
        capture_output=True,
        check=True,
    )
    report = (folder / "out.stats.mapsswe").read_text()
    (line,) = re.findall(r"MTCH_PR_RESULTS \(systems: A B\).*", report)
    (totals,) = re.findall(r"^Totals +\d+ +(\d+) +(\d+)", report, re.M)
    fields = dict(re.findall(r"\(([^:()]+): ([^()]*)\)", line))
    return {
        "segments": int(fields["# segs"]),
        "errors": [int(total) for total in totals],
        "mean": float(fields["mean"]),
        "z": float(fields["Z Stat"]),
        "differs": {"Yes": True, "No": False}[fields["Stat Diff"]],
    }


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        ([], []),
        ([None], [None]),
        ([0.04], [0.04]),
        # Three tests: 0.01 * 3, 0.03 * 2, and 0.04 * 1, which may not be less.
        ([0.04, None, 0.01, 0.03], [0.06, None, 0.03, 0.06]),
        ([0.02, 0.01, 0.5], [0.04, 0.03, 0.5]),
        ([0.6, 0.4, 0.7], [1.0, 1.0, 1.0]),
        ([0.02, 0.02], [0.04, 0.04]),
        ([0.0, 1.0], [0.0, 1.0]),
    ],
)
def test_hand_worked_holm(p_values, adjusted):
    assert holm(p_values) == pytest.approx(adjusted)


def test_hand_worked_comparison_of_two_utterances():
    first = make_system("A B C D E F G H I > A B C D E F G H I", "J > X")
    second = make_system("A B C D E F G H I > A B C D E F G H I", "J > J")
    found = compare(first, second)
    assert found.difference == -0.1
    assert found.resampled == "utterance"
    # Draws: 0/18, -1/10 (twice as often), -2/2.
    assert (found.low, found.high) == (-1.0, 0.0)
    # Better in three quarters of the draws, equal in one.
    assert found.improved == pytest.approx(0.875, abs=0.03)
    assert found.matched_pairs == MatchedPairs(1, -1.0, None, None)


def test_hand_worked_words():
    first = make_system("GO GO ON UP > GO GO UP", "ON ON > X ON ON", " > UP")
    second = make_system("GO GO ON UP > GO IN ON IT", "ON ON > ON", " > ")
    found = compare(first, second)
    # GO and one ON are right in both; inserted words are none of a reference.
    assert (found.both_right, found.both_wrong) == (2, 0)
    assert found.only_first == Counter(GO=1, UP=1, ON=1)
    assert found.only_second == Counter(ON=1)
    assert found.difference == pytest.approx((3 - 3) / 6)


def test_every_word_of_the_references_is_right_or_wrong_in_each_system():
    first, second = random_systems(2, 100, 0.2, 0.4)
    found = compare(first, second)
    hits = [sum(r.word_errors.hits for r in system) for system in (first, second)]
    only = [found.only_first.total(), found.only_second.total()]
    assert [found.both_right + count for count in only] == hits
    words = sum(r.word_errors.reference_length for r in first)
    assert found.both_right + found.both_wrong + sum(only) == words


def test_a_system_is_as_good_as_itself():
    (system,) = random_systems(3, 50, 0.3)
    found = compare(system, list(system))
    assert (found.difference, found.low, found.high) == (0.0, 0.0, 0.0)
    assert found.improved == 0.5
    assert found.matched_pairs.num_segments > 10
    assert (found.matched_pairs.mean, found.matched_pairs.p) == (0.0, None)
    assert found.only_first == found.only_second == Counter()


def test_a_constant_difference_leaves_no_doubt():
    # However many are wrong, the second has one more of five.
    first = crowd([[0, 1, 2, 3, 4, 0, 2]])
    second = crowd([[1, 2, 3, 4, 5, 1, 3]])
    found = compare(first, second)
    assert (found.difference, found.low, found.high) == (0.2, 0.2, 0.2)
    assert found.improved == 0.0
    assert compare(second, first).improved == 1.0
    assert width(summarise(first).words) > 0.2


def test_pairing_narrows_the_interval_where_both_err_on_the_same_utterances():
    # Forty hard utterances; the second has a word more of every fourth.
    counts = [5] * 40 + [0] * 40
    first = crowd([counts])
    second = crowd([[count - (i % 4 == 0 < count) for i, count in enumerate(counts)]])
    found = compare(first, second)
    widths = [width(summarise(system).words) for system in (first, second)]
    independent = sqrt(sum(value**2 for value in widths))
    assert 0 < width(found) < independent / 3
    assert found.high < 0
    # The two intervals alone would have told nothing.
    assert summarise(first).words.low < summarise(second).words.high


def test_pairing_gains_nothing_where_errors_have_nothing_in_common():
    generator = random.Random(5)
    first, second = (
        crowd([[generator.randint(0, 5) for _ in range(300)]]) for _ in range(2)
    )
    widths = [width(summarise(system).words) for system in (first, second)]
    independent = sqrt(sum(value**2 for value in widths))
    assert width(compare(first, second)) == pytest.approx(independent, rel=0.15)


def test_systems_exchanged_exchange_the_signs():
    first, second = random_systems(4, 200, 0.2, 0.25)
    there, back = compare(first, second), compare(second, first)
    assert back.difference == -there.difference != 0
    assert back.improved == pytest.approx(1 - there.improved)
    # Of 1000 draws, 24 lie below the lower bound and 25 above the upper.
    assert back.low == pytest.approx(-there.high, abs=0.05 * width(there))
    assert back.high == pytest.approx(-there.low, abs=0.05 * width(there))
    test = there.matched_pairs
    assert test.z is not None
    assert back.matched_pairs == replace(test, mean=-test.mean, z=-test.z)
    assert back.only_first == there.only_second != Counter()
    assert back.only_second == there.only_first != Counter()


def test_the_order_of_the_lines_does_not_matter():
    first, second = random_systems(6, 200, 0.2, 0.25)
    expected = compare(first, second)
    generator = random.Random(6)
    assert compare(first, generator.sample(second, 200)) == expected
    found = compare(generator.sample(first, 200), second)
    assert found.difference == expected.difference
    assert vars(found.matched_pairs) == pytest.approx(vars(expected.matched_pairs))
    assert found.only_first == expected.only_first
    # Other draws, since these are of lines.
    assert found.low == pytest.approx(expected.low, abs=0.15 * width(expected))
    assert found.high == pytest.approx(expected.high, abs=0.15 * width(expected))


def test_speakers_are_drawn_whole():
    # Half of the speakers have two words more in each utterance, half two fewer.
    first = crowd([[2, 2]] * MIN_SPEAKERS)
    second = crowd([[0, 0], [4, 4]] * (MIN_SPEAKERS // 2))
    by_speaker, by_utterance = compare(first, second), compare(second, first, "speaker")
    assert by_speaker.resampled == by_utterance.resampled == "speaker"
    by_utterance = compare(first, second, "utterance")
    assert by_utterance.resampled == "utterance"
    assert by_speaker.difference == by_utterance.difference == 0
    assert width(by_speaker) > 1.2 * width(by_utterance) > 0
    # One and the same difference for each speaker, whoever is drawn.
    second = crowd([[0, 3]] * MIN_SPEAKERS)
    shuffled = first[::2] + first[1::2]
    assert compare(shuffled, second).low == compare(shuffled, second).high == -0.1
    assert width(compare(shuffled, second, "utterance")) > 0
    # Of fewer speakers the utterances are drawn.
    few = [result for result in first if result.speaker != "speaker 0"]
    assert compare(few, second).resampled == "utterance"


def test_draws_without_a_word_tell_no_difference():
    first, second = make_system(" > X", "A > X"), make_system(" > ", "A > X")
    found = compare(first, second)
    # The first utterance twice: one insertion fewer each, but of no words.
    assert found.difference == -1.0
    assert (found.low, found.high) == (-1.0, 0.0)
    assert compare(first[:1], second[:1]).difference == 0.0


def test_systems_that_heard_the_same_are_comparable():
    first = make_system("GO ON > GO", "UP > ")
    second = make_system("GO  ON > GO ON", "UP > UP")
    check_comparable({"a": first, "b": second[::-1], "c": first})
    check_comparable({"a": first})


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            ["GO ON > GO"],
            "o.jsonl: 2 of the 3 utterances of r.jsonl are missing, first 1; "
            "compare results on the same utterances",
        ),
        (
            ["GO ON > GO", "UP > UP", "IN > IN", "X > X"],
            "r.jsonl: 1 of the 4 utterances of o.jsonl are missing, first 3; "
            "compare results on the same utterances",
        ),
        (
            ["GO ON > GO", "Up > UP", "IN > IN"],
            "o.jsonl: the reference of 1 is 'Up', in r.jsonl it is 'UP'; "
            "normalise both systems' transcripts alike: these two differ in case "
            "or punctuation alone",
        ),
    ],
)
def test_what_cannot_be_compared_is_named(other, message):
    system = make_system("GO ON > GO ON", "UP > UP", "IN > IN")
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check_comparable({"r.jsonl": system, "o.jsonl": make_system(*other)})
    # Nor is it overlooked as the third.
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check_comparable(
            {"r.jsonl": system, "s.jsonl": system, "o.jsonl": make_system(*other)}
        )


def test_systems_scored_otherwise_are_not_compared():
    first = make_system("GO > GO", "UP > UP")
    second = [first[0], *make_system("GO > GO", "UP > UP", scoring="nist")[1:]]
    message = (
        "o.jsonl: 1 is scored by nist, in r.jsonl by levenshtein; score both alike, "
        "e.g. by score=levenshtein"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check_comparable({"r.jsonl": first, "o.jsonl": second})
