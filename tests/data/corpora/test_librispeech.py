import hashlib
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechgru.data.corpora.librispeech import LibriSpeech
from speechgru.interfaces import InputError

PARTS = ["train-a", "train-b", "dev-a"]


def lay_out(folder: Path, part: str) -> Path:
    """A part of one speaker, two chapters and three utterances of 0.5 s."""
    speaker = 10 + PARTS.index(part)
    for chapter, count in ((1, 2), (2, 1)):
        name = f"{speaker}-{chapter}"
        path = folder / part / str(speaker) / str(chapter)
        path.mkdir(parents=True)
        lines = [f"{name}-{number:04} GO {part.upper()}\n" for number in range(count)]
        (path / f"{name}.trans.txt").write_text("".join(lines))
        for number in range(count):
            audio = path / f"{name}-{number:04}.flac"
            soundfile.write(audio, np.full(8000, 0.1), 16000)
    (folder / "README.TXT").write_text("books\n")
    return folder


@pytest.fixture
def archives(tmp_path):
    """A folder with the archives of all parts."""
    (tmp_path / "archives").mkdir()
    for part in PARTS:
        release = lay_out(tmp_path / f"release-{part}", part)
        with tarfile.open(tmp_path / f"archives/{part}.tar.gz", "w:gz") as archive:
            archive.add(release, arcname="LibriSpeech")
    return tmp_path / "archives"


def build(tmp_path: Path, folder: Path | None, **changes) -> LibriSpeech:
    options = {
        "name": "librispeech",
        "root": tmp_path / "root",
        "archive": None if folder is None else str(folder),
        "archives": [
            {"file": f"{part}.tar.gz", "url": f"https://books.invalid/{part}.tar.gz"}
            for part in PARTS
        ],
        "parts": {"train": ["train-a", "train-b"], "dev": ["dev-a"]},
        "download": False,
    }
    return LibriSpeech(**{**options, **changes})


def test_a_split_joins_its_parts_in_their_order(tmp_path, archives):
    corpus = build(tmp_path, archives)
    report = corpus.prepare()
    assert corpus.splits == ("train", "dev")
    assert [(u.id, u.text, u.speaker) for u in corpus.read("train")] == [
        ("10-1-0000", "GO TRAIN-A", "10"),
        ("10-1-0001", "GO TRAIN-A", "10"),
        ("10-2-0000", "GO TRAIN-A", "10"),
        ("11-1-0000", "GO TRAIN-B", "11"),
        ("11-1-0001", "GO TRAIN-B", "11"),
        ("11-2-0000", "GO TRAIN-B", "11"),
    ]
    manifest = tmp_path / "root/dev-a.jsonl"
    assert str(report).splitlines()[2] == (
        f"librispeech dev-a: 3 utterances, 0.000 h, 6 words, {manifest}"
    )


def test_parts_that_are_there_are_prepared_and_the_others_named(tmp_path, archives):
    (archives / "train-b.tar.gz").unlink()
    corpus = build(tmp_path, archives)
    report = corpus.prepare()
    assert list(report.splits) == ["train-a", "dev-a"]
    assert "librispeech train-b: absent; fetch https://books.invalid/train-b" in str(
        report
    )
    assert corpus.splits == ("dev",)
    assert len(corpus.read("dev")) == 3
    with pytest.raises(
        InputError,
        match=r"librispeech train: train-b is not prepared, .*train-b.tar.gz into "
        rf"{archives}, then run: speechgru prepare",
    ):
        corpus.read("train")
    with pytest.raises(InputError, match=r"or set corpus.download=true, then run"):
        build(tmp_path, None).read("train")
    sold = [{"file": f"{part}.tar.gz"} for part in PARTS]
    with pytest.raises(InputError, match=r"fetch train-b.tar.gz into a folder and set"):
        build(tmp_path, None, archives=sold).read("train")
    fewer = build(tmp_path, archives, parts={"train": ["train-a"]})
    assert len(fewer.read("train")) == 3


