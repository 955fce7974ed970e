import tarfile
from itertools import islice, product
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechgru.data.corpora.yesno import YesNo
from speechgru.interfaces import InputError


def build(tmp_path: Path, names: list[str], **utterances: int) -> YesNo:
    (tmp_path / "waves_yesno").mkdir()
    for name in names:
        soundfile.write(tmp_path / f"waves_yesno/{name}.wav", np.ones(800) / 2, 8000)
    with tarfile.open(tmp_path / "waves_yesno.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "waves_yesno", arcname="waves_yesno")
    return YesNo(
        "yesno",
        root=tmp_path / "yesno",
        archive=str(tmp_path / "waves_yesno.tar.gz"),
        archives=[{"file": "waves_yesno.tar.gz", "url": "https://yesno.invalid/"}],
        utterances=utterances,
        hours={split: 0.1 * number / 3600 for split, number in utterances.items()},
    )


def test_the_transcript_is_the_name(tmp_path):
    names = ["_".join(digits) for digits in islice(product("01", repeat=8), 12)]
    corpus = build(tmp_path, names, train=8, dev=2, test=2)
    corpus.prepare()
    assert corpus.read("train")[1].text == "NO NO NO NO NO NO NO YES"
    assert {split: [u.id for u in corpus.read(split)] for split in ("dev", "test")} == {
        "dev": [names[4], names[10]],
        "test": [names[5], names[11]],
    }


def test_a_name_that_is_no_transcript_is_refused(tmp_path):
    corpus = build(tmp_path, ["0_1_1"], train=1, dev=0, test=0)
    with pytest.raises(InputError, match=r"0_1_1.wav: the name is no transcript"):
        corpus.prepare()
