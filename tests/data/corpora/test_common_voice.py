import json
import re
import tarfile

import numpy as np
import pytest
import soundfile

from speechgru.data.corpora.common_voice import CommonVoice
from speechgru.interfaces import InputError

OLD = "client_id path sentence up_votes down_votes age gender accent locale segment"
"""Columns of release 6.1."""
NEW = (
    "client_id path sentence_id sentence sentence_domain up_votes down_votes age "
    "gender accents variant locale segment"
)
"""Columns since release 17."""

SPLITS = {
    "train": [("ann", 1, "Go."), ("ann", 2, 'Go "now, he said.'), ("bob", 3, "Wait.")],
    "dev": [("cem", 4, "Halt!")],
    "test": [("dora", 5, "Stop it.")],
}
MORE = [("ann", 6, "Stop it."), ("dora", 7, "More."), ("eve", 8, "Halt!")]
"""What is validated besides."""


def table(columns, rows):
    lines = ["\t".join(columns.split())]
    for speaker, number, sentence in rows:
        known = {"client_id": speaker, "path": name(number), "sentence": sentence}
        lines.append("\t".join(known.get(column, "") for column in columns.split()))
    return "\n".join(lines) + "\n"


def name(number):
    return f"common_voice_cy_{number}.mp3"


def lay_out(folder, columns=NEW, splits=SPLITS, more=MORE):
    """Welsh, as unpacked from cv-corpus-*-cy.tar.gz, with clips of 0.5 s."""
    (folder / "cy/clips").mkdir(parents=True)
    rows = [row for some in splits.values() for row in some]
    for split, some in {**splits, "validated": rows + more}.items():
        (folder / f"cy/{split}.tsv").write_text(table(columns, some))
    for _, number, _ in rows + more:
        clip = 0.1 * np.random.default_rng(number).standard_normal(24000)
        soundfile.write(folder / "cy/clips" / name(number), clip, 48000)
    return folder


@pytest.fixture
def release(tmp_path):
    return lay_out(tmp_path / "cv-corpus-25.0-2026-03-09")


def build(tmp_path, release, **changes):
    options = {
        "name": "common_voice",
        "root": tmp_path / "root",
        "language": "cy",
        "release": None if release is None else str(release),
        "splits": "official",
        "apart": True,
        "dev_share": 0.2,
        "test_share": 0.2,
        "seed": 1,
        "on_error": "raise",
    }
    return CommonVoice(**{**options, **changes})


@pytest.mark.parametrize("columns", [OLD, NEW])
def test_the_tables_are_read_whatever_columns_the_release_has(tmp_path, columns):
    release = lay_out(tmp_path / "cv-corpus", columns)
    corpus = build(tmp_path, release)
    corpus.prepare()
    train = corpus.read("train")
    assert [(u.id, u.speaker, u.text) for u in train] == [
        ("common_voice_cy_1", "ann", "Go."),
        ("common_voice_cy_2", "ann", 'Go "now, he said.'),
        ("common_voice_cy_3", "bob", "Wait."),
    ]
    assert corpus.variant == "common_voice-cy"
    for utterance in train:
        assert utterance.audio_path.samefile(
            release / "cy/clips" / name(utterance.id[-1])
        )
        assert utterance.duration == pytest.approx(0.5, abs=0.06)  # as MP3 pads


def test_an_archive_is_unpacked_once_and_found_again(tmp_path, release, monkeypatch):
    archives = tmp_path / "archives"
    archives.mkdir()
    with tarfile.open(archives / f"{release.name}-cy.tar.gz", "w:gz") as archive:
        archive.add(release, arcname=release.name)
    corpus = build(tmp_path, archives)
    first = corpus.prepare()
    assert [split.utterances for split in first.splits.values()] == [3, 1, 1]
    (archives / f"{release.name}-cy.tar.gz").unlink()
    monkeypatch.delenv("SPEECHGRU_ARCHIVES", raising=False)
    again = build(tmp_path, None).prepare()
    assert again == first
    assert str(tmp_path / f"root/files/{release.name}-cy/cy") in again.notes[0]


@pytest.mark.parametrize("place", ["archive", "release", "language", "environment"])
def test_a_release_is_found_where_it_is(tmp_path, release, place, monkeypatch):
    monkeypatch.delenv("SPEECHGRU_ARCHIVES", raising=False)
    where = release if place == "release" else release / "cy"
    if place == "environment":
        monkeypatch.setenv("SPEECHGRU_ARCHIVES", str(release.parent))
        where = None
    if place == "archive":
        where = tmp_path / "welsh.tar"
        with tarfile.open(where, "w") as archive:
            archive.add(release, arcname=release.name)
    assert build(tmp_path, where).prepare().splits["test"].utterances == 1


