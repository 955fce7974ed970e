import json
from pathlib import Path

import pytest
import soundfile
import torch
from data.corpora.packing import pack_tar, write_audio, write_text

from speechgru.audio import read_audio
from speechgru.data.corpora.tedlium import TEDLIUM, clean_text
from speechgru.interfaces import InputError

RATE = 16000
TRAIN = """\
Ann_2009P 1 Ann_2009P 0.50 1.25 <o> the(2) talk <sil> it 's {NOISE} on (Ann_2009P-1)
Ann_2009P 1 Ann_2009P 1.30 2.00 <o,f0,female> <unk> you 're right (Ann_2009P-2)
Ann_2009P 1 inter_segment_gap 2.00 2.50 <o,,> ignore_time_segment_in_scoring
Ann_2009P 1 Ann_2009P 2.50 2.95 <o,f0,female> <sil> {NOISE} (Ann_2009P-3)
"""
DEV = """\
;; a comment
Bob_2010 1 Bob 0.33 1.01 <F0_M> good <unk> morning
Bob_2010 1 Bob 0.00 0.33 <F0_M> ignore_time_segment_in_scoring
"""
TEST = "Cem_2011 1 Cem 0.10 0.90 <F0_M> and 'cause of that\n"


def lay_out(folder: Path, train: str = TRAIN) -> Path:
    for split, talk, text in (
        ("train", "Ann_2009P", train),
        ("dev", "Bob_2010", DEV),
        ("test", "Cem_2011", TEST),
    ):
        write_text(folder / f"legacy/{split}/stm/{talk}.stm", text)
        path = folder / f"legacy/{split}/sph/{talk}.sph"
        write_audio(path, 3 * RATE, RATE, format="NIST", subtype="PCM_16")
    write_text(folder / "README", "TED-LIUM 3\n")
    return folder


def build(tmp_path: Path, train: str = TRAIN, **changes) -> TEDLIUM:
    path = tmp_path / "TEDLIUM_release-3.tgz"
    if not path.exists():
        release = lay_out(tmp_path / "release", train)
        pack_tar(release, path, "TEDLIUM_release-3")
    options = {
        "name": "tedlium",
        "root": tmp_path / "root",
        "archive": str(path),
        "archives": [{"file": path.name}],
        "unknown": "remove",
        "padding": [0, 0],
    }
    return TEDLIUM(**{**options, **changes})


def lay_out_whole(folder: Path) -> Path:
    """As released: the training talks lie in data/, legacy/train has links to them."""
    lay_out(folder)
    for kind in ("sph", "stm"):
        for split in ("train", "dev", "test"):
            for path in (folder / f"legacy/{split}/{kind}").iterdir():
                home = folder / "data" / kind / path.name
                home.parent.mkdir(parents=True, exist_ok=True)
                path.rename(home)
                path.symlink_to(Path("../../..") / home.relative_to(folder))
    for split, talk in (
        ("train", "Cem_2011"),
        ("dev", "Ann_2009P"),
        ("test", "Bob_2010"),
    ):
        write_text(folder / f"speaker-adaptation/{split}.lst", f"{talk}\n\n")
    return folder


def build_whole(tmp_path: Path, **changes) -> TEDLIUM:
    path = tmp_path / "TEDLIUM_release-3.tgz"
    if not path.exists():
        release = lay_out_whole(tmp_path / "release")
        pack_tar(release, path, "TEDLIUM_release-3")
    return build(tmp_path, **changes)


