import shutil

import pytest

from speechgru.data.shards import verified
from speechgru.data.shards.checking import leave_out_broken
from speechgru.data.sources.shards import Shards
from speechgru.data.validation.diagnosis import Problem
from speechgru.interfaces import InputError


@pytest.fixture
def copied(shards, tmp_path):
    return shutil.copytree(shards, tmp_path / "copied")


def read(folder):
    corpus = Shards("shards", str(folder))
    return {split: corpus.read(split) for split in corpus.splits}


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-2000])


def change(path):
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)


BREAKS = (
    (cut_off, r"000004\.tar: cut off, \d+ of \d+ bytes are there"),
    (change, r"000004\.tar: \d+ bytes with sha256 \w+, expected .*: it was changed"),
    (lambda path: path.unlink(), r"000004\.tar: cannot be read \(No such file"),
)


@pytest.mark.parametrize(("break_it", "message"), BREAKS)
def test_a_broken_shard_is_named(break_it, message, copied):
    break_it(copied / "train/000004.tar")
    with pytest.raises(InputError, match=message):
        leave_out_broken(read(copied), skip=False, cache_size=1.0)
    with pytest.raises(InputError, match=r"1 of 7 shards are broken"):
        Shards("shards", str(copied)).prepare()


@pytest.mark.parametrize(("break_it", "message"), BREAKS)
def test_its_utterances_are_skipped_and_listed_if_that_is_asked(
    break_it, message, copied
):
    break_it(copied / "train/000004.tar")
    splits = read(copied)
    sound = leave_out_broken(splits, skip=True, cache_size=1.0)
    assert len(sound.splits["train"]) == 25
    assert sound.splits["dev"] == splits["dev"]
    assert [index for index, _ in sound.problems] == list(range(20, 25))
    for index, problem in sound.problems:
        assert problem.id == splits["train"][index].id
        assert (problem.split, problem.kind) == ("train", "shard")
        assert "000004.tar" in problem.message


def test_later_problems_keep_their_places(copied):
    cut_off(copied / "train/000000.tar")
    splits = read(copied)
    sound = leave_out_broken(splits, skip=True, cache_size=1.0)
    later = [
        (split_index, Problem(split, "it", "too-short", "it: is too short"))
        for split, split_index in (("train", 3), ("dev", 1))
    ]
    placed = sound.placed(later)
    assert [index for index, _ in placed] == [0, 1, 2, 3, 4, 8, 1]
    assert sound.splits["train"][3] == splits["train"][8]


def test_sound_shards_are_held_to_their_digests_once(copied, monkeypatch):
    checked = []
    monkeypatch.setattr(verified, "check_file", lambda *args: checked.append(args[0]))
    for _ in range(2):
        sound = leave_out_broken(read(copied), skip=False, cache_size=1.0)
        assert not sound.problems
        assert len(checked) == 7
    change(copied / "train/000001.tar")
    leave_out_broken(read(copied), skip=False, cache_size=1.0)
    assert checked[7:] == [copied / "train/000001.tar"]


def test_a_shard_missing_at_its_address_is_skipped_like_one_of_a_folder(host):
    host.status["train/000002.tar"] = 404
    with pytest.raises(InputError, match=r"000002\.tar: cannot be fetched \(HTTP 404"):
        leave_out_broken(read(host.address), skip=False, cache_size=1.0)
    sound = leave_out_broken(read(host.address), skip=True, cache_size=1.0)
    assert [index for index, _ in sound.problems] == list(range(10, 15))


def test_what_does_not_fit_on_this_machine_is_not_fetched_beforehand(host):
    with pytest.raises(InputError, match=r"set data\.check=false"):
        leave_out_broken(read(host.address), skip=False, cache_size=1e-5)
    assert "train/000000.tar" not in host.requests
