import random
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from speechgru.interfaces import InputError, Span
from speechgru.score.alignment import AlignedPair, Alignment, count_edits
from speechgru.score.counts import ErrorCounts
from speechgru.score.nist import utterance_name, write_nist_files
from speechgru.score.results import Result, make_result


@pytest.fixture(scope="module")
def sclite() -> list[str]:
    """The command that runs NIST's sclite."""
    for command in (["sclite"], ["sctk", "sclite"]):
        if shutil.which(command[0]):
            return command
    pytest.skip("NIST's sclite is not installed; it is in the Debian package sctk")


def make(id: str, reference: str, hypothesis: str, **known) -> Result:
    """A second of speech whose words take a twentieth of it each."""
    words = tuple(
        Span(word, 0.05 * index, 0.05 * (index + 1), 0.9)
        for index, word in enumerate(hypothesis.split())
    )
    known = {"duration": 1.0, "words": words, **known}
    return make_result(id, reference, hypothesis, "nist", **known)


def score(
    sclite: list[str], results: list[Result], path: Path, format: str
) -> dict[str, tuple[str, ErrorCounts, Alignment]]:
    """Let sclite tell speaker, counts and alignment of every utterance."""
    ref, hyp, *names = {
        "trn": (".ref.trn", ".hyp.trn", "-i", "spu_id"),
        "ctm": (".stm", ".ctm"),
    }[format]
    write_nist_files(path, results)
    done = subprocess.run(
        [
            *(*sclite, "-s", "-e", "utf-8", *names, "-o", "pralign", "stdout"),
            *("-r", path.with_suffix(ref), ref.rpartition(".")[2]),
            *("-h", path.with_suffix(hyp), hyp.rpartition(".")[2]),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return read_report(done.stdout)


def read_report(report: str) -> dict[str, tuple[str, ErrorCounts, Alignment]]:
    scored, speaker = {}, None
    for line in report.splitlines():
        key, _, value = line.partition(":")
        if key.startswith("Speaker sentences"):
            speaker = line.partition(":")[2].partition("#utts")[0].strip()
        elif key == "id":
            name = value.strip()[1:-1]
        elif key == "File":  # of stm: sclite counts its lines and calls them ids
            name = value.strip()
        elif key == "Scores":
            c, s, d, i = map(int, re.findall(r"\d+", value))
            counts = ErrorCounts(s, d, i, c)
            scored[name] = (speaker, counts, ())  # no lines follow where all is empty
        elif key == "REF":
            said = read_words(value)
        elif key == "HYP":
            pairs = zip(said, read_words(value), strict=True)
            scored[name] = (speaker, counts, tuple(AlignedPair(*p) for p in pairs))
    return scored


def read_words(line: str) -> list[str | None]:
    """The words of an aligned line; asterisks stand for nothing."""
    return [None if set(word) == {"*"} else word for word in line.split()]


def expect(results: list[Result]) -> dict[str, tuple[str, ErrorCounts, Alignment]]:
    """What sclite should tell."""
    return {
        utterance_name(result): (
            utterance_name(result).partition("-")[0],
            result.word_errors,
            result.alignment,
        )
        for result in results
    }


def random_texts(generator: random.Random, words: list[str], longest: int):
    return (
        " ".join(generator.choices(words, k=generator.randint(0, longest)))
        for _ in range(2)
    )


@pytest.mark.parametrize(
    "words", [["A", "B"], ["a", "A", "été", "ÉTÉ", "你好", "O'ER", "e\u0301"]]
)
def test_nist_aligns_as_sclite_does(sclite, tmp_path, words):
    generator = random.Random(len(words))
    results = [
        make(str(index), *random_texts(generator, words, 12), speaker="ann")
        for index in range(2000)
    ]
    assert any(not result.reference and result.hypothesis for result in results)
    assert any(result.reference and not result.hypothesis for result in results)
    expected = expect(results)
    scored = score(sclite, results, tmp_path / "r.jsonl", "trn")
    assert scored.keys() == expected.keys()
    different = {
        name: (found, expected[name])
        for name, found in scored.items()
        if found != expected[name]
    }
    assert different == {}


@pytest.mark.parametrize("format", ["trn", "ctm"])
@pytest.mark.parametrize("seed", range(5))
def test_sclite_finds_every_utterance_whatever_its_name(sclite, tmp_path, format, seed):
    # Names that differ in case, order and accents, and what the formats hold dear.
    generator = random.Random(seed)
    letters = "aAbBéÉ -_()%./~;#'\"*@09\\你"
    names = {
        "".join(generator.choices(letters, k=generator.randint(1, 4)))
        for _ in range(generator.randint(1, 30))
    }
    speakers = [
        None,
        *("".join(generator.choices(letters, k=k)) for k in (1, 1, 2, 3, 4)),
    ]
    results = [
        make(
            name,
            *random_texts(generator, ["a", "A", "é"], generator.choice([0, 6])),
            speaker=generator.choice(speakers),
        )
        for name in sorted(names)
    ]
    generator.shuffle(results)
    assert score(sclite, results, tmp_path / "r.jsonl", format) == expect(results)


@pytest.mark.parametrize("format", ["trn", "ctm"])
def test_sclite_scores_a_corpus_in_which_nothing_was_heard(sclite, tmp_path, format):
    results = [make("a", "GO ON", ""), make("b", "", ""), make("c", "GO", "")]
    scored = score(sclite, results, tmp_path / "r.jsonl", format)
    assert scored == expect(results)


ODD_WORDS = [
    *("{", "{a", "a{", "a{b", "}", "a}"),
    *(";", ";;", ";;a", "a;", "a;b"),
    *("@", "@a", "a@b"),
    *("*", "**", "*a", "a*", "a*b"),
    *("\\", "\\a", "a\\", "a\\b"),
    *("<", "<unk>", "<o,f0>", "a<b", "<ALT>", "<ALT_BEGIN>"),
    *("(", ")", "(a)", "((", "(a", "a)"),
    *("-", "--", "a-", "-a", "%a", "%", "/", "a/b", "#", '"a"', "'", "é", "🙂", "0.5"),
]


@pytest.mark.parametrize("word", ODD_WORDS)
def test_a_word_is_refused_or_means_to_sclite_what_it_means_here(
    sclite, tmp_path, word
):
    similar = re.sub(r"\W", "", word) or "a"
    similar += "x" * (similar == word)
    texts = [
        (word, word),
        (word, similar),
        (similar, word),
        (word, ""),
        ("", word),
        (f"{word} b", f"{word} c"),
        (f"b {word}", f"c {word}"),
        (f"b {word}x", f"b {word}y"),
        (f"{word} {word}", word),
    ]
    results = [
        make(str(index), *pair, speaker="ann") for index, pair in enumerate(texts)
    ]
    refusal = None
    try:
        write_nist_files(tmp_path / "r.jsonl", results)
    except InputError as error:
        refusal = str(error)
    if refusal is not None:
        assert "means something else to NIST's tools" in refusal
        return
    counts = {name: errors for name, (_, errors, _) in expect(results).items()}
    for format in ("trn", "ctm"):
        scored = score(sclite, results, tmp_path / "r.jsonl", format)
        assert {name: errors for name, (_, errors, _) in scored.items()} == counts


def test_hand_worked_files(tmp_path):
    results = [
        make_result(
            "b 1",
            "GO ÉTÉ",
            "GO ON",
            "levenshtein",
            speaker="ann-lee_x",
            duration=1.0,
            words=(Span("GO", 0.04, 0.12, 0.98765), Span("ON", 0.5, 1.02, 1.0)),
        ),
        make_result("a", "", "", "levenshtein", duration=2.5),
        make_result("(a)", "GO", "", "levenshtein", speaker="ann", duration=0.1256),
    ]
    written = write_nist_files(tmp_path / "run.v2.jsonl", results)
    assert [path.name for path in written] == [
        *("run.v2.ref.trn", "run.v2.hyp.trn", "run.v2.ctm", "run.v2.stm")
    ]
    reference, hypothesis, ctm, stm = (path.read_text("utf-8") for path in written)
    # Sorted by bytes: "%" stands before "-".
    assert reference == (
        "GO ÉTÉ (ann%2Dlee%5Fx-b%201)\nGO (ann-%28a%29)\n(unknown-a)\n"
    )
    assert hypothesis == ("GO ON (ann%2Dlee%5Fx-b%201)\n(ann-%28a%29)\n(unknown-a)\n")
    assert ctm == (
        "ann%2Dlee%5Fx-b%201 1 0.040 0.080 GO 0.9877\n"
        "ann%2Dlee%5Fx-b%201 1 0.500 0.520 ON 1.0000\n"
    )
    # The last word of the first ends after the recording.
    assert [line.split() for line in stm.splitlines()] == [
        [
            "ann%2Dlee%5Fx-b%201",
            "1",
            "ann%2Dlee%5Fx",
            "0.000",
            "1.020",
            "<O>",
            "GO",
            "ÉTÉ",
        ],
        ["ann-%28a%29", "1", "ann", "0.000", "0.126", "<O>", "GO"],
        ["unknown-a", "1", "unknown", "0.000", "2.500", "<O>"],
    ]


def test_a_name_tells_speaker_and_id():
    speakers = ["ann", "a-b", "a_b", "é (1)", "50%", "a/b", "-", "%2D"]
    ids = ["a", "a-b", "a_b-c", "wav/é 1.flac#2.5", "100%", "(a)", "-", "%2D"]
    names = set()
    for speaker in speakers:
        for id in ids:
            name = utterance_name(make(id, "", "", speaker=speaker))
            assert name.isascii()
            assert not set(name) & set(" ()")
            # To sclite the speaker ends at the first of these.
            before, after = re.split("[-_]", name, maxsplit=1)
            assert (unquote(before), unquote(after)) == (speaker, id)
            names.add(name)
    assert len(names) == len(speakers) * len(ids)


def test_words_are_what_white_space_separates_in_every_file(tmp_path):
    result = make("a", "GO\u3000ON\n\u2028UP ", " GO\tON\u00a0UP", speaker="ann")
    written = write_nist_files(tmp_path / "r.jsonl", [result])
    reference, hypothesis, _, stm = (path.read_text("utf-8") for path in written)
    assert reference == hypothesis == "GO ON UP (ann-a)\n"
    assert stm == "ann-a 1 ann 0.000 1.000 <O> GO ON UP\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hypothesis": "{GO"}, "b: the word '{GO' means something else to NIST's too"),
        ({"reference": ";;GO"}, "b: the word ';;GO' means something else"),
        ({"reference": "@"}, "b: the word '@' means something else"),
        ({"duration": None}, "b: the duration is not known, expected that of every"),
        # Without them the ctm file would say that nothing was heard.
        ({"words": ()}, "b: the times of the words are not known"),
    ],
)
def test_what_the_files_cannot_tell_is_refused_before_any_is_written(
    tmp_path, change, message
):
    bad = replace(make("b", "GO", "GO"), **change)
    with pytest.raises(InputError, match=message):
        write_nist_files(tmp_path / "r.jsonl", [make("a", "GO", "GO"), bad])
    assert list(tmp_path.iterdir()) == []


def test_counts_of_the_report_are_those_of_its_alignment(sclite, tmp_path):
    # Holds the reader of this test against sclite itself.
    results = [make("a", "A B C D", "B X D E", speaker="ann")]
    scored = score(sclite, results, tmp_path / "r.jsonl", "trn")
    speaker, counts, alignment = scored["ann-a"]
    assert speaker == "ann"
    assert counts == count_edits(alignment) == ErrorCounts(1, 1, 1, 2)
