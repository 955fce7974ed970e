import json
import tarfile

import numpy as np
import pytest
import soundfile

from speechgru.data.corpora.aishell1 import AISHELL1
from speechgru.interfaces import InputError

SPEAKERS = {"S0002": "train", "S0003": "train", "S0724": "dev", "S0764": "test"}


@pytest.fixture
def release(tmp_path):
    """data_aishell: a transcript, and an archive for each of four speakers."""
    folder = tmp_path / "data_aishell"
    (folder / "wav").mkdir(parents=True)
    (folder / "transcript").mkdir()
    lines = []
    for speaker, split in SPEAKERS.items():
        for number in (122, 123):
            id = f"BAC009{speaker}W{number:04}"
            path = tmp_path / "speakers" / speaker / split / speaker / f"{id}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, np.full(8000, 0.1), 16000)
            lines.append(f"{id} 而 对 楼市 ｔ 成交\n")
        with tarfile.open(folder / f"wav/{speaker}.tar.gz", "w:gz") as archive:
            archive.add(tmp_path / "speakers" / speaker / split, arcname=split)
    del lines[1]  # as 320 of train are
    text = "".join(lines) + "BAC009S0999W0001 没有 录音\n"
    (folder / "transcript/aishell_transcript_v0.8.txt").write_text(text)
    return folder


def build(tmp_path, release, **changes):
    path = tmp_path / "data_aishell.tgz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(release, arcname="data_aishell")
    options = {
        "name": "aishell1",
        "root": tmp_path / "root",
        "archive": str(path),
        "archives": [{"file": path.name}],
        "utterances": {"train": 3, "dev": 2, "test": 2},
    }
    return AISHELL1(**{**options, **changes})


def test_archives_in_the_archive_become_splits(tmp_path, release):
    corpus = build(tmp_path, release)
    corpus.prepare()
    assert [(u.id, u.speaker) for u in corpus.read("train")] == [
        ("BAC009S0002W0122", "S0002"),
        ("BAC009S0003W0122", "S0003"),
        ("BAC009S0003W0123", "S0003"),
    ]
    assert {u.speaker for u in corpus.read("test")} == {"S0764"}
    assert not list((tmp_path / "root").rglob("*.tar.gz"))


def test_transcripts_have_no_spaces_and_no_full_width_letters(tmp_path, release):
    corpus = build(tmp_path, release)
    corpus.prepare()
    assert corpus.read("dev")[0].text == "而对楼市t成交"


def test_recordings_without_transcript_are_left_out_and_listed(tmp_path, release):
    report = build(tmp_path, release).prepare()
    path = tmp_path / "root/left-out.jsonl"
    expected = f"aishell1 left out, see {path}: 1 recordings, e.g. BAC009S0002W0123.wav"
    assert expected in str(report)
    assert json.loads(path.read_text())["reason"] == "no transcript"


def test_other_sizes_are_refused(tmp_path, release):
    with pytest.raises(InputError, match="train: 3 utterances, expected 120098"):
        build(tmp_path, release, utterances={"train": 120098}).prepare()


@pytest.mark.parametrize("line", ["BAC009S0002W0122", "BAC009S0002W0122 对 而"])
def test_a_line_is_one_new_id_and_its_transcript(tmp_path, release, line):
    path = release / "transcript/aishell_transcript_v0.8.txt"
    path.write_text(path.read_text() + line + "\n\n")
    with pytest.raises(InputError, match=r"v0.8.txt:9: .* is not one new id and its"):
        build(tmp_path, release).prepare()
