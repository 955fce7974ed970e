import hashlib
import shutil
import threading

import pytest

from speechgru.data.shards.contents import StoredFile
from speechgru.data.shards.fetching import NUM_TRIES, check_file, fetch_file
from speechgru.data.shards.local_copies import LocalCopies, find_known
from speechgru.data.sources.shards import Shards
from speechgru.interfaces import InputError
from speechgru.remote import locate

SHARD = "train/000002.tar"


@pytest.fixture
def content(shards):
    return (shards / SHARD).read_bytes()


@pytest.fixture
def stored(content):
    return StoredFile(SHARD, len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def path(host):
    return locate(f"{host.address}/{SHARD}")


def test_a_shard_is_fetched_once(host, path, content, stored):
    for _ in range(2):
        fetch_file(path, stored)
    assert path.read_bytes() == content
    assert host.requests[SHARD] == 1


def test_a_connection_that_breaks_goes_on_where_it_broke(host, path, content, stored):
    host.cut[SHARD] = 9000
    fetch_file(path, stored)
    assert path.read_bytes() == content
    assert host.requests[SHARD] > NUM_TRIES
    assert host.bytes_sent[SHARD] == len(content)


def test_a_host_without_ranges_begins_anew(host, path, content, stored):
    host.knows_ranges = False
    part = path.with_name(f".{path.name}.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"something else")
    fetch_file(path, stored)
    assert path.read_bytes() == content


def test_what_was_begun_of_another_file_is_not_kept(host, path, content, stored):
    part = path.with_name(f".{path.name}.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(5000))
    fetch_file(path, stored)
    assert path.read_bytes() == content
    assert host.requests[SHARD] == 2


def test_a_connection_that_brings_nothing_is_given_up_and_named(host, path, stored):
    host.cut[SHARD] = 0
    with pytest.raises(InputError, match=r"000002\.tar: cut off after 0 of \d+ bytes"):
        fetch_file(path, stored)
    assert host.requests[SHARD] == NUM_TRIES
    assert not path.exists()


def test_a_busy_host_is_asked_again(host, path, stored):
    host.busy[SHARD] = 2
    fetch_file(path, stored)
    assert host.requests[SHARD] == 3


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_file_that_is_not_there_is_named_at_once(status, host, path, stored):
    host.status[SHARD] = status
    with pytest.raises(InputError, match=rf"000002\.tar: cannot be fetched .*{status}"):
        fetch_file(path, stored)
    assert host.requests[SHARD] == 1


def test_another_file_at_the_address_is_named(host, path, stored, shards, tmp_path):
    other = tmp_path / "host"
    shutil.copytree(shards, other)
    changed = bytearray((other / SHARD).read_bytes())
    changed[3000] ^= 1
    (other / SHARD).write_bytes(changed)
    host.folder = other
    with pytest.raises(InputError, match=r"000002\.tar: \d+ bytes with sha256 .*chang"):
        fetch_file(path, stored)
    assert not path.exists()


def test_processes_or_threads_that_want_the_same_fetch_it_once(host, path, stored):
    threads = [
        threading.Thread(target=fetch_file, args=(path, stored)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert host.requests[SHARD] == 1


def test_a_file_of_this_machine_is_left_alone(tmp_path, stored):
    fetch_file(tmp_path / "not-there.tar", stored)
    assert not (tmp_path / "not-there.tar").exists()


def test_a_shard_that_is_cut_off_is_said_to_be(shards, tmp_path, stored):
    path = tmp_path / "a.tar"
    path.write_bytes((shards / SHARD).read_bytes()[:1000])
    with pytest.raises(InputError, match=r"a: cut off, 1000 of \d+ bytes"):
        check_file(path, stored, "a")


def test_no_more_is_kept_than_is_wanted_and_the_oldest_goes_first(host):
    train = Shards("shards", host.address).read("train")
    known = find_known(dict.fromkeys(u.audio_path for u in train))
    size = max(shard.size for shard in known.values())
    fetch = LocalCopies(known, most=3 * size)
    paths = [*known]
    for path in paths[:3]:
        fetch(path)
    for number, path in enumerate(paths[3:]):
        fetch(path)
        here = [path for path in paths if path.exists()]
        assert here == paths[number + 1 : number + 4]
    fetch.check_size(3)
    with pytest.raises(InputError, match=r"4 shards, of .* are needed at once"):
        fetch.check_size(4)
