from pathlib import Path

import pytest
from data.corpora.packing import pack_tar, write_audio, write_text

from speechgru.data.corpora.ljspeech import LJSpeech
from speechgru.interfaces import InputError

LINES = [
    'LJ001-0001|Printing, in "the only sense|Printing, in "the only sense',
    "LJ001-0002|in 1465,|in fourteen sixty-five,",
    "LJ002-0001|the Revd. Dr. Dodd|the Reverend Doctor Dodd",
    "LJ003-0001|a line\u2028that goes on|a line\u2028that goes on",
    "LJ004-0001|the end|the end",
]


def lay_out(folder: Path, lines=LINES) -> Path:
    """Four chapters, with a quote that is not closed and a separator of lines."""
    write_text(folder / "metadata.csv", "\n".join(lines) + "\n")
    write_text(folder / "README", "The LJ Speech Dataset\n")
    for number, line in enumerate(LINES, 1):
        id = line.partition("|")[0]
        write_audio(folder / f"wavs/{id}.wav", 2205 * number, 22050)
    return folder


def build(tmp_path: Path, release: Path | None = None, **changes) -> LJSpeech:
    release = release or lay_out(tmp_path / "release")
    path = tmp_path / "LJSpeech-1.1.tar.bz2"
    pack_tar(release, path, "LJSpeech-1.1", "w:bz2")
    options = {
        "name": "ljspeech",
        "root": tmp_path / "root",
        "archive": str(path),
        "archives": [{"file": path.name}],
        "chapters": {"dev": ["LJ003"], "test": ["LJ004"]},
        "normalized": True,
        "utterances": {"all": 5},
    }
    return LJSpeech(**{**options, **changes})


def test_splits_are_chapters_and_texts_are_written_out(tmp_path):
    corpus = build(tmp_path)
    corpus.prepare()
    train = corpus.read("train")
    assert [u.id for u in train] == ["LJ001-0001", "LJ001-0002", "LJ002-0001"]
    assert [u.text for u in train[1:]] == [
        "in fourteen sixty-five,",
        "the Reverend Doctor Dodd",
    ]
    assert [u.duration for u in train] == [0.1, 0.2, pytest.approx(0.3)]
    assert [u.id for u in corpus.read("dev")] == ["LJ003-0001"]
    assert [u.id for u in corpus.read("test")] == ["LJ004-0001"]


def test_quotes_and_separators_of_unicode_stand_for_themselves(tmp_path):
    corpus = build(tmp_path)
    corpus.prepare()
    assert corpus.read("train")[0].text == 'Printing, in "the only sense'
    assert corpus.read("dev")[0].text == "a line\u2028that goes on"


def test_texts_as_in_the_books_are_a_choice(tmp_path):
    corpus = build(tmp_path, normalized=False)
    corpus.prepare()
    assert corpus.read("train")[1].text == "in 1465,"


@pytest.mark.parametrize(
    ("chapters", "message"),
    [
        ({"dev": ["LJ009"]}, "names 'LJ009', expected chapters from LJ001 to LJ004"),
        ({"dev": ["LJ001"], "test": ["LJ001"]}, "names 'LJ001' 2 times, expected each"),
        ({"train": ["LJ001"]}, "corpus.chapters has 'train', expected dev and test"),
    ],
)
def test_chapters_that_cannot_be_meant_are_refused(tmp_path, chapters, message):
    with pytest.raises(InputError, match=message):
        build(tmp_path, chapters=chapters).prepare()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (LINES[1:], "LJ001-0001: in one of metadata.csv and wavs/"),
        ([*LINES, "LJ005-0001|no audio|no audio"], "LJ005-0001: in one of"),
        ([*LINES, LINES[0]], r"metadata.csv:6: 'LJ001-0001.* is not one new id"),
        ([*LINES[:4], "LJ004-0001|the end"], "metadata.csv:5: .* its two transcripts"),
        (["", *LINES], "metadata.csv:1: '' is not one new id"),
    ],
)
def test_lines_and_files_must_correspond(tmp_path, lines, message):
    release = lay_out(tmp_path / "release", lines)
    with pytest.raises(InputError, match=message):
        build(tmp_path, release).prepare()
    assert not list((tmp_path / "root").glob("*.jsonl"))


def test_a_file_in_another_encoding_is_named(tmp_path):
    release = lay_out(tmp_path / "release")
    (release / "metadata.csv").write_bytes(b"LJ001-0001|caf\xe9|caf\xe9\n")
    with pytest.raises(InputError, match=r"metadata.csv: cannot be read .* in UTF-8"):
        build(tmp_path, release).prepare()


def test_all_splits_together_have_the_published_size(tmp_path):
    with pytest.raises(InputError, match=r"all: 5 utterances, expected 13100; .*\.all"):
        build(tmp_path, utterances={"all": 13100}).prepare()
