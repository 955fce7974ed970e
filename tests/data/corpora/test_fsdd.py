import os
import shutil
import tarfile
from collections import Counter
from collections.abc import Callable
from itertools import combinations, groupby
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from speechgru.data.archive import digest_tree
from speechgru.data.corpora.fsdd import FSDD, IsolatedDigits, allot, join_recordings
from speechgru.data.corpora.synth_digits import DIGITS
from speechgru.factory import build_corpus
from speechgru.interfaces import InputError
from speechgru.options import choose

LEARNERS = ["george", "jackson", "lucas", "nicolas"]
SPEAKERS = [*LEARNERS, "theo", "yweweler"]
PARTITIONS = [("official", None), ("unseen", None), ("unseen", "george")]

# One recording per digit and speaker for each official split: 0, 5 and 10.
NAMES = [f"{d}_{s}_{i}" for s in SPEAKERS for d in range(10) for i in (0, 5, 10)]
RATE = 8000  # Hz


def length_of(name: str) -> int:
    """Samples of a recording: 0.10 s of ZERO to 0.19 s of NINE."""
    return 800 + 80 * int(name[0])


def lay_out(folder: Path) -> Path:
    """A dataset in which each recording has a level of its own, in 1/256."""
    random = np.random.default_rng(0)
    (folder / "recordings").mkdir(parents=True)
    for number, name in enumerate(NAMES, start=1):
        noise = random.uniform(-1e-4, 1e-4, length_of(name))
        path = folder / f"recordings/{name}.wav"
        soundfile.write(path, number / 256 + noise, RATE)
    return folder


def listen(path: Path) -> list[tuple[str | None, np.ndarray]]:
    """Tell the recordings in an utterance, and the pauses (None), by level."""
    samples, _ = soundfile.read(path)
    levels = np.rint(256 * samples).astype(int)
    heard, start = [], 0
    for level, run in groupby(levels):
        end = start + len(list(run))
        heard.append((NAMES[level - 1] if level else None, samples[start:end]))
        start = end
    return heard


def recordings_in(corpus: FSDD, split: str) -> set[str]:
    return {
        name
        for utterance in corpus.read(split)
        for name, _ in listen(utterance.audio_path)
        if name is not None
    }


def pack(folder: Path, path: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, arcname="free-spoken-digit-dataset-26eb9aa")
    return path


@pytest.fixture(scope="module")
def release(tmp_path_factory) -> Path:
    return lay_out(tmp_path_factory.mktemp("fsdd") / "release")


@pytest.fixture(scope="module")
def archive(release) -> Path:
    return pack(release, release.parent / "fsdd.tar.gz")


def describe(sha256: str | None) -> list[dict[str, str | None]]:
    url = "https://fsdd.invalid/fsdd.tar.gz"
    return [{"file": "fsdd.tar.gz", "url": url, "sha256": sha256}]


def build(root: Path, archive: Path, **changes) -> FSDD:
    options = {
        "name": "fsdd",
        "root": root,
        "archive": str(archive),
        "archives": describe(None),
        "partition": "official",
        "dev_speaker": None,
        "utterances": {"recordings": 180, "train": 24, "dev": 12, "test": 12},
        "hours": {"recordings": 180 * 0.145 / 3600},
        "num_digits": [3, 7],
        "pauses": [0.05, 0.25],
        "sample_rate": RATE,
        "seed": 1,
    }
    return FSDD(**{**options, **changes})


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("data") / "fsdd"


@pytest.fixture(scope="module")
def corpora(root, archive) -> dict[tuple[str, str | None], FSDD]:
    """All three below one root, prepared one after the other."""
    made = {}
    for partition, dev_speaker in PARTITIONS:
        corpus = build(root, archive, partition=partition, dev_speaker=dev_speaker)
        corpus.prepare()
        made[partition, dev_speaker] = corpus
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_an_utterance_is_its_transcript_in_recordings_of_its_speaker(corpora):
    for corpus in corpora.values():
        for split, number in corpus.utterances.items():
            utterances = corpus.read(split)
            assert len(utterances) == number
            for utterance in utterances:
                heard = listen(utterance.audio_path)
                names = [name for name, _ in heard[::2]]
                words = [DIGITS[int(name[0])] for name in names]
                assert " ".join(words) == utterance.text
                assert 3 <= len(words) <= 7
                assert {name.split("_")[1] for name in names} == {utterance.speaker}


