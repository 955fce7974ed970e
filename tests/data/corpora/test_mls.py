import tarfile

import numpy as np
import pytest
import soundfile

from speechgru.data.corpora.mls import MLS
from speechgru.interfaces import InputError

SIZES = {"train": 4, "dev": 1, "test": 1, "train-1h": 2, "train-9h": 1}
IDS = {
    "train": ["10_1_000000", "10_2_000000", "11_3_000000", "11_3_000001"],
    "dev": ["20_4_000000"],
    "test": ["30_5_000000"],
}


def lay_out(folder, codec):
    """mls_polish as its archive has it, with 0.5 s an utterance."""
    for split, ids in IDS.items():
        lines = []
        for id in ids:
            path = folder / split / "audio" / "/".join(id.split("_")[:2])
            path.mkdir(parents=True, exist_ok=True)
            kind = {"format": "OGG", "subtype": "OPUS"} if codec == "opus" else {}
            soundfile.write(path / f"{id}.{codec}", np.full(8000, 0.1), 16000, **kind)
            lines.append(f"{id}\tidź do {split}\n")
        (folder / split / "transcripts.txt").write_text("".join(lines))
        (folder / split / "segments.txt").write_text("10_1_000000\turl\t0.5\t1.0\n")
    limited = folder / "train/limited_supervision"
    for place, id in (("1hr/0", 0), ("1hr/5", 2), ("9hr", 3)):
        (limited / place).mkdir(parents=True)
        (limited / place / "handles.txt").write_text(IDS["train"][id] + "\n")
    (folder / "metainfo.txt").write_text("SPEAKER | GENDER\n")
    return folder


@pytest.fixture(params=["opus", "flac"])
def corpus(request, tmp_path):
    release = lay_out(tmp_path / "release", request.param)
    suffix = "_opus" if request.param == "opus" else ""
    path = tmp_path / f"mls_polish{suffix}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(release, arcname=f"mls_polish{suffix}")
    return build(tmp_path, codec=request.param)


def build(tmp_path, **changes):
    options = {
        "name": "mls",
        "root": tmp_path / "root",
        "archive": str(tmp_path),
        "language": "polish",
        "codec": "opus",
        "utterances": SIZES,
    }
    return MLS(**{**options, **changes})


def test_a_language_is_prepared_from_either_archive(corpus):
    corpus.prepare()
    train = corpus.read("train")
    assert [(u.id, u.speaker) for u in train] == [
        (id, id.partition("_")[0]) for id in IDS["train"]
    ]
    assert train[0].text == "idź do train"
    assert train[0].duration == pytest.approx(0.5, abs=1e-3)
    assert train[0].audio_path.suffix == f".{corpus.codec}"
    assert corpus.variant == "mls-polish"


def test_parts_for_limited_supervision_are_splits(corpus):
    corpus.prepare()
    found = {split: [u.id for u in corpus.read(split)] for split in corpus.splits[3:]}
    ids = IDS["train"]
    assert found == {
        "train-1h": [ids[0], ids[2]],
        "train-9h": [ids[3]],
        "train-10h": [ids[0], ids[2], ids[3]],
    }


def test_the_published_numbers_are_expected(tmp_path, corpus):
    with pytest.raises(InputError, match="mls train: 4 utterances, expected 25043"):
        build(tmp_path, codec=corpus.codec, utterances={}).prepare()
    assert not list(corpus.root.glob("*.jsonl"))
    none = dict.fromkeys(SIZES)
    assert build(tmp_path, codec=corpus.codec, utterances=none).prepare()


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        ("transcripts.txt", "10_1_000000", "transcripts.txt:1: '10_1_000000' is not"),
        ("transcripts.txt", "../../x_1_0\tgo", r"is not one new id and its tran"),
        ("transcripts.txt", "10_1_000009\tgo", r"10_1_000009.*: cannot be opened"),
        ("limited_supervision/9hr/handles.txt", "9_9_9", "names 9_9_9, which .* lacks"),
    ],
)
def test_lines_and_files_must_correspond(corpus, file, line, message):
    corpus.prepare()
    (corpus.files / "train" / file).write_text(line + "\n")
    with pytest.raises(InputError, match=message):
        corpus.prepare()


def test_lists_of_limited_supervision_must_be_there(corpus):
    corpus.prepare()
    (corpus.files / "train/limited_supervision/9hr/handles.txt").unlink()
    with pytest.raises(InputError, match=r"no 9hr/handles.txt, expected the lists"):
        corpus.prepare()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"language": "pl"}, "language is 'pl', expected one of: dutch, english"),
        ({"language": "polsh"}, "did you mean polish?"),
        ({"codec": "mp3"}, "codec is 'mp3', expected one of: flac, opus"),
    ],
)
def test_odd_options_are_refused(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        build(tmp_path, **changes)
