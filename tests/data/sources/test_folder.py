import os
from pathlib import Path

import pytest
from audio.media import encode_media, sweep
from data.sources.sounds import RATE, put

from speechgru.audio import read_audio
from speechgru.data.sources.folder import FolderCorpus
from speechgru.interfaces import InputError
from speechgru.ranges import OptionError


def corpus(path: Path, **options) -> FolderCorpus:
    return FolderCorpus("folder", str(path), None, None, **options)


@pytest.fixture
def folder(tmp_path):
    """Ann in texts beside, bob as LibriSpeech has it."""
    home = tmp_path / "train"
    put(home / "ann/one.wav", 1, 0.1)
    (home / "ann/one.txt").write_text("\ufeffGO  ON\nHOME\n", encoding="utf-8")
    put(home / "ann/two.flac", 2, 0.2)
    (home / "ann/two.lab").write_text("STOP")
    put(home / "bob/7/bob-7-0001.flac", 3, 0.3)
    put(home / "bob/7/bob-7-0002.flac", 4, 0.4)
    (home / "bob/7/bob-7.trans.txt").write_text(
        "bob-7-0001 ÉTÉ HERE\nbob-7-0002 YES\n", encoding="utf-8"
    )
    return home


def test_texts_are_found_beside_and_in_lists(folder):
    utterances = corpus(folder).read("train")
    assert [(u.id, u.text, u.duration) for u in utterances] == [
        ("ann/one", "GO ON HOME", 0.1),
        ("ann/two", "STOP", 0.2),
        ("bob/7/bob-7-0001", "ÉTÉ HERE", 0.3),
        ("bob/7/bob-7-0002", "YES", 0.4),
    ]
    assert {u.speaker for u in utterances} == {None}
    assert [len(read_audio(u.audio)[0]) / RATE for u in utterances] == [
        u.duration for u in utterances
    ]


@pytest.mark.parametrize(
    ("speakers", "expected"),
    [("top", ["ann", "ann", "bob", "bob"]), ("parent", ["ann", "ann", "7", "7"])],
)
def test_speakers_come_from_folders(folder, speakers, expected):
    utterances = corpus(folder, speakers=speakers).read("train")
    assert [u.speaker for u in utterances] == expected


def test_another_way_to_name_speakers_is_refused(folder):
    with pytest.raises(OptionError, match="speakers is 'name', expected one of: top"):
        corpus(folder, speakers="name")


def test_a_recording_without_text_is_named_with_all_others(folder):
    put(folder / "cem/a.wav")
    put(folder / "cem/b.wav")
    with pytest.raises(InputError) as error:
        corpus(folder).read("train")
    assert "2 problems" in str(error.value)
    assert "cem/a.wav: no text beside it" in str(error.value)
    assert "cem/b.wav: no text beside it" in str(error.value)


def test_a_text_without_recording_is_left_out_and_said(folder, capsys):
    (folder / "README.txt").write_text("about")
    (folder / "bob/7/bob-7.trans.txt").write_text(
        "bob-7-0001 A\nbob-7-0002 B\nbob-7-0003 C\n"
    )
    assert len(corpus(folder).read("train")) == 4
    said = capsys.readouterr().err
    assert "2 texts have no recording beside them and are left out" in said
    assert "README.txt" in said


def test_a_text_in_another_encoding_is_named(folder):
    (folder / "ann/two.lab").write_bytes("été".encode("latin-1"))
    with pytest.raises(InputError, match=r"two\.lab: cannot be read .* UTF-8"):
        corpus(folder).read("train")


def test_two_texts_for_one_recording_are_refused(folder):
    (folder / "ann/two.txt").write_text("GO")
    with pytest.raises(InputError, match=r"both .*two\.txt and .*two\.lab are there"):
        corpus(folder).read("train")


def test_two_recordings_of_one_name_are_refused(folder):
    put(folder / "ann/one.flac", 9)
    with pytest.raises(InputError, match="id 'ann/one' occurs twice"):
        corpus(folder).read("train")


def test_what_changes_is_read_again_and_what_does_not_is_not(folder, cache):
    source = corpus(folder)
    first = source.manifest_path("train")
    assert source.manifest_path("train") == first
    assert str(first).startswith(str(cache))
    made = os.stat(first).st_mtime_ns
    corpus(folder).read("train")
    assert os.stat(first).st_mtime_ns == made
    (folder / "ann/two.lab").write_text("HALT")
    assert source.read("train")[1].text == "HALT"
    put(folder / "ann/one.wav", 1, 0.5)
    assert source.read("train")[0].duration == 0.5
    put(folder / "ann/three.wav", 1)
    (folder / "ann/three.txt").write_text("NEW")
    assert len(source.read("train")) == 5


def test_what_was_made_before_a_change_goes_when_nobody_has_used_it_for_a_week(folder):
    source = corpus(folder)
    first = source.manifest_path("train")
    (folder / "ann/two.lab").write_text("HALT")
    second = source.manifest_path("train")
    assert first.exists()  # a run may still read it
    for mark in first.parent.glob("*.used"):
        if mark.stem == first.stem:
            os.utime(mark, (0, 0))
    (folder / "ann/two.lab").write_text("STAY")
    assert source.read("train")[1].text == "STAY"
    assert second.exists()
    assert not first.exists()


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(InputError, match="no: no such folder"):
        corpus(tmp_path / "no").read("train")


def test_an_empty_folder_is_named(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(InputError, match="a: holds no utterances"):
        corpus(tmp_path / "a").read("train")


def test_what_a_phone_or_a_browser_recorded_is_training_data_as_well(tmp_path):
    for name, kind, rate in (
        ("memo.m4a", "m4a", 16_000),
        ("page.webm", "webm", 48_000),
    ):
        said = sweep(0.5, rate)
        (tmp_path / name).write_bytes(encode_media(said, kind))
        (tmp_path / name).with_suffix(".txt").write_text("GO ON")
    memo, page = corpus(tmp_path).read("train")
    assert (memo.id, memo.duration) == ("memo", 0.5)
    assert page.duration == pytest.approx(0.5, abs=0.01)
    for utterance in (memo, page):
        waveform, rate = read_audio(utterance.audio)
        assert len(waveform) == round(utterance.duration * rate)
