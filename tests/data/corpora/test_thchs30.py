import tarfile

import numpy as np
import pytest
import soundfile

from speechgru.data.corpora.thchs30 import THCHS30
from speechgru.interfaces import InputError

IDS = {"train": ["A11_0", "B2_1"], "dev": ["C4_2"], "test": ["D4_750"]}
LINES = {
    "A11_0": "绿 是 阳春\nlv4 shi4 yang2 chun1\nl v4 sh ix4 ii iang2 ch un1\n",
    "B2_1": "他 仅 l = 凭\nta1 jin3 ping2\nt a1 j in3 p ing2\n",
    "C4_2": "绿 是 阳春\nlv4 shi4 yang2 chun1\nl v4 sh ix4 ii iang2 ch un1\n",
    "D4_750": "东北军\ndong1 bei3 jun1\nd ong1 b ei3 j vn1\n",
}


@pytest.fixture(params=["links", "paths"])
def release(request, tmp_path):
    """data_thchs30 with both kinds of names in the folders of the splits."""
    folder = tmp_path / "data_thchs30"
    (folder / "data").mkdir(parents=True)
    for split, ids in IDS.items():
        (folder / split).mkdir()
        for id in ids:
            soundfile.write(folder / f"data/{id}.wav", np.full(8000, 0.1), 16000)
            (folder / f"data/{id}.wav.trn").write_text(LINES[id])
            for name in (f"{id}.wav", f"{id}.wav.trn"):
                if request.param == "links":
                    (folder / split / name).symlink_to(f"../data/{name}")
                elif name.endswith(".trn"):
                    (folder / split / name).write_text(f"../data/{name}\n")
    (folder / "lm_word").mkdir()
    return folder


def build(tmp_path, release, **changes):
    path = tmp_path / "data_thchs30.tgz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(release, arcname="data_thchs30")
    options = {
        "name": "thchs30",
        "root": tmp_path / "root",
        "archive": str(path),
        "archives": [{"file": path.name}],
        "transcript": "characters",
        "utterances": {"train": 2, "dev": 1, "test": 1},
    }
    return THCHS30(**{**options, **changes})


def test_splits_are_the_names_in_their_folders(tmp_path, release):
    corpus = build(tmp_path, release)
    corpus.prepare()
    found = {
        split: [(u.id, u.speaker, u.text) for u in corpus.read(split)]
        for split in corpus.splits
    }
    assert found == {
        "train": [("A11_0", "A11", "绿是阳春"), ("B2_1", "B2", "他仅凭")],
        "dev": [("C4_2", "C4", "绿是阳春")],
        "test": [("D4_750", "D4", "东北军")],
    }
    assert corpus.read("test")[0].duration == 0.5


def test_sentences_that_splits_share_are_said(tmp_path, release):
    report = build(tmp_path, release).prepare()
    assert (
        'thchs30 dev: utterances whose sentences are in train, too: 1, e.g. C4_2, "绿'
        in str(report)
    )


@pytest.mark.parametrize(
    ("transcript", "text"),
    [("pinyin", "ta1 jin3 ping2"), ("phones", "t a1 j in3 p ing2")],
)
def test_other_transcripts_have_manifests_of_their_own(
    tmp_path, release, transcript, text
):
    build(tmp_path, release).prepare()
    corpus = build(tmp_path, release, transcript=transcript)
    with pytest.raises(InputError, match=f"run: .*corpus.transcript={transcript}"):
        corpus.read("train")
    corpus.prepare()
    assert corpus.read("train")[1].text == text
    assert corpus.variant == f"thchs30-{transcript}"
    assert build(tmp_path, release).read("train")[1].text == "他仅凭"


def test_odd_options_are_refused(tmp_path, release):
    with pytest.raises(InputError, match=r"did you mean phones?"):
        build(tmp_path, release, transcript="phone")


def empty(folder):
    for path in (folder / "dev").iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (empty, "no recordings, expected the names of the split dev"),
        (lambda f: (f / "data/C4_2.wav.trn").unlink(), "C4_2.wav.trn: cannot be read"),
        (lambda f: (f / "data/C4_2.wav").unlink(), "C4_2.wav: cannot be opened"),
        (
            lambda f: (f / "data/C4_2.wav.trn").write_text("\n"),
            "C4_2.wav.trn: no characters in line 1, expected three lines",
        ),
        (
            lambda f: (f / "dev/x.wav.trn").write_text("../data/x.wav.trn"),
            "dev: 'x' is no id, expected one such as A11_0",
        ),
    ],
)
def test_lines_and_files_must_correspond(tmp_path, release, change, message):
    corpus = build(tmp_path, release)
    corpus.prepare()
    change(corpus.files)
    with pytest.raises(InputError, match=message):
        corpus.prepare()