def test_both_distributions_of_a_release_are_read(tmp_path):
    legacy = build_whole(tmp_path, utterances={"train": 2, "dev": 1, "test": 1})
    legacy.prepare()
    other = build_whole(
        tmp_path,
        distribution="speaker_adaptation",
        padding=[0.15, 0.1],
        utterances={"dev": 507},
    )
    with pytest.raises(InputError, match=r"corpus\.distribution=speaker_adapt"):
        other.read("dev")
    other.prepare()
    talks = {
        corpus.variant: {
            split: {u.audio_path.stem for u in corpus.read(split)}
            for split in corpus.splits
        }
        for corpus in (legacy, other)
    }
    ann, bob, cem = {"Ann_2009P"}, {"Bob_2010"}, {"Cem_2011"}
    assert talks == {
        "tedlium": {"train": ann, "dev": bob, "test": cem},
        "tedlium-adaptation": {"train": cem, "dev": ann, "test": bob},
    }
    # Of 0.10 to 0.90 s, since it is one to train on now; the others stay as they are.
    (utterance,) = other.read("train")
    assert (utterance.offset, utterance.duration) == (0.0, pytest.approx(1.0))
    assert [u.offset for u in other.read("dev")] == [0.5, 1.3]
    found, _ = read_audio(utterance.audio_path, utterance.offset, utterance.duration)
    assert found.numel() == RATE


def test_folders_in_place_of_the_lists_are_read(tmp_path):
    release = lay_out(tmp_path / "release")
    (release / "legacy").rename(release / "speaker-adaptation")
    pack_tar(release, tmp_path / "TEDLIUM_release-3.tgz", "TEDLIUM_release-3")
    corpus = build(tmp_path, distribution="speaker_adaptation")
    corpus.prepare()
    assert [u.text for u in corpus.read("dev")] == ["good morning"]


def test_a_list_that_leads_elsewhere_is_refused(tmp_path):
    corpus = build_whole(tmp_path, distribution="speaker_adaptation")
    listed = tmp_path / "root/files/speaker-adaptation/dev.lst"
    build_whole(tmp_path).prepare()
    for name, message in (
        ("../../x", r"dev.lst: '../../x' is no name of a talk, expected one such"),
        ("Dan_2000", r"Dan_2000.stm: cannot be read"),
        ("", r"stm: no line of an .stm file, expected the talks of dev"),
    ):
        write_text(listed, f"{name}\n")
        with pytest.raises(InputError, match=message):
            corpus.prepare()
    listed.unlink()
    with pytest.raises(InputError, match=r"dev.lst: cannot be read .*names of talks"):
        corpus.prepare()


def test_an_utterance_is_exactly_the_samples_of_its_stretch(tmp_path):
    corpus = build(tmp_path)
    corpus.prepare()
    (utterance,) = corpus.read("dev")
    found, rate = read_audio(utterance.audio_path, utterance.offset, utterance.duration)
    whole, _ = soundfile.read(utterance.audio_path, dtype="float32")
    # 0.33 s to 1.01 s; 1.01 - 0.33 is 0.6799999999999999 in floating point.
    expected = torch.from_numpy(whole[5280:16160])
    assert rate == RATE
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert utterance.audio_path.read_bytes().startswith(b"NIST_1A")


def test_texts_are_cleaned_and_gaps_left_out_and_named(tmp_path, caplog):
    corpus = build(tmp_path)
    report = corpus.prepare()
    train = corpus.read("train")
    assert [u.text for u in train] == ["the talk it's on", "you're right"]
    assert [u.id for u in train] == [
        "Ann_2009P-0000050-0000125",
        "Ann_2009P-0000130-0000200",
    ]
    assert {u.speaker for u in train} == {"Ann_2009P"}
    assert [u.text for u in corpus.read("dev")] == ["good morning"]
    assert set(caplog.messages) == {
        "tedlium train: 1 utterances have lost a <unk>; see corpus.unknown",
        "tedlium dev: 1 utterances have lost a <unk>; see corpus.unknown",
    }
    lines = (tmp_path / "root/left-out.jsonl").read_text().splitlines()
    assert [tuple(json.loads(line).values()) for line in lines] == [
        ("train", "Ann_2009P 2.0-2.5 s", "nobody transcribed it"),
        ("train", "Ann_2009P 2.5-2.95 s", "it has no word"),
        ("dev", "Bob_2010 0.0-0.33 s", "nobody transcribed it"),
    ]
    assert "left-out.jsonl: 3 recordings, e.g. Ann_2009P 2.0-2.5 s" in report.notes[0]