def test_of_two_releases_one_must_be_chosen(tmp_path, release):
    lay_out(tmp_path / "cv-corpus-6.1-2020-12-11", OLD)
    with pytest.raises(InputError, match=r"2 releases, .*25.0.*6.1.*; expected one"):
        build(tmp_path, tmp_path).prepare()


def test_a_language_that_is_not_there_is_named_beside_those_that_are(tmp_path, release):
    with pytest.raises(InputError, match=r"no cyy, but cy; did you mean cy\?.*fetch"):
        build(tmp_path, release, language="cyy").prepare()
    with pytest.raises(InputError, match="no release of Common Voice with a folder de"):
        build(tmp_path, tmp_path / "nowhere", language="de").prepare()


def test_durations_come_from_their_table_where_the_clips_agree(tmp_path, release):
    lines = [f"{name(number)}\t{499 if number > 1 else 498}" for number in range(1, 9)]
    durations = release / "cy/clip_durations.tsv"
    durations.write_text("clip\tduration[ms]\n" + "\n".join(lines))
    corpus = build(tmp_path, release)
    assert len(corpus.prepare().notes) == 1
    assert [u.duration for u in corpus.read("train")] == [0.498, 0.499, 0.499]

    durations.write_text("clip\tduration[ms]\n" + f"{name(1)}\t9000\n")
    assert "clip_durations.tsv is not used: common_voice_cy_1.mp3 is 0.5" in str(
        corpus.prepare()
    )
    assert corpus.read("train")[0].duration < 0.6

    durations.write_text("clip\tduration[ms]\n" + f"{name(1)}\tlong\n")
    with pytest.raises(InputError, match=r'clip_durations.tsv:2: duration is "long"'):
        corpus.prepare()


def spoil(release):
    (release / "cy/clips" / name(1)).unlink()
    (release / "cy/clips" / name(3)).write_bytes(b"")
    rows = table(NEW, [("cem", 4, " "), ("cem", 6, "Stop.")])
    (release / "cy/dev.tsv").write_text(rows)


def test_clips_that_cannot_be_used_are_named_and_nothing_is_written(tmp_path, release):
    spoil(release)
    with pytest.raises(InputError) as caught:
        build(tmp_path, release).prepare()
    first, *listed = str(caught.value).splitlines()
    assert "clips that cannot be used: 3; unpack" in first
    assert listed[0] == f"train {name(1)}: no such clip"
    assert "0 bytes" in listed[1]
    assert listed[2] == f"dev {name(4)}: no sentence"
    assert not (tmp_path / "root").exists()


def test_clips_are_left_out_when_asked_and_listed(tmp_path, release):
    spoil(release)
    corpus = build(tmp_path, release, on_error="skip")
    report = corpus.prepare()
    assert [split.utterances for split in report.splits.values()] == [1, 1, 1]
    path = tmp_path / "root/cy/official/left-out.jsonl"
    assert f"left out, see {path}: 3 recordings" in str(report)
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert records[0] == {"split": "train", "file": name(1), "reason": "no such clip"}


def test_what_is_in_two_splits_is_named(tmp_path):
    splits = {**SPLITS, "test": [("ann", 5, "WAIT."), ("eve", 9, "Other")]}
    release = lay_out(tmp_path / "cv-corpus", splits=splits)
    notes = "\n".join(build(tmp_path, release).prepare().notes)
    assert (
        "test: utterances whose sentences are in train, too: 1, e.g. common_" in notes
    )
    assert "test: utterances of speakers who are in train, too: 1, e.g. common" in notes

    splits = {**SPLITS, "test": [("ann", 1, "Go.")]}
    release = lay_out(tmp_path / "other", splits=splits)
    with pytest.raises(InputError, match=f"{name(1)} is in train and in test"):
        build(tmp_path, release).prepare()


