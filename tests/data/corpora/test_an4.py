import io
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechgru.data.archive import digest_tree
from speechgru.data.corpora.an4 import AN4
from speechgru.interfaces import InputError

SPEAKERS = [f"s{number:02}" for number in range(1, 22)]  # dev: s10, s20


def lay_out(folder: Path) -> Path:
    """An AN4 of 21 training speakers and one test speaker, 0.5 s each."""
    random = np.random.default_rng(0)
    (folder / "etc").mkdir(parents=True)
    train = [f"<s> GO {s.upper()} </s> (an1-{s}-b)" for s in SPEAKERS]
    (folder / "etc/an4_train.transcription").write_text("\n".join(train) + "\n")
    (folder / "etc/an4_test.transcription").write_text("STOP (an1-test-b)\n")
    audio_paths = [f"an4_clstk/{s}/an1-{s}-b.wav" for s in SPEAKERS]
    for name in [*audio_paths, "an4test_clstk/test/an1-test-b.wav"]:
        path = folder / "wav" / name
        path.parent.mkdir(parents=True)
        soundfile.write(path, 0.1 * random.standard_normal(8000), 16000)
    return folder


def pack(folder: Path, path: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, arcname="an4-b567d13")
    return path


@pytest.fixture
def release(tmp_path):
    return lay_out(tmp_path / "release")


def describe(sha256: str | None) -> list[dict[str, str | None]]:
    url = "https://an4.invalid/an4.tar.gz"
    return [{"file": "an4.tar.gz", "url": url, "sha256": sha256}]


def build(tmp_path: Path, release: Path, **changes) -> AN4:
    options = {
        "name": "an4",
        "root": tmp_path / "an4",
        "archive": str(pack(release, tmp_path / "an4.tar.gz")),
        "archives": describe(digest_tree(release, AN4.patterns)),
        "utterances": {"train": 19, "dev": 2, "test": 1},
        "hours": {"train": 19 / 7200, "dev": 2 / 7200, "test": 1 / 7200},
    }
    return AN4(**{**options, **changes})


def test_dev_is_every_tenth_training_speaker(tmp_path, release):
    corpus = build(tmp_path, release)
    report = corpus.prepare()
    assert [u.speaker for u in corpus.read("dev")] == ["s10", "s20"]
    assert len(corpus.read("train")) == 19
    assert str(report).splitlines()[1] == (
        f"an4 dev: 2 utterances, 0.000 h, 4 words, {tmp_path}/an4/dev.jsonl"
    )


def test_transcripts_lose_their_tags(tmp_path, release):
    corpus = build(tmp_path, release)
    corpus.prepare()
    first, last = corpus.read("train")[0], corpus.read("test")[0]
    assert (first.id, first.text, first.duration) == ("an1-s01-b", "GO S01", 0.5)
    assert (last.id, last.text, last.speaker) == ("an1-test-b", "STOP", "test")
    assert last.audio_path.is_file()


def test_preparing_twice_is_the_same_as_once(tmp_path, release):
    corpus = build(tmp_path, release)
    first = corpus.prepare()
    manifest = (tmp_path / "an4/train.jsonl").read_bytes()
    (tmp_path / "an4.tar.gz").unlink()  # not needed again
    assert corpus.prepare() == first
    assert (tmp_path / "an4/train.jsonl").read_bytes() == manifest


def test_a_prepared_corpus_can_be_moved(tmp_path, release):
    build(tmp_path, release).prepare()
    shutil.move(tmp_path / "an4", tmp_path / "moved")
    moved = build(tmp_path, release, root=tmp_path / "moved")
    assert moved.read("test")[0].audio_path.is_file()


def test_other_files_than_expected_are_refused(tmp_path, release):
    corpus = build(tmp_path, release, archives=describe("0" * 64))
    with pytest.raises(InputError, match=r"sha256 of the files is .*, expected 0000"):
        corpus.prepare()
    assert list((tmp_path / "an4").iterdir()) == []
    build(tmp_path, release, archives=describe(None)).prepare()


def test_files_changed_after_unpacking_are_refused(tmp_path, release):
    corpus = build(tmp_path, release)
    corpus.prepare()
    (corpus.files / "etc/an4_test.transcription").write_text("GO (an1-test-b)\n")
    with pytest.raises(InputError, match="delete that folder and prepare again"):
        corpus.prepare()
    assert corpus.read("test")[0].text == "STOP"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"utterances": {"train": 20, "dev": 2, "test": 1}},
            "an4 train: 19 utterances, expected 20; take the original archive",
        ),
        (
            {"hours": {"train": 19 / 7200, "dev": 1, "test": 1}},
            "an4 dev: 0.0003 h, expected 1; take the original archive",
        ),
    ],
)
def test_other_sizes_than_expected_leave_no_manifest(
    tmp_path, release, changes, message
):
    with pytest.raises(InputError, match=message):
        build(tmp_path, release, **changes).prepare()
    assert not list((tmp_path / "an4").glob("*.jsonl"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda folder: (folder / "wav/an4_clstk/s03/an1-s03-b.wav").unlink(),
            "an1-s03-b: in .*an4_train.transcription but without an audio file",
        ),
        (
            lambda folder: shutil.copy(
                folder / "wav/an4_clstk/s03/an1-s03-b.wav",
                folder / "wav/an4_clstk/s03/an2-s03-b.wav",
            ),
            "an2-s03-b.wav: without a line in .*an4_train.transcription",
        ),
        (
            lambda folder: (folder / "etc/an4_test.transcription").write_text("STOP\n"),
            "an4_test.transcription:1: 'STOP' is not one new transcript and its id",
        ),
        (
            lambda folder: (folder / "etc/an4_test.transcription").unlink(),
            "an4_test.transcription: cannot be read",
        ),
        (
            lambda folder: (folder / "wav/an4_clstk/s03/an1-s03-b.wav").write_bytes(
                b""
            ),
            "an1-s03-b.wav: 0 bytes, expected audio",
        ),
    ],
)
def test_lines_and_files_must_correspond(tmp_path, release, change, message):
    change(release)
    with pytest.raises(InputError, match=message):
        build(tmp_path, release).prepare()
    assert not list((tmp_path / "an4").glob("*.jsonl"))


def test_an_archive_of_something_else_is_refused(tmp_path):
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"), io.BytesIO())
    with pytest.raises(InputError, match="is damaged or another release: fetch https"):
        build(
            tmp_path,
            lay_out(tmp_path / "release"),
            archive=str(tmp_path / "other.tar"),
        ).prepare()
    assert not list((tmp_path / "an4").iterdir())


def test_unknown_and_unprepared_splits_are_refused(tmp_path, release):
    corpus = build(tmp_path, release)
    with pytest.raises(
        InputError, match="unknown split 'eval'; an4 has: train, dev, test"
    ):
        corpus.read("eval")
    with pytest.raises(InputError, match="run: speechgru prepare corpus=an4"):
        corpus.read("train")