def test_a_split_without_parts_is_empty(tmp_path, archives):
    corpus = build(tmp_path, archives, parts={"train": ["train-a"], "dev": []})
    corpus.prepare()
    assert corpus.splits == ("train",)
    assert len(corpus.read("dev")) == 0
    with pytest.raises(InputError, match="unknown split 'test'"):
        corpus.read("test")


def test_a_part_that_comes_later_is_added(tmp_path, archives):
    shutil.move(archives / "train-b.tar.gz", tmp_path)
    build(tmp_path, archives).prepare()
    for path in archives.iterdir():
        path.unlink()  # what is unpacked is not needed again
    shutil.move(tmp_path / "train-b.tar.gz", archives)
    corpus = build(tmp_path, archives)
    assert corpus.prepare().absent == ()
    assert len(corpus.read("train")) == 6


def test_archives_are_found_in_the_folder_of_the_environment(
    tmp_path, archives, monkeypatch
):
    monkeypatch.setenv("SPEECHGRU_ARCHIVES", str(archives))
    corpus = build(tmp_path, None)
    corpus.prepare()
    assert len(corpus.read("train")) == 6


def test_without_any_archive_nothing_is_prepared(tmp_path, archives):
    for path in archives.iterdir():
        path.unlink()
    corpus = build(tmp_path, archives)
    with pytest.raises(InputError, match=r"none of its archives .* train-a.tar.gz, "):
        corpus.prepare()
    assert corpus.splits == ("train", "dev")
    with pytest.raises(InputError, match="run: speechgru prepare corpus=librispeech"):
        corpus.read("dev")


def test_another_archive_than_expected_is_refused(tmp_path, archives):
    path = archives / "dev-a.tar.gz"
    right = hashlib.sha256(path.read_bytes()).hexdigest()

    def expect(sha256: str) -> LibriSpeech:
        described = [{"file": path.name, "file_sha256": sha256}]
        return build(tmp_path, archives, archives=described, parts={"dev": ["dev-a"]})

    with pytest.raises(InputError, match=f"{path}: sha256 is {right}, expected 0000"):
        expect("0" * 64).prepare()
    assert not (tmp_path / "root").exists()
    assert expect(right).prepare().splits["dev-a"].utterances == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parts": {"dev": ["dev-b"]}}, "parts.dev names 'dev-b', expected some of"),
        ({"archives": []}, "archives are none, expected one or more"),
        ({"archives": [{"file": "a/b.zip"}]}, "'a/b.zip', expected the name of an"),
        ({"archives": [{"name": "b.zip"}]}, "unknown key 'name', expected some of"),
        ({"archives": [{"file": 3}]}, "file is 3, expected text"),
        (
            {"utterances": {"dev-a": 4}},
            r"3 utterances, expected 4; .* corpus.utterances=\{dev-a: SIZE\}",
        ),
        ({"hours": {"dev-a": 1.0}}, "dev-a: 0.0004 h, expected 1.0"),
    ],
)
def test_what_is_not_as_described_is_refused(tmp_path, archives, changes, message):
    with pytest.raises(InputError, match=message):
        build(tmp_path, archives, **changes).prepare()
    assert not (tmp_path / "root/dev-a.jsonl").exists()


def test_one_archive_does_not_stand_for_several(tmp_path, archives):
    with pytest.raises(InputError, match="but librispeech has 3 archives, expected"):
        build(tmp_path, archives / "dev-a.tar.gz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: (path / "12-2-0000.flac").unlink(), "but without 12-2-0000.flac"),
        (
            lambda path: (path / "12-2.trans.txt").unlink(),
            "12-2-0000.flac: without a line '12-2-0000 TEXT'",
        ),
        (
            lambda path: (path / "12-2.trans.txt").write_text("12-2-0000\n"),
            "12-2.trans.txt:1: '12-2-0000' is not one new id and its transcript",
        ),
    ],
)
def test_lines_and_files_must_correspond(tmp_path, archives, change, message):
    corpus = build(tmp_path, archives)
    corpus.prepare()
    change(tmp_path / "root/files/dev-a/dev-a/12/2")
    with pytest.raises(InputError, match=message):
        corpus.prepare()