def test_recordings_are_whole_and_pauses_within_their_range(corpora):
    pauses = []
    for utterance in corpora["official", None].read("train"):
        heard = listen(utterance.audio_path)
        for name, samples in heard[::2]:
            assert len(samples) == length_of(name)
        assert [name for name, _ in heard[1::2]] == [None] * (len(heard) // 2)
        pauses += [len(samples) for _, samples in heard[1::2]]
        assert utterance.duration * RATE == sum(len(samples) for _, samples in heard)
    # Of a hundred uniform draws from 0.05 to 0.25 s some come near both ends.
    assert 400 <= min(pauses) < 500
    assert 1900 < max(pauses) <= 2000


def test_pauses_of_one_length_add_up(tmp_path, archive):
    corpus = build(tmp_path, archive, num_digits=[4, 4], pauses=[0.1, 0.1])
    corpus.prepare()
    for utterance in corpus.read("dev"):
        digits = [DIGITS.index(word) for word in utterance.text.split()]
        # Four digits of 0.1 s + 0.01 s each, and three pauses.
        expected = 4 * 0.1 + 0.01 * sum(digits) + 3 * 0.1
        assert utterance.duration == pytest.approx(expected)


def test_official_splits_are_cut_by_index(corpora):
    corpus = corpora["official", None]
    for split, index in {"train": "10", "dev": "5", "test": "0"}.items():
        found = {name.split("_")[2] for name in recordings_in(corpus, split)}
        assert found == {index}
        speakers = [utterance.speaker for utterance in corpus.read(split)]
        assert speakers == SPEAKERS * (len(speakers) // 6)


def test_each_partition_is_called_by_a_name_of_its_own(corpora):
    assert [corpora[which].variant for which in PARTITIONS] == [
        "fsdd-official-8kHz",
        "fsdd-unseen-8kHz",
        "fsdd-unseen-dev-george-8kHz",
    ]


def test_the_names_leave_out_what_is_usual(tmp_path, archive):
    assert build(tmp_path, archive, sample_rate=16000).variant == "fsdd"
    usual = build(tmp_path, archive, sample_rate=16000, partition="unseen")
    assert usual.variant == "fsdd-unseen"


def test_unseen_tests_on_speakers_that_train_and_dev_lack(corpora):
    corpus = corpora["unseen", None]
    assert [u.speaker for u in corpus.read("train")] == LEARNERS * 6
    assert [u.speaker for u in corpus.read("dev")] == LEARNERS * 3
    assert [u.speaker for u in corpus.read("test")] == ["theo", "yweweler"] * 6
    indices = {
        split: {name.split("_")[2] for name in recordings_in(corpus, split)}
        for split in corpus.splits
    }
    assert indices == {"train": {"5", "10"}, "dev": {"0"}, "test": {"0", "5", "10"}}


def test_a_dev_speaker_is_all_of_dev_and_not_in_train(corpora):
    corpus = corpora["unseen", "george"]
    assert {u.speaker for u in corpus.read("dev")} == {"george"}
    assert {u.speaker for u in corpus.read("train")} == {"jackson", "lucas", "nicolas"}
    dev, train = recordings_in(corpus, "dev"), recordings_in(corpus, "train")
    assert {name.split("_")[2] for name in dev} == {"0", "5", "10"}
    assert {name.split("_")[2] for name in train} == {"5", "10"}


@pytest.mark.parametrize(
    ("partition", "dev_speaker"),
    [*PARTITIONS, *(("unseen", speaker) for speaker in LEARNERS[1:])],
)
def test_no_recording_is_in_two_splits(partition, dev_speaker):
    used = {
        split: {(s, index) for s, indices in part.items() for index in indices}
        for split, part in allot(partition, dev_speaker).items()
    }
    for one, other in combinations(("train", "dev", "test"), 2):
        assert not used[one] & used[other]
    assert not {index for _, index in used["train"]} & set(range(5))


def test_sizes_of_the_splits_in_recordings_per_digit():
    def count(*choice):
        return {
            split: sum(map(len, part.values()))
            for split, part in allot(*choice).items()
        }

    assert count("official", None) == {"train": 6 * 40, "dev": 6 * 5, "test": 6 * 5}
    assert count("unseen", None) == {"train": 4 * 45, "dev": 4 * 5, "test": 2 * 50}
    assert count("unseen", "lucas") == {"train": 3 * 45, "dev": 50, "test": 2 * 50}


def test_made_twice_every_sample_is_the_same(corpora, tmp_path, archive):
    again = build(tmp_path, archive)
    again.prepare()
    assert contents(again.root) == contents(corpora["official", None].root)


def test_the_dev_speaker_leaves_the_test_split_as_it_is(corpora):
    whole, without_george = (corpora["unseen", s].root for s in (None, "george"))
    assert contents(whole / "wav/test") == contents(without_george / "wav/test")


def test_make_up_depends_on_the_index_not_on_how_many_there_are(
    corpora, tmp_path, archive
):
    sizes = {"recordings": 180, "train": 2, "dev": 5, "test": 1}
    fewer = build(tmp_path, archive, utterances=sizes)
    fewer.prepare()
    all_audio = contents(corpora["official", None].root / "wav")
    some_audio = contents(fewer.root / "wav")
    assert len(some_audio) == 8
    assert some_audio.items() <= all_audio.items()


def test_splits_and_partitions_differ_in_their_digits(corpora):
    texts = {
        (partition, split): tuple(u.text for u in corpus.read(split))[:12]
        for (partition, dev_speaker), corpus in corpora.items()
        if dev_speaker is None
        for split in corpus.splits
    }
    assert len(set(texts.values())) == 6


def test_joining_keeps_the_recordings_and_adds_the_pauses():
    first, second, third = (torch.randn(length) for length in (800, 400, 600))
    joined = join_recordings([first, second, third], [100, 200], seed=1)
    assert len(joined) == 800 + 100 + 400 + 200 + 600
    assert joined[:800].equal(first)
    assert joined[900:1300].equal(second)
    assert joined[1500:].equal(third)


def test_pauses_are_as_loud_as_the_quietest_frame_without_its_offset():
    sign = torch.tensor([1.0, -1.0]).repeat(400)
    loud = 0.1 * sign
    quiet = 0.3 + torch.cat([0.02 * sign[:400], 0.001 * sign[400:]])
    pause = join_recordings([loud, quiet], [20000], seed=1)[800:-800]
    assert pause.std().item() == pytest.approx(0.001, rel=0.03)
    assert abs(pause.mean().item()) < 1e-4


def test_noise_depends_on_the_seed_alone():
    recordings = [torch.randn(500), torch.randn(500)]
    one, same, other = (join_recordings(recordings, [99], seed=s) for s in (1, 1, 2))
    assert one.equal(same)
    assert not one.equal(other)


def test_a_single_digit_has_no_pause():
    recording = torch.randn(100)  # shorter than a frame
    assert join_recordings([recording], [], seed=1).equal(recording)


def test_audio_is_resampled_and_its_duration_kept(corpora, tmp_path, archive):
    corpus = build(tmp_path, archive, sample_rate=16000)
    corpus.prepare()
    for utterance, original in zip(
        corpus.read("dev"), corpora["official", None].read("dev"), strict=True
    ):
        info = soundfile.info(utterance.audio_path)
        assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
        assert utterance.duration == original.duration == info.frames / 16000


def test_preparing_again_keeps_the_audio_and_needs_no_archive(tmp_path, release):
    archive = pack(release, tmp_path / "fsdd.tar.gz")
    corpus = build(tmp_path / "fsdd", archive)
    first = corpus.prepare()
    path = corpus.read("test")[0].audio_path
    before = path.stat().st_mtime_ns
    archive.unlink()
    shutil.rmtree(tmp_path / "fsdd/files")
    assert corpus.prepare() == first
    assert path.stat().st_mtime_ns == before


def test_partitions_and_rates_lie_side_by_side_on_one_unpacked_archive(
    tmp_path, release
):
    archive = pack(release, tmp_path / "fsdd.tar.gz")
    official = build(tmp_path / "fsdd", archive)
    official.prepare()
    before = contents(official.root)
    archive.unlink()  # unpacked once, for all
    unpacked = (tmp_path / "fsdd/files").stat().st_ino
    build(tmp_path / "fsdd", archive, partition="unseen").prepare()
    left_out = build(
        tmp_path / "fsdd", archive, partition="unseen", dev_speaker="lucas"
    )
    left_out.prepare()
    fast = build(tmp_path / "fsdd", archive, partition="unseen", sample_rate=16000)
    fast.prepare()
    assert soundfile.info(fast.read("test")[0].audio_path).samplerate == 16000
    assert (tmp_path / "fsdd/files").stat().st_ino == unpacked
    assert contents(official.root) == before
    assert sorted(path.name for path in (tmp_path / "fsdd").iterdir()) == [
        "files",
        "official-8kHz",
        "recordings.jsonl",
        "unseen",
        "unseen-8kHz",
        "unseen-dev-lucas-8kHz",
    ]


@pytest.mark.parametrize(
    "change",
    [{"seed": 2}, {"pauses": [0.05, 0.2]}, {"num_digits": [3, 6]}],
)
def test_other_settings_make_it_anew(tmp_path, archive, change):
    old = build(tmp_path, archive)
    old.prepare()
    before = contents(old.root / "wav")
    new = build(tmp_path, archive, **change)
    with pytest.raises(InputError, match=r"settings.json: .*, expected .*; to make"):
        new.read("train")
    new.prepare()
    after = contents(new.root / "wav")
    assert after.keys() == before.keys()
    assert after != before
    assert len(new.read("train")) == 24


def test_a_deleted_or_emptied_file_makes_it_anew(tmp_path, archive):
    corpus = build(tmp_path, archive)
    corpus.prepare()
    before = contents(corpus.root)
    corpus.read("dev")[0].audio_path.unlink()
    corpus.read("test")[0].audio_path.write_bytes(b"")
    corpus.prepare()
    assert contents(corpus.root) == before


def interrupt(monkeypatch, owner: object, name: str, num_calls: int) -> None:
    """Let a function be interrupted, as by Ctrl-C, after some calls."""
    function = getattr(owner, name)
    left = iter(range(num_calls))

    def call(*args, **kwargs):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return function(*args, **kwargs)

    monkeypatch.setattr(owner, name, call)


def test_what_is_half_made_is_not_prepared(tmp_path, archive, monkeypatch):
    corpus = build(tmp_path, archive)
    with monkeypatch.context() as patch:
        interrupt(patch, soundfile, "write", num_calls=40)
        with pytest.raises(KeyboardInterrupt):
            corpus.prepare()
    assert not corpus.root.exists()
    with pytest.raises(InputError, match="not prepared"):
        corpus.read("train")
    corpus.prepare()
    assert len(contents(corpus.root / "wav")) == 48


def test_an_interrupted_remake_leaves_the_old_one_whole(tmp_path, archive, monkeypatch):
    old = build(tmp_path, archive)
    old.prepare()
    before = contents(old.root)
    with monkeypatch.context() as patch:
        interrupt(patch, soundfile, "write", num_calls=40)
        with pytest.raises(KeyboardInterrupt):
            build(tmp_path, archive, seed=2).prepare()
    assert contents(old.root) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "files",
        "official-8kHz",
        "recordings.jsonl",
    ]


def test_interrupted_between_old_and_new_nothing_is_prepared(
    tmp_path, archive, monkeypatch
):
    build(tmp_path, archive).prepare()
    new = build(tmp_path, archive, seed=2)
    with monkeypatch.context() as patch:
        interrupt(patch, Path, "rename", num_calls=1)
        with pytest.raises(KeyboardInterrupt):
            new.prepare()
    with pytest.raises(InputError, match="not prepared"):
        new.read("train")
    assert new.prepare().splits["train"].utterances == 24


def test_a_folder_that_cannot_be_written_is_named(tmp_path, archive):
    (tmp_path / "data").write_text("")
    with pytest.raises(InputError, match=r"cannot be written .*; set data_dir"):
        build(tmp_path / "data", archive).prepare()


@pytest.mark.parametrize(
    ("changes", "command"),
    [
        ({"sample_rate": 16000}, "corpus=fsdd corpus.partition=official"),
        (
            {"partition": "unseen", "dev_speaker": "nicolas", "sample_rate": 16000},
            "corpus=fsdd corpus.partition=unseen corpus.dev_speaker=nicolas",
        ),
        (
            {"partition": "unseen"},
            "corpus=fsdd corpus.partition=unseen corpus.sample_rate=8000",
        ),
    ],
)
def test_an_unprepared_split_is_refused_with_the_command(
    tmp_path, archive, changes, command
):
    corpus = build(tmp_path, archive, **changes)
    with pytest.raises(InputError, match=f"run: speechgru prepare {command}$"):
        corpus.read("train")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"partition": "random"}, "unknown partition 'random', expected official or"),
        (
            {"dev_speaker": "george"},
            "dev_speaker is 'george', expected null with partition official",
        ),
        (
            {"partition": "unseen", "dev_speaker": "theo"},
            "dev_speaker is 'theo', expected null or one of george, jackson",
        ),
        ({"num_digits": [7, 3]}, r"num_digits is \[7, 3\], expected two numbers"),
        ({"num_digits": [0, 3]}, "each a whole number from 1"),
        ({"pauses": [-0.1, 0.2]}, r"pauses is \[-0.1, 0.2\], expected two numbers"),
        ({"pauses": [0.1]}, r"pauses is \[0.1\], expected two"),
    ],
)
def test_impossible_options_are_refused(tmp_path, archive, changes, message):
    with pytest.raises(InputError, match=message):
        build(tmp_path, archive, **changes)


