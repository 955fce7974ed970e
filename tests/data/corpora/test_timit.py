from pathlib import Path

import pytest
from data.corpora.packing import write_audio, write_text

from speechgru.data.corpora import timit_phones
from speechgru.data.corpora.timit import TIMIT
from speechgru.data.corpora.timit_phones import map_phone
from speechgru.interfaces import InputError

PHONES = "h# sh ix hv eh dcl jh ih q axr zh h#"
SPEAKERS = {
    "TRAIN/DR1/FCJF0": "train",
    "TRAIN/DR2/MARC0": "train",
    "TEST/DR1/FAKS0": "dev",
    "TEST/DR1/MDAB0": "test",
    "TEST/DR1/FJSP0": None,  # of the whole test set alone
}


def lay_out(folder: Path, is_lower: bool = False) -> Path:
    """Five speakers who say an SA, an SX and an SI sentence each."""
    for place in SPEAKERS:
        for sentence in ("SA1", "SX37", "SI1027"):
            path = f"{place}/{sentence}"
            base = folder / (path.lower() if is_lower else path)

            def beside(ending: str, base: Path = base) -> Path:
                return base.with_suffix(ending if is_lower else ending.upper())

            write_audio(beside(".wav"), 1600, format="NIST", subtype="PCM_16")
            spans = "".join(f"{n} {n + 1} {p}\n" for n, p in enumerate(PHONES.split()))
            write_text(beside(".phn"), spans)
            write_text(beside(".wrd"), "0 5 she\n5 9 had\n")
            write_text(beside(".txt"), "0 1600 She had.\n")
    return folder


def build(tmp_path: Path, folder: Path | None, **changes) -> TIMIT:
    options = {
        "name": "timit",
        "root": tmp_path / "root",
        "folder": None if folder is None else str(folder),
        "transcript": "phones39",
        "utterances": {"train": 4, "dev": 2, "test": 2},
        "words": {"test": 22},
    }
    return TIMIT(**{**options, **changes})


@pytest.mark.parametrize("is_lower", [False, True])
def test_the_usual_speakers_without_sa_in_either_case(tmp_path, is_lower):
    corpus = build(tmp_path, lay_out(tmp_path / "TIMIT", is_lower))
    corpus.prepare()
    assert [u.id for u in corpus.read("train")] == [
        "fcjf0-si1027",
        "fcjf0-sx37",
        "marc0-si1027",
        "marc0-sx37",
    ]
    assert {u.speaker for u in corpus.read("dev")} == {"faks0"}
    assert {u.speaker for u in corpus.read("test")} == {"mdab0"}
    assert corpus.read("test")[0].duration == 0.1
    assert not list((tmp_path / "TIMIT").rglob("*.jsonl"))


@pytest.mark.parametrize(
    ("transcript", "text"),
    [
        ("phones60", "h# sh ix hv eh dcl jh ih axr zh h#"),
        ("phones48", "sil sh ix hh eh vcl jh ih er zh sil"),
        ("phones39", "sil sh ih hh eh sil jh ih er sh sil"),
        ("words", "she had"),
    ],
)
def test_transcripts_are_phones_of_three_sizes_or_words(tmp_path, transcript, text):
    corpus = build(tmp_path, lay_out(tmp_path / "TIMIT"), transcript=transcript)
    corpus.prepare()
    assert {u.text for u in corpus.read("train")} == {text}
    assert corpus.variant == f"timit-{transcript}"


def test_each_transcript_has_manifests_of_its_own(tmp_path):
    folder = lay_out(tmp_path / "TIMIT")
    few, many = (
        build(tmp_path, folder, transcript=t) for t in ("phones39", "phones60")
    )
    few.prepare()
    many.prepare()
    assert few.read("dev")[0].text != many.read("dev")[0].text
    with pytest.raises(
        InputError,
        match=r"run: speechgru prepare corpus=timit corpus.folder=.*TIMIT corpus.trans",
    ):
        build(tmp_path, folder, transcript="words").read("dev")


def test_phones_are_as_many_as_in_the_paper():
    """Lee and Hon have 48 and 39; a, b, ... of the 61 is the glottal stop."""
    phones = sorted(timit_phones._TO_48)
    for size in (60, 48, 39):
        mapped = {map_phone(phone, size) for phone in phones}
        assert len(mapped) == size
        assert map_phone("q", size) is None
    # What is scored as one phone is one phone: mapping twice changes nothing.
    for phone in phones:
        fewer = map_phone(phone, 48)
        if fewer in timit_phones._TO_48:
            assert map_phone(fewer, 39) == map_phone(phone, 39)


def test_the_split_has_as_many_speakers_as_are_published():
    from speechgru.data.corpora.timit import _SPLIT

    splits = list(_SPLIT.values())
    assert (splits.count("test"), splits.count("dev")) == (24, 50)
    core = [speaker for speaker, split in _SPLIT.items() if split == "test"]
    assert sum(speaker.startswith("f") for speaker in core) == 8


def test_recordings_that_were_converted_beside_the_old_ones_count_once(tmp_path):
    folder = lay_out(tmp_path / "TIMIT")
    write_audio(folder / "TEST/DR1/MDAB0/SX37.WAV.wav", 1600)
    build(tmp_path, folder).prepare()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda f: (f / "TEST/DR1/MDAB0/SX37.PHN").unlink(),
            "SX37.WAV: without SX37.PHN beside it",
        ),
        (
            lambda f: write_text(f / "TEST/DR1/MDAB0/SX37.PHN", "0 9 xx\n"),
            "'xx' is no phone of TIMIT, expected one of: aa ae",
        ),
        (
            lambda f: write_text(f / "TEST/DR1/MDAB0/SX37.PHN", "0 h#\n"),
            r"SX37.PHN:1: '0 h#' is no symbol with its samples",
        ),
        (lambda f: (f / "TEST").rename(f / "TESTS"), "no recording of dev, expected"),
        (
            lambda f: write_audio(f / "TEST/DR1/MDAB0/SX38.WAV", format="NIST"),
            "SX38.WAV: without SX38.PHN",
        ),
    ],
)
def test_another_layout_is_refused(tmp_path, change, message):
    folder = lay_out(tmp_path / "TIMIT")
    change(folder)
    with pytest.raises(InputError, match=message):
        build(tmp_path, folder).prepare()
    assert not list((tmp_path / "root").rglob("*.jsonl"))


def test_the_folder_must_be_said_and_be_there(tmp_path):
    with pytest.raises(
        InputError,
        match=r"corpus.folder is not set, expected the folder that has TRAIN",
    ):
        build(tmp_path, None).prepare()
    with pytest.raises(InputError, match=r"corpus.folder is .*absent, expected"):
        build(tmp_path, tmp_path / "absent").prepare()


def test_other_sizes_are_refused(tmp_path):
    folder = lay_out(tmp_path / "TIMIT")
    for changes, message in (
        ({"utterances": {"dev": 400}}, "timit dev: 2 utterances, expected 400"),
        ({"words": {"test": 7215}}, "timit test: 22 words, expected 7215"),
        ({"transcript": "phones"}, "corpus.transcript is 'phones', expected one of"),
    ):
        with pytest.raises(InputError, match=message):
            build(tmp_path, folder, **changes).prepare()
