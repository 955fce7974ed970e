import json
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from speechgru.audio import read_audio
from speechgru.data.manifest import read_manifest
from speechgru.data.shards import tar
from speechgru.data.shards.contents import read_contents
from speechgru.data.shards.encoding import Encoding
from speechgru.data.shards.keys import from_key, to_key
from speechgru.data.shards.writer import UNFINISHED, write_shards
from speechgru.interfaces import InputError, Utterance

RATE = 16000
SMALL = 0.1
"""MB of a shard: those of `corpus` make several."""


def write_sound(path, num_samples, seed, channels=1):
    numbers = np.random.default_rng(seed)
    shape = (num_samples, channels) if channels > 1 else num_samples
    soundfile.write(path, numbers.normal(0, 3000, shape).astype(np.int16), RATE)
    return path


@pytest.fixture
def corpus(tmp_path):
    return [
        Utterance(
            f"ann/{number}.x",
            write_sound(tmp_path / f"{number}.wav", 4000 + 500 * number, number),
            (4000 + 500 * number) / RATE,
            f"TEXT {number}",
            "ann" if number % 2 else None,
        )
        for number in range(20)
    ]


def contents_of(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_was_written_is_read_again_sample_by_sample(corpus, tmp_path):
    report = write_shards(tmp_path / "out", {"train": corpus}, Encoding(), SMALL)
    stored = {u.id: u for u in read_manifest(tmp_path / "out/train.jsonl")}
    assert len(report.contents.splits["train"].shards) > 2
    assert len(stored) == len(corpus)
    for utterance in corpus:
        again = stored[utterance.id]
        assert (again.text, again.speaker) == (utterance.text, utterance.speaker)
        assert again.duration == utterance.duration
        assert torch.equal(read_audio(again.audio)[0], read_audio(utterance.audio)[0])


def test_a_shard_is_a_plain_tar_of_sound_and_description(corpus, tmp_path):
    write_shards(tmp_path / "out", {"dev": corpus[:3]}, Encoding("wav"), shuffled=False)
    with tarfile.open(tmp_path / "out/dev/000000.tar", "r:") as opened:
        names = opened.getnames()
        description = json.load(opened.extractfile(names[3]))
    assert names[:3] == ["ann%2F0%2Ex.wav", "ann%2F0%2Ex.json", "ann%2F1%2Ex.wav"]
    assert description == {
        "id": "ann/1.x",
        "text": "TEXT 1",
        "duration": 4500 / RATE,
        "sample_rate": RATE,
        "speaker": "ann",
    }


def test_all_is_the_same_bytes_each_time_for_any_number_of_processes(corpus, tmp_path):
    splits = {"train": corpus, "dev": corpus[:2]}
    for format in ("flac", "opus"):
        write_shards(tmp_path / f"{format}1", splits, Encoding(format), 0.02)
        write_shards(
            tmp_path / f"{format}2", splits, Encoding(format), 0.02, num_processes=2
        )
        first, second = (contents_of(tmp_path / f"{format}{n}") for n in (1, 2))
        assert first == second
        assert len(first) > 4


def test_a_killed_writer_goes_on_where_it_was(corpus, tmp_path, monkeypatch):
    folder, splits = tmp_path / "out", {"train": corpus}
    write_shards(tmp_path / "whole", splits, Encoding(), SMALL, num_processes=1)
    real, written = tar.DigestedFile.end, []

    def end_or_die(self):
        written.append(self.size)
        if len(written) == 2:
            raise KeyboardInterrupt
        return real(self)

    monkeypatch.setattr(tar.DigestedFile, "end", end_or_die)
    with pytest.raises(KeyboardInterrupt):
        write_shards(folder, splits, Encoding(), SMALL, num_processes=1)
    assert [path.name for path in (folder / "train").iterdir()] == ["000000.tar"]
    assert not (folder / "shards.json").exists()
    write_shards(folder, splits, Encoding(), SMALL, num_processes=1)
    assert contents_of(folder) == contents_of(tmp_path / "whole")
    # The second shard was begun twice, no other.
    num_shards = len([*(folder / "train").iterdir()])
    assert len(written) == num_shards + 1


def test_what_was_begun_otherwise_is_written_anew(corpus, tmp_path, monkeypatch):
    folder = tmp_path / "out"
    changed = [replace(corpus[0], text="OTHER"), *corpus[1:]]

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("speechgru.data.shards.writer._finish", die)
        with pytest.raises(KeyboardInterrupt):
            write_shards(folder, {"train": corpus}, Encoding(), SMALL)
    assert (folder / UNFINISHED).exists()
    write_shards(folder, {"train": changed}, Encoding(), SMALL)
    write_shards(tmp_path / "other", {"train": changed}, Encoding(), SMALL)
    assert contents_of(folder) == contents_of(tmp_path / "other")


def test_once_done_it_says_so_again_and_writes_over_nothing(corpus, tmp_path):
    folder = tmp_path / "out"
    first = write_shards(folder, {"train": corpus}, Encoding())
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert write_shards(folder, {"train": corpus}, Encoding()) == first
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    with pytest.raises(InputError, match="holds other shards already"):
        write_shards(folder, {"train": corpus}, Encoding("wav"))


def test_a_folder_of_others_is_left_alone(corpus, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/train.jsonl").write_text("precious")
    with pytest.raises(InputError, match="holds other files"):
        write_shards(tmp_path / "mine", {"train": corpus}, Encoding())
    assert contents_of(tmp_path / "mine") == {Path("train.jsonl"): b"precious"}


def test_two_writers_do_not_meet_in_a_folder(corpus, tmp_path):
    (tmp_path / "out" / UNFINISHED).mkdir(parents=True)
    code = (
        "import fcntl, sys; file = open(sys.argv[1], 'wb'); "
        "fcntl.lockf(file, fcntl.LOCK_EX); print('locked', flush=True); input()"
    )
    command = [sys.executable, "-c", code, tmp_path / "out" / UNFINISHED / "lock"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(InputError, match="another process writes shards there"):
            write_shards(tmp_path / "out", {"train": corpus}, Encoding())
        other.communicate(b"\n")


def test_parts_of_a_recording_are_cut_out(tmp_path):
    path = write_sound(tmp_path / "talk.wav", 5 * RATE, 1)
    parts = [
        Utterance(f"talk-{n}", path, 1.5, "A", offset=1.5 * n, partial=True)
        for n in range(3)
    ]
    write_shards(tmp_path / "out", {"train": parts}, Encoding("wav"))
    whole, _ = read_audio(path)
    for utterance in read_manifest(tmp_path / "out/train.jsonl"):
        start = int(utterance.id[-1]) * 24000
        assert not utterance.partial
        assert torch.equal(read_audio(utterance.audio)[0], whole[start : start + 24000])


def test_what_cannot_be_read_is_named_or_skipped_and_listed(corpus, tmp_path):
    corpus[7].audio_path.write_bytes(b"")
    splits = {"train": corpus}
    with pytest.raises(InputError, match=r"7\.wav: 0 bytes"):
        write_shards(tmp_path / "out", splits, Encoding(), SMALL)
    report = write_shards(tmp_path / "out", splits, Encoding(), SMALL, skip=True)
    assert "1 utterances skipped; see" in str(report)
    listed = json.loads((tmp_path / "out/skipped.jsonl").read_text())
    assert (listed["id"], listed["kind"]) == ("ann/7.x", "empty-file")
    assert len(read_manifest(tmp_path / "out/train.jsonl")) == 19


def test_shuffled_shards_are_samples_of_the_whole(tmp_path):
    path = write_sound(tmp_path / "a.wav", 1600, 1)
    corpus = [Utterance(f"{n:03}", path, 0.1, "A") for n in range(400)]
    for shuffled in (True, False):
        folder = tmp_path / str(shuffled)
        write_shards(folder, {"train": corpus}, Encoding(), 0.2, shuffled)
        numbers = [int(u.id) for u in read_manifest(folder / "train.jsonl")]
        assert sorted(numbers) == list(range(400))
        first = numbers[:100]
        assert (first == list(range(100))) is not shuffled
        # A quarter of all would have a mean of 199.5 +- 10.
        assert bool(abs(np.mean(first) - 199.5) < 40) is shuffled


def test_losses_are_said(tmp_path):
    stereo = write_sound(tmp_path / "a.wav", 4000, 1, channels=2)
    loud = tmp_path / "b.wav"
    soundfile.write(loud, np.full(4000, 1.5, np.float32), RATE, subtype="FLOAT")
    corpus = [Utterance("a", stereo, 0.25, "A"), Utterance("b", loud, 0.25, "B")]
    said = str(write_shards(tmp_path / "flac", {"train": corpus}, Encoding()))
    assert "1 utterances were finer than 16 bits" in said
    assert "1 utterances are louder than full scale" in said
    said = str(write_shards(tmp_path / "opus", {"train": corpus}, Encoding("opus")))
    assert "Opus at 32 kb/s is lossy" in said


def test_opus_keeps_the_length_and_about_the_sound(tmp_path):
    time = np.arange(2 * RATE) / RATE
    tone = (8000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", tone, RATE)
    corpus = [Utterance("a", tmp_path / "a.wav", 2.0, "A")]
    write_shards(tmp_path / "out", {"train": corpus}, Encoding("opus"))
    [stored] = read_manifest(tmp_path / "out/train.jsonl")
    waveform, rate = read_audio(stored.audio)
    assert (len(waveform), rate) == (2 * RATE, RATE)
    error = waveform.numpy()[4000:-4000] - tone[4000:-4000] / 2**15
    assert np.sqrt(np.mean(error**2)) < 0.05 * np.sqrt(np.mean((tone / 2**15) ** 2))


def test_opus_refuses_a_rate_that_it_has_not(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(2205, np.int16), 22050)
    corpus = [Utterance("a", tmp_path / "a.wav", 0.1, "A")]
    with pytest.raises(InputError, match="a: 22050 Hz, but Opus has"):
        write_shards(tmp_path / "out", {"train": corpus}, Encoding("opus"))
    write_shards(
        tmp_path / "out", {"train": corpus}, Encoding("opus", sample_rate=16000)
    )
    [stored] = read_manifest(tmp_path / "out/train.jsonl")
    assert read_audio(stored.audio)[1] == 16000


@pytest.mark.parametrize(
    "id", ["a", "a/b.c", "..", "ä b%", "\udcff", "x" * 200, "名" * 20, "a+b~c"]
)
def test_keys_are_safe_and_give_the_id_back(id):
    key = to_key(id)
    assert not set(key) & set("./\\\0 ")
    assert key.isascii()
    assert from_key(key) == id


def test_a_long_id_becomes_a_short_key_of_its_own():
    first, second = to_key("x" * 300), to_key("x" * 301)
    assert first != second
    assert len(first) == len(second) == 200
    assert from_key(first) is None
    assert from_key(to_key("")) is None


@pytest.mark.parametrize(
    "name", ["../a.tar", "/etc/passwd", "a/../b", "a/b/c", "..", ""]
)
def test_a_stranger_s_contents_lead_nowhere_else(name, corpus, tmp_path):
    write_shards(tmp_path / "out", {"train": corpus[:1]}, Encoding())
    record = json.loads((tmp_path / "out/shards.json").read_text())
    assert read_contents(json.dumps(record).encode(), "it").splits["train"].utterances
    record["splits"]["train"]["shards"][0]["name"] = name
    with pytest.raises(InputError, match="it: not what speechgru shard writes"):
        read_contents(json.dumps(record).encode(), "it")
