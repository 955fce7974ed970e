import json
from pathlib import Path

import pytest
from data.corpora.packing import pack_zip, write_audio, write_text

from speechgru.data.corpora.vctk import VCTK
from speechgru.interfaces import InputError

SPEAKERS = [f"p{number}" for number in range(225, 236)]  # dev: p233, test: p234
AUDIO = "wav48_silence_trimmed"


def lay_out(folder: Path) -> Path:
    """Eleven speakers: the rainbow, a sentence of two speakers, one of one's own."""
    write_text(folder / "speaker-info.txt", "ID  AGE  GENDER  ACCENTS\n")
    for speaker in SPEAKERS:
        rainbow = "Please call  Stella." if speaker == "p233" else "Please call Stella"
        shared = "We shared it." if speaker in ("p225", "p234") else f"I am {speaker}."
        for number, text in enumerate((rainbow, shared, f"{speaker} ends."), 1):
            id = f"{speaker}_{number:03}"
            write_text(folder / f"txt/{speaker}/{id}.txt", f"{text}\n")
            for microphone in (1, 2):
                path = folder / f"{AUDIO}/{speaker}/{id}_mic{microphone}.flac"
                write_audio(path, 4800 * microphone, 48000)
    # p226 has no second microphone, p227 no texts, p228 lacks a recording.
    for path in (folder / AUDIO / "p226").glob("*_mic2.flac"):
        path.unlink()
    for path in (folder / "txt/p227").iterdir():
        path.unlink()
    (folder / "txt/p227").rmdir()
    (folder / f"{AUDIO}/p228/p228_002_mic1.flac").unlink()
    return folder


def build(tmp_path: Path, **changes) -> VCTK:
    path = tmp_path / "VCTK-Corpus-0.92.zip"
    if not path.exists():
        pack_zip(lay_out(tmp_path / "release"), path)
    options = {
        "name": "vctk",
        "root": tmp_path / "root",
        "archive": str(path),
        "archives": [{"file": path.name}],
        "microphone": 1,
        "common_texts": False,
    }
    return VCTK(**{**options, **changes})


def test_no_speaker_is_in_two_splits(tmp_path):
    corpus = build(tmp_path)
    corpus.prepare()
    # p227 is not among the ten whose texts there are: the ninth is p234.
    assert {u.speaker for u in corpus.read("dev")} == {"p234"}
    assert {u.speaker for u in corpus.read("test")} == {"p235"}
    assert len({u.speaker for u in corpus.read("train")}) == 8


def left_out(tmp_path: Path) -> list[dict[str, str]]:
    lines = (tmp_path / "root/left-out.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_what_everybody_reads_is_in_train_alone_and_said(tmp_path):
    corpus = build(tmp_path)
    (note,) = corpus.prepare().notes
    assert note.startswith("vctk left out, see ")
    assert "left-out.jsonl: 6 recordings, e.g. p227_001 (no text)" in note
    assert [u.text for u in corpus.read("dev")] == ["We shared it.", "p234 ends."]
    assert sum(u.text.startswith("Please") for u in corpus.read("train")) == 8
    common = [r for r in left_out(tmp_path) if r["reason"] == "everybody reads it"]
    assert [(r["split"], r["file"]) for r in common] == [
        ("dev", "p234_001"),
        ("test", "p235_001"),
    ]
    kept = build(tmp_path, common_texts=True)
    kept.prepare()
    assert len(kept.read("dev")) == 3
    assert len(left_out(tmp_path)) == 4


def test_what_has_no_text_or_no_recording_is_left_out_and_named(tmp_path):
    corpus = build(tmp_path)
    corpus.prepare()
    reasons = {r["file"]: r["reason"] for r in left_out(tmp_path)}
    assert {f for f, r in reasons.items() if r == "no text"} == {
        f"p227_{number:03}" for number in (1, 2, 3)
    }
    assert reasons["p228_002"] == "no recording"
    ids = {u.id for u in corpus.read("train")}
    assert not {id for id in ids if id.startswith("p227")}
    assert {id for id in ids if id.startswith("p228")} == {"p228_001", "p228_003"}


def test_the_second_microphone_is_a_choice(tmp_path):
    corpus = build(tmp_path, microphone=2)
    assert corpus.variant == "vctk-mic2"
    corpus.prepare()
    assert {u.duration for u in corpus.read("train")} == {0.2}
    assert {"p226_001", "p226_002", "p226_003"} <= {
        r["file"] for r in left_out(tmp_path) if r["reason"] == "no recording"
    }
    with pytest.raises(InputError, match=r"corpus.microphone is 3, expected a whole"):
        build(tmp_path, microphone=3)


def test_an_archive_of_something_else_is_refused(tmp_path):
    write_text(tmp_path / "other/txt/p225/p225_001.txt", "Please call Stella.")
    pack_zip(tmp_path / "other", tmp_path / "VCTK-Corpus-0.92.zip")
    with pytest.raises(InputError, match="no text has a recording, expected txt/p225"):
        build(tmp_path).prepare()


def test_what_was_prepared_with_other_settings_is_refused(tmp_path):
    build(tmp_path, common_texts=True).prepare()
    assert build(tmp_path, common_texts=True).read("dev")
    with pytest.raises(InputError, match="common_texts is True, expected False; to ma"):
        build(tmp_path).read("dev")
    build(tmp_path).prepare()
    assert build(tmp_path).read("dev")
    for path in tmp_path.rglob("*.settings.json"):
        path.unlink()  # as older versions left it
    assert build(tmp_path, microphone=2).read("dev")