def rename(new: str) -> Callable[[Path], object]:
    return lambda recordings: (recordings / "0_george_0.wav").rename(
        recordings / f"{new}.wav"
    )


def remove_theo(recordings: Path) -> None:
    for path in recordings.glob("*_theo_*.wav"):
        path.unlink()


def record_at_16_khz(recordings: Path) -> None:
    samples, _ = soundfile.read(recordings / "3_lucas_10.wav")
    soundfile.write(recordings / "3_lucas_10.wav", np.repeat(samples, 2), 16000)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (rename("zero_george_0"), "zero_george_0.wav: the name is not of a known"),
        (rename("0_anna_0"), "0_anna_0.wav: .*, of george, .*, yweweler, 0 to 49;"),
        (rename("0_george_50"), "0_george_50.wav: the name is not of a known"),
        (remove_theo, "train: no recording of ZERO by theo, expected 0_theo_10.wav"),
        (record_at_16_khz, "3_lucas_10.wav: sample_rate is 16000 Hz, expected 8000"),
    ],
)
def test_recordings_are_known_complete_and_at_8_khz(tmp_path, release, change, message):
    altered = Path(shutil.copytree(release, tmp_path / "altered"))
    change(altered / "recordings")
    paths = list(altered.glob("recordings/*.wav"))
    seconds = sum(soundfile.info(path).duration for path in paths)
    corpus = build(
        tmp_path / "fsdd",
        pack(altered, tmp_path / "altered.tar.gz"),
        utterances={"recordings": len(paths), "train": 6, "dev": 6, "test": 6},
        hours={"recordings": seconds / 3600},
    )
    with pytest.raises(InputError, match=message):
        corpus.prepare()
    assert not corpus.root.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"utterances": {"recordings": 181, "train": 1, "dev": 1, "test": 1}},
            "fsdd recordings: 180 utterances, expected 181; .*utterances.recordings",
        ),
        (
            {"hours": {"recordings": 1.0}},
            "fsdd recordings: 0.0073 h, expected 1.0; .*corpus.hours.recordings",
        ),
        ({"archives": describe("0" * 64)}, r"sha256 of the files is .*, expected 0000"),
    ],
)
def test_another_source_than_expected_is_refused(tmp_path, archive, changes, message):
    corpus = build(tmp_path, archive, **changes)
    with pytest.raises(InputError, match=message):
        corpus.prepare()
    assert not corpus.root.exists()


def test_the_digest_of_the_recordings_is_checked(tmp_path, archive, release):
    sha256 = digest_tree(release, IsolatedDigits.patterns)
    corpus = build(tmp_path, archive, archives=describe(sha256))
    assert corpus.prepare().splits["train"].utterances == len(corpus.read("train")) > 0


def test_the_real_dataset_is_as_the_configuration_says(tmp_path):
    corpus = choose("corpus", "fsdd", data_dir=tmp_path)
    folder = os.environ.get("SPEECHGRU_ARCHIVES")
    if (
        not folder
        or not (Path(folder) / corpus.options["archives"][0]["file"]).is_file()
    ):
        pytest.skip("the archive of fsdd is not in the folder SPEECHGRU_ARCHIVES")
    recordings = build_corpus(corpus).recordings
    size = recordings.prepare().splits["recordings"]
    assert size.utterances == 3000
    assert size.hours == pytest.approx(0.36453, abs=1e-5)
    utterances = recordings.read("recordings")
    assert Counter(u.speaker for u in utterances) == dict.fromkeys(SPEAKERS, 500)
    assert Counter(u.text for u in utterances) == dict.fromkeys(DIGITS, 300)
