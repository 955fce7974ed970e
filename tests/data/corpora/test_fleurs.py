import hashlib
import shutil
import tarfile

import numpy as np
import pytest
import soundfile

from speechgru.data.corpora.fleurs import FLEURS
from speechgru.interfaces import InputError

ROWS = {
    "train": [
        ("12", "100.wav", 'Say "go.', "say go"),
        ("12", "101.wav", 'Say "go.', "say go"),
        ("13", "102.wav", "Wait 2 days!", "wait 2 days"),
    ],
    "dev": [("14", "103.wav", "Halt!", "halt")],
    "test": [("15", "104.wav", "Stop.", "stop")],
}


def lay_out(folder):
    """A language as the bucket's archive has it: float WAV of 0.5 s."""
    for split, rows in ROWS.items():
        (folder / "audio" / split).mkdir(parents=True)
        lines = []
        for id, file, raw, text in rows:
            path = folder / "audio" / split / file
            soundfile.write(path, np.full(8000, 0.1), 16000, subtype="FLOAT")
            letters = " ".join(text.replace(" ", "|")) + " |"
            lines.append("\t".join([id, file, raw, text, letters, "8000", "MALE"]))
        (folder / f"{split}.tsv").write_text("\n".join(lines) + "\n")
    return folder


def pack(folder, path, name):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, arcname=name)
    return path


@pytest.fixture
def language(tmp_path):
    return lay_out(tmp_path / "cy_gb")


def build(tmp_path, archive, **changes):
    options = {
        "name": "fleurs",
        "root": tmp_path / "root",
        "archive": str(archive),
        "language": "cy_gb",
        "address": "https://fleurs.invalid/FLEURS102",
        "file_sha256": None,
        "written": False,
    }
    return FLEURS(**{**options, **changes})


def describe(corpus):
    return [
        (u.id, u.text, u.speaker, u.duration)
        for split in corpus.splits
        for u in corpus.read(split)
    ]


EXPECTED = [
    ("100", "say go", None, 0.5),
    ("101", "say go", None, 0.5),
    ("102", "wait 2 days", None, 0.5),
    ("103", "halt", None, 0.5),
    ("104", "stop", None, 0.5),
]


@pytest.mark.parametrize("top", ["cy_gb", "home/somebody/FLEURS/obfuscated/cy_gb"])
def test_an_archive_is_read_however_deep_its_tables_lie(tmp_path, language, top):
    pack(language, tmp_path / "archives/cy_gb.tar.gz", top)
    corpus = build(tmp_path, tmp_path / "archives")
    corpus.prepare()
    assert describe(corpus) == EXPECTED
    assert corpus.variant == "fleurs-cy_gb"


@pytest.mark.parametrize("place", ["data/cy_gb", "cy_gb", "."])
def test_a_copy_of_the_data_set_on_the_hub_is_read(tmp_path, language, place):
    copy = tmp_path / "copy"
    for split in ROWS:
        audio = copy / place / "audio" / f"{split}.tar.gz"
        pack(language / "audio" / split, audio, split)
        shutil.copy(language / f"{split}.tsv", copy / place)
    corpus = build(tmp_path, copy)
    corpus.prepare()
    assert describe(corpus) == EXPECTED
    for archive in copy.rglob("*.tar.gz"):
        archive.unlink()  # what is unpacked is not needed again
    assert corpus.prepare().splits["train"].utterances == 3


def test_half_a_copy_is_gone_on_with(tmp_path, language):
    copy = tmp_path / "copy"
    for split in ROWS:
        pack(language / "audio" / split, copy / f"audio/{split}.tar.gz", split)
        shutil.copy(language / f"{split}.tsv", copy)
    (copy / "audio/test.tar.gz").rename(tmp_path / "later")
    corpus = build(tmp_path, copy)
    with pytest.raises(InputError, match=r"audio/test.tar.gz: no such file, expected"):
        corpus.prepare()
    (tmp_path / "later").rename(copy / "audio/test.tar.gz")
    corpus.prepare()
    assert describe(corpus) == EXPECTED


def test_sentences_can_be_taken_as_they_are_written(tmp_path, language):
    archive = pack(language, tmp_path / "cy_gb.tar.gz", "cy_gb")
    corpus = build(tmp_path, archive, written=True)
    corpus.prepare()
    assert [u.text for u in corpus.read("train")] == [
        'Say "go.',
        'Say "go.',
        "Wait 2 days!",
    ]
    other = build(tmp_path, archive)
    with pytest.raises(InputError, match="is not prepared; run: speechgru prepare"):
        other.read("train")
    other.prepare()  # without a second copy of the audio
    assert other.files == corpus.files
    assert other.read("train")[0].text == "say go"
    assert corpus.read("train")[0].text == 'Say "go.'
    assert corpus.variant == "fleurs-cy_gb-written"


def test_another_archive_than_expected_is_refused(tmp_path, language):
    archive = pack(language, tmp_path / "cy_gb.tar.gz", "cy_gb")
    with pytest.raises(InputError, match="is damaged or another release: fetch https"):
        build(tmp_path, archive, file_sha256="0" * 64).prepare()
    right = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert build(tmp_path, archive, file_sha256=right).prepare()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("12\t100.wav\tGo.\n", r"train.tsv:1: 3 fields between tabs, expected 7"),
        ("1\t../dev/103.wav\tA\ta\ta |\t1\tMALE\n", r'"../dev/103.wav" with "a" is'),
        ("1\t100.wav\tA\t \ta |\t1\tMALE\n", "is not one new file and its sentence"),
        ("1\t109.wav\tA\ta\ta |\t1\tMALE\n", "109.wav: cannot be opened"),
    ],
)
def test_lines_and_files_must_correspond(tmp_path, language, table, message):
    (language / "train.tsv").write_text(table)
    archive = pack(language, tmp_path / "cy_gb.tar.gz", "cy_gb")
    with pytest.raises(InputError, match=message):
        build(tmp_path, archive).prepare()


def test_an_archive_without_tables_is_refused(tmp_path, language):
    (language / "dev.tsv").unlink()
    archive = pack(language, tmp_path / "cy_gb.tar.gz", "cy_gb")
    with pytest.raises(InputError, match=r"0 files dev.tsv below it, expected one"):
        build(tmp_path, archive).prepare()


@pytest.mark.parametrize("language", ["English", "../x", "en", False])
def test_a_language_is_written_as_fleurs_does(tmp_path, language):
    with pytest.raises(InputError, match=r"language is .*, expected one as FLEURS"):
        build(tmp_path, tmp_path, language=language)
