from pathlib import Path

import pytest
from data.corpora.packing import pack_tar, write_audio, write_text

from speechgru.data.corpora.speech_commands import SpeechCommands
from speechgru.interfaces import InputError

CLIPS = [
    "bed/00176480_nohash_0.wav",
    "bed/00176480_nohash_1.wav",
    "bed/0a7c2a8d_nohash_0.wav",
    "yes/00176480_nohash_0.wav",
    "yes/1bb574f9_nohash_0.wav",
]


def lay_out(folder: Path) -> Path:
    """Two words of three speakers, one clip short, beside a long noise."""
    for number, name in enumerate(CLIPS):
        write_audio(folder / name, 16000 if number else 11000)
    write_text(folder / "validation_list.txt", "bed/0a7c2a8d_nohash_0.wav\n")
    write_text(folder / "testing_list.txt", "yes/1bb574f9_nohash_0.wav\n")
    write_text(folder / "README.md", "# Speech Commands\n")
    write_audio(folder / "_background_noise_/pink_noise.wav", 160_000)
    write_text(folder / "_background_noise_/README.md", "Noise\n")
    return folder


def build(tmp_path: Path, release: Path) -> SpeechCommands:
    path = tmp_path / "speech_commands_v0.02.tar.gz"
    pack_tar(release, path, ".")
    return SpeechCommands(
        "speech_commands", tmp_path / "root", str(path), [{"file": path.name}]
    )


def test_lists_make_the_splits_and_noise_is_in_none(tmp_path):
    corpus = build(tmp_path, lay_out(tmp_path / "release"))
    report = corpus.prepare()
    assert {s: n.utterances for s, n in report.splits.items()} == {
        "train": 3,
        "dev": 1,
        "test": 1,
    }
    train = corpus.read("train")
    # The same file name in two folders is two utterances.
    assert [u.id for u in train] == [
        "bed/00176480_nohash_0",
        "bed/00176480_nohash_1",
        "yes/00176480_nohash_0",
    ]
    assert [u.text for u in train] == ["bed", "bed", "yes"]
    assert {u.speaker for u in train} == {"00176480"}
    assert [u.duration for u in train] == [11000 / 16000, 1.0, 1.0]
    assert corpus.read("test")[0].speaker == "1bb574f9"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda folder: (folder / "testing_list.txt").unlink(),
            "testing_list.txt: cannot be read",
        ),
        (
            lambda folder: (folder / "yes/1bb574f9_nohash_0.wav").unlink(),
            "yes/1bb574f9_nohash_0.wav: in testing_list.txt, but not in the folder",
        ),
        (
            lambda folder: write_audio(folder / "yes/me.wav"),
            "yes/me.wav: the name is not that of a clip, expected WORD/SPEAKER_nohash",
        ),
    ],
)
def test_another_layout_is_refused(tmp_path, change, message):
    release = lay_out(tmp_path / "release")
    change(release)
    with pytest.raises(InputError, match=message):
        build(tmp_path, release).prepare()
    assert not list((tmp_path / "root").glob("*.jsonl"))
