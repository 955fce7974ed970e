"""From books to text for a language model."""

import gzip
import json

import pytest

from speechgru.cli.books import main as books
from speechgru.interfaces import InputError

pytest.importorskip("num2words", reason="num2words is not installed")

SENTENCES = [f"The {one} {two} was heard." for one in "abcde" for two in "klmnopqrstuv"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.txt").write_text(
        "It rained.  They all went to the house by the sea again.  It was late."
    )
    (tmp_path / "read.txt").write_text(" ".join(SENTENCES))
    (tmp_path / "old.txt").write_bytes("The café was closed.".encode("latin-1"))
    known = ["they went to the house by the sea again and", " ".join(SENTENCES)]
    (tmp_path / "known.txt").write_text("\n".join(known))
    return tmp_path


def test_what_the_corpus_says_is_left_out(folder, capsys):
    options = ["without=[known.txt]", "output=out.txt"]
    assert books(["plain.txt", "read.txt", "old.txt", *options]) == 0
    assert (folder / "out.txt").read_text().splitlines() == [
        "IT RAINED",
        "IT WAS LATE",
        "THE CAFE WAS CLOSED",
    ]
    printed = capsys.readouterr().out
    assert "2 books, 3 sentences, 9 words; 1 sentences dropped" in printed
    number = 5 * len(SENTENCES) - 7
    assert f"left out: read.txt, {number} overlaps" in printed
    assert "text: out.txt" in printed


def test_an_overlap_may_reach_over_the_ends_of_sentences(folder):
    (folder / "known.txt").write_text("rained they all went to the house by")
    books(["plain.txt", "without=[known.txt]"])
    assert (folder / "lm/books.txt").read_text() == "IT WAS LATE\n"


def test_shorter_runs_count_if_asked_for(folder):
    (folder / "known.txt").write_text("was late")
    books(["plain.txt", "without=[known.txt]", "overlap=2"])
    assert "IT WAS LATE" not in (folder / "lm/books.txt").read_text()


def test_the_transcripts_of_all_splits_are_known(folder):
    for split in ("train", "test"):
        text = "went to the house by the sea again" if split == "test" else "a b"
        record = {"id": split, "audio_filepath": "a.wav", "duration": 1, "text": text}
        (folder / f"{split}.jsonl").write_text(json.dumps(record) + "\n")
    (folder / "a.wav").write_bytes(b"")
    splits = [f"corpus.{split}={split}.jsonl" for split in ("train", "test")]
    books(["plain.txt", "corpus=manifest", *splits, "corpus.dev=train.jsonl"])
    assert (folder / "lm/books.txt").read_text() == "IT RAINED\nIT WAS LATE\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["none.txt"], r"none\.txt: cannot be read"),
        (["read.txt", "without=[known.txt]"], "1 books: no sentence remains"),
        (["plain.txt", "without=[none.txt]"], r"none\.txt: cannot be read"),
    ],
)
def test_what_cannot_be_read_or_leaves_nothing_is_told(arguments, expected, folder):
    with pytest.raises(InputError, match=expected):
        books(arguments)
    assert not (folder / "lm/books.txt").exists()


def test_a_book_that_is_cut_off_or_of_another_encoding_is_named(folder):
    whole = gzip.compress((folder / "plain.txt").read_bytes())
    (folder / "cut.txt.gz").write_bytes(whole[:-20])
    (folder / "wide.txt").write_text("It rained.", encoding="utf-16")
    for name in ("cut.txt.gz", "wide.txt"):
        with pytest.raises(InputError, match=f"{name}: cannot be read"):
            books([name])