@pytest.mark.parametrize(
    ("unknown", "texts"),
    [
        ("keep", ["the talk it's on", "<unk> you're right"]),
        ("leave_out", ["the talk it's on"]),
    ],
)
def test_a_word_that_the_aligner_did_not_know_is_a_choice(tmp_path, unknown, texts):
    corpus = build(tmp_path, unknown=unknown, root=tmp_path / unknown)
    corpus.prepare()
    assert [u.text for u in corpus.read("train")] == texts


def test_training_stretches_are_extended_but_not_into_their_neighbours(tmp_path):
    corpus = build(tmp_path, padding=[0.15, 0.1])
    corpus.prepare()
    first, second = corpus.read("train")
    # From 0.50 s back by 0.15; behind 1.25 s there are 0.05 s up to the next.
    assert first.offset == pytest.approx(0.35)
    assert first.offset + first.duration == pytest.approx(1.30)
    # What nobody transcribed may hold words, too: it is a neighbour.
    assert second.offset == pytest.approx(1.25)
    assert second.offset + second.duration == pytest.approx(2.00)
    (dev,) = corpus.read("dev")
    assert (dev.offset, dev.duration) == (0.33, 0.68)


def test_extension_ends_with_the_talk(tmp_path):
    train = "Ann_2009P 1 Ann 0.05 2.95 <o,f0,female> all of it\n"
    corpus = build(tmp_path, train, padding=[0.15, 0.1])
    corpus.prepare()
    (utterance,) = corpus.read("train")
    assert (utterance.offset, utterance.duration) == (0.0, 3.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don 't we 'll I 'd I 'M they 've", "don't we'll I'd I'M they've"),
        ("rock 'n roll 'cause 'em", "rock 'n roll 'cause 'em"),
        ("(2) the(12) end(Name-12)", "the end"),
        ("a (b-c) d", "a (b-c) d"),
        ("[NOISE] {COUGH} well <sil>", "well"),
        ("it 's", "it's"),
    ],
)
def test_marks_go_and_suffixes_come_back(text, expected):
    assert clean_text(text) == expected


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ("Ann_2009P 1 Ann 1.0 <o> words\n", r"Ann_2009P.stm:1: .*\(too few columns\)"),
        ("Ann_2009P 1 Ann 2.0 1.0 <o> a\n", r"stm:1: .*\(it ends at 1.0 s\)"),
        ("Ann_2009P 1 Ann 1.0.0 2.0 <o> a\n", r"stm:1: .*could not convert"),
        (
            "Ann_2009P 1 Ann 3.5 4.0 <o> a\n",
            "3.00 s, but a stretch of it lies from 3.5",
        ),
        ("Dan_2000 1 Dan 1.0 2.0 <o> a\n", "Dan_2000.sph: cannot be opened"),
        ("../../x 1 Ann 1.0 2.0 <o> a\n", "no line of an STM file"),
        (";; nothing\n", "no line of an .stm file, expected the talks of train"),
    ],
)
def test_lines_that_cannot_be_are_refused(tmp_path, train, message):
    with pytest.raises(InputError, match=message):
        build(tmp_path, train).prepare()
    assert not list((tmp_path / "root").glob("*.jsonl"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"distribution": "new"},
            "corpus.distribution is 'new', expected one of: legacy, speaker_adapt",
        ),
        (
            {"unknown": "drop"},
            "corpus.unknown is 'drop', expected one of: remove, keep",
        ),
        ({"padding": [0.1]}, r"corpus.padding is \[0.1\], expected s before and"),
        ({"padding": [0.1, 2]}, "corpus.padding is 2, expected a number from 0 to 1"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        build(tmp_path, **changes)