def test_all_that_is_validated_is_trained_on_but_what_dev_and_test_have(
    tmp_path, release
):
    corpus = build(tmp_path, release, splits="validated")
    report = corpus.prepare()
    # Of the three more, one is a speaker of test, two have sentences of dev and test.
    assert [u.id[-1] for u in corpus.read("train")] == ["1", "2", "3"]
    assert "1 of 6 clips left out since their speakers are in dev" in str(report)
    assert "2 of 5 clips left out since their sentences are in dev or test" in str(
        report
    )
    assert [u.id[-1] for u in corpus.read("test")] == ["5"]

    corpus = build(tmp_path, release, splits="validated", apart=False)
    report = corpus.prepare()
    assert [u.id[-1] for u in corpus.read("train")] == ["1", "2", "3", "6", "8"]
    assert "test: utterances whose sentences are in train, too: 1" in str(report)


def lay_out_delta(folder):
    """Twenty speakers with two clips each, in validated.tsv alone; one is alone."""
    rows = [(f"s{n // 2}", n, f"Sentence {n % 37}") for n in range(40)]
    return lay_out(folder, splits={}, more=rows)


def test_a_release_without_splits_gets_some_by_speakers(tmp_path):
    release = lay_out_delta(tmp_path / "cv-corpus-22.0-delta-2025-06-20")
    with pytest.raises(
        InputError, match=r"no such file; .* set corpus.splits=speakers"
    ):
        build(tmp_path, release).prepare()
    corpus = build(tmp_path, release, splits="speakers")
    report = corpus.prepare()
    splits = {split: corpus.read(split) for split in corpus.splits}
    speakers = [{u.speaker for u in some} for some in splits.values()]
    sentences = [{u.text for u in some} for some in splits.values()]
    for sets in (speakers, sentences):
        assert len(set.union(*sets)) == sum(map(len, sets)), "they overlap"
    assert 4 <= len(splits["test"]) <= 8
    left_out = re.findall(r"(\d+) of \d+ clips left out since their sen", str(report))
    assert sum(map(len, splits.values())) + sum(map(int, left_out)) == 40
    assert left_out, "no sentence is shared: this tests nothing"
    assert corpus.variant == "common_voice-cy-speakers"

    again = build(tmp_path, release, splits="speakers", root=tmp_path / "again")
    again.prepare()
    assert [u.id for u in again.read("test")] == [u.id for u in splits["test"]]
    other = build(tmp_path, release, splits="speakers", root=tmp_path / "o", seed=2)
    other.prepare()
    assert [u.id for u in other.read("test")] != [u.id for u in splits["test"]]


def test_one_speaker_is_trained_on_and_there_is_nothing_to_test(tmp_path):
    rows = [("ann", 1, "Go."), ("ann", 2, "Stop.")]
    release = lay_out(tmp_path / "cv-corpus", splits={}, more=rows)
    corpus = build(tmp_path, release, splits="speakers")
    assert "test: no utterances, so there is no such split" in str(corpus.prepare())
    assert corpus.splits == ("train",)
    with pytest.raises(InputError, match="is not prepared; run: speechgru prepare"):
        corpus.read("test")
    with pytest.raises(InputError, match="unknown split 'eval'; common_voice-cy-s"):
        corpus.read("eval")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("ann", 1, "Go."), ("ann", 1, "Go.")], r"validated.tsv:3: .* also in line 2"),
        ([("", 1, "Go.")], "common_voice_cy_1.mp3 has no client_id, expected one"),
    ],
)
def test_lines_that_cannot_be_dealt_out_are_named(tmp_path, rows, message):
    release = lay_out(tmp_path / "cv-corpus", splits={}, more=rows)
    with pytest.raises(InputError, match=message):
        build(tmp_path, release, splits="speakers").prepare()


@pytest.mark.parametrize("path", ["../secret.mp3", "/etc/passwd", ""])
def test_a_clip_outside_of_the_release_is_refused(tmp_path, release, path):
    text = table(NEW, [("ann", 1, "Go.")]).replace(name(1), path)
    (release / "cy/train.tsv").write_text(text)
    with pytest.raises(InputError, match=r"train.tsv:2: path is .* the name of a clip"):
        build(tmp_path, release).prepare()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"language": "../cy"}, "language is '../cy', expected one as Common Voice"),
        ({"language": False}, "language is False, expected .* put it in quotes"),
        ({"splits": "speaker"}, "'speaker', expected .* did you mean speakers?"),
        ({"dev_share": 0.5}, "dev_share is 0.5, expected"),
        ({"seed": 0.5}, "seed is 0.5, expected"),
        ({"on_error": "skp"}, "on_error is 'skp', expected .*; did you mean skip"),
    ],
)
def test_odd_options_are_refused(tmp_path, release, changes, message):
    with pytest.raises(InputError, match=message):
        build(tmp_path, release, **changes)
