import errno
import os
import tarfile
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from data.tars import add_member, make_tar

from speechgru.data import archive as archives
from speechgru.data.archive import digest_tree, extract_archive, locate_archive
from speechgru.interfaces import InputError


def test_a_given_archive_comes_first(tmp_path, monkeypatch):
    given = tmp_path / "mine.tar"
    given.touch()
    (tmp_path / "an4.tar").touch()
    monkeypatch.setenv("SPEECHGRU_ARCHIVES", str(tmp_path))
    assert locate_archive(str(given), "an4.tar", "", tmp_path) == given
    with pytest.raises(InputError, match=r"absent.tar: no such file.*corpus.archive"):
        locate_archive(str(tmp_path / "absent.tar"), "an4.tar", "", tmp_path)


def test_the_folder_of_archives_comes_before_downloads(tmp_path, monkeypatch):
    archives, downloads = tmp_path / "archives", tmp_path / "downloads"
    for folder in (archives, downloads):
        folder.mkdir()
        (folder / "an4.tar").touch()
    (downloads / "other.tar").touch()
    monkeypatch.setenv("SPEECHGRU_ARCHIVES", str(archives))
    find = locate_archive
    assert find(None, "an4.tar", "", downloads) == archives / "an4.tar"
    assert find(None, "other.tar", "", downloads) == downloads / "other.tar"
    monkeypatch.setenv("SPEECHGRU_ARCHIVES", str(tmp_path / "absent"))
    with pytest.raises(InputError, match="variable SPEECHGRU_ARCHIVES"):
        find(None, "an4.tar", "", downloads)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_is_unpacked_without_its_top_folder(mode, tmp_path):
    path = make_tar(tmp_path / "a.tar", {"an4-1/x/a": b"A", "an4-1/b": b"B"}, mode)
    extract_archive(path, tmp_path / "out" / "files")
    assert (tmp_path / "out/files/x/a").read_bytes() == b"A"
    assert (tmp_path / "out/files/b").read_bytes() == b"B"
    assert os.listdir(tmp_path / "out") == ["files"]


def test_a_zip_is_unpacked_too(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x/a", "A")
        archive.writestr("y/b", "B")
    extract_archive(tmp_path / "a.zip", tmp_path / "files")
    assert (tmp_path / "files/y/b").read_bytes() == b"B"


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_a_full_disk_loses_nothing_that_is_unpacked(kind, tmp_path, monkeypatch):
    path = tmp_path / f"a.{kind}"
    names = ("x/a", "x/b", "x/c")
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, bytes(5000))
    else:
        with tarfile.open(path, "w") as archive:
            add_member(archive, "x", tarfile.DIRTYPE)
            for name in names:
                add_member(archive, name, content=bytes(5000))
    usage = type("Usage", (), {"free": 9000})

    def use(_):
        usage.free -= 2000  # 7000, then 5000, then 3000
        return usage

    monkeypatch.setattr("speechgru.data.unpack.shutil.disk_usage", use)
    with pytest.raises(InputError, match=r"\(5000 bytes are next, 3000 are free"):
        extract_archive(path, tmp_path / "in" / "files")
    (kept,) = (tmp_path / "in").iterdir()
    first = kept / "x/a"
    assert sorted(os.listdir(kept / "x")) == ["a", "b"]
    seen = first.stat().st_ino
    usage.free = 10**6
    extract_archive(path, tmp_path / "in" / "files")
    assert os.listdir(tmp_path / "in") == ["files"]
    assert sorted(os.listdir(tmp_path / "in/files")) == ["a", "b", "c"]
    assert (tmp_path / "in/files/a").stat().st_ino == seen


def test_links_that_are_there_are_in_nobodys_way(tmp_path, monkeypatch):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        add_member(archive, "x/a", content=b"A")
        add_member(archive, "x/hard", tarfile.LNKTYPE, "x/a")
        add_member(archive, "x/soft", tarfile.SYMTYPE, "a")
        add_member(archive, "x/large", content=bytes(5000))
    usage = type("Usage", (), {"free": 4000})
    monkeypatch.setattr("speechgru.data.unpack.shutil.disk_usage", lambda _: usage)
    with pytest.raises(InputError, match="disk is full"):
        extract_archive(tmp_path / "a.tar", tmp_path / "files")
    usage.free = 10**6
    extract_archive(tmp_path / "a.tar", tmp_path / "files")
    for name in ("a", "hard", "soft"):
        assert (tmp_path / "files" / name).read_bytes() == b"A"


def test_a_file_that_was_cut_off_is_unpacked_anew(tmp_path, monkeypatch):
    path = make_tar(tmp_path / "a.tar", {"x/a": b"A" * 5000, "x/b": b"B" * 5000})

    def run_full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("speechgru.data.unpack.tarfile.TarFile.extract", run_full)
        with pytest.raises(InputError, match=r"disk is full \(No space left on device"):
            extract_archive(path, tmp_path / "in" / "files")
    (kept,) = (tmp_path / "in").iterdir()
    (kept / "x").mkdir()
    (kept / "x/a").write_bytes(bytes(5000))  # as long, but not as old
    extract_archive(path, tmp_path / "in" / "files")
    assert (tmp_path / "in/files/a").read_bytes() == b"A" * 5000


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_is_unpacked_is_kept_when_the_work_is_stopped(
    error, tmp_path, monkeypatch
):
    path = make_tar(tmp_path / "a.tar", {"x/a": b"A", "x/b": b"B"})

    def stop(*_):
        if list((tmp_path / "in").glob(".*.part/x/a")):
            raise error

    with monkeypatch.context() as stopped:
        stopped.setattr("speechgru.data.unpack.Allowance.check_free", stop)
        with pytest.raises(error):
            extract_archive(path, tmp_path / "in" / "files")
    (kept,) = (tmp_path / "in").iterdir()
    assert os.listdir(kept / "x") == ["a"]
    extract_archive(path, tmp_path / "in" / "files")
    assert os.listdir(tmp_path / "in") == ["files"]
    assert (tmp_path / "in/files/b").read_bytes() == b"B"


def test_a_process_that_is_killed_loses_nothing_that_is_unpacked(tmp_path, monkeypatch):
    path = make_tar(tmp_path / "a.tar", {"x/a": b"A", "x/b": b"B"})

    def be_killed(*_):
        if list((tmp_path / "in").glob(".*.part/x/a")):
            os._exit(9)  # nothing is cleaned up

    child = os.fork()
    if not child:
        monkeypatch.setattr("speechgru.data.unpack.Allowance.check_free", be_killed)
        extract_archive(path, tmp_path / "in" / "files")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    (kept,) = (tmp_path / "in").glob(".*.part")
    seen = (kept / "x/a").stat().st_ino
    extract_archive(path, tmp_path / "in" / "files")
    assert os.listdir(tmp_path / "in") == ["files"]
    assert (tmp_path / "in/files/a").stat().st_ino == seen
    assert (tmp_path / "in/files/b").read_bytes() == b"B"


def test_of_two_that_want_the_same_one_unpacks(tmp_path, monkeypatch, caplog):
    path = make_tar(tmp_path / "a.tar", {"x/a": b"A"})
    begun, goes_on, unpacked = threading.Event(), threading.Event(), []
    real = archives.extract_tar

    def extract_slowly(*arguments):
        unpacked.append(arguments)
        begun.set()
        goes_on.wait()
        real(*arguments)

    monkeypatch.setattr(archives, "extract_tar", extract_slowly)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(extract_archive, path, tmp_path / "in" / "files")
        begun.wait()
        second = pool.submit(extract_archive, path, tmp_path / "in" / "files")
        while "waiting for another process, which unpacks" not in caplog.text:
            assert not second.done()
        goes_on.set()
        assert first.result() is second.result() is None
    assert len(unpacked) == 1
    assert os.listdir(tmp_path / "in") == ["files"]


def test_another_archive_does_not_go_on_with_what_is_unpacked(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 5000})
    monkeypatch.setattr("speechgru.data.unpack.shutil.disk_usage", lambda _: usage)
    old = {"x/old": bytes(5000), "x/large": os.urandom(6000)}
    new = {"x/new": bytes(5000), "x/large": os.urandom(6000)}
    with pytest.raises(InputError, match="disk is full"):
        extract_archive(make_tar(tmp_path / "a.tar", old), tmp_path / "files")
    usage.free = 10**6
    extract_archive(make_tar(tmp_path / "a.tar", new), tmp_path / "files")
    assert sorted(os.listdir(tmp_path / "files")) == ["large", "new"]


def test_archives_inside_an_archive_are_unpacked_where_they_lie(tmp_path):
    inner = [
        make_tar(tmp_path / f"S{n}.tar.gz", {f"train/S{n}/a.wav": b"%d" % n})
        for n in (1, 2)
    ]
    outer = {f"data/wav/{path.name}": path.read_bytes() for path in inner}
    path = make_tar(tmp_path / "a.tgz", {**outer, "data/text": b"T"})
    extract_archive(path, tmp_path / "files", nested=("wav/*.tar.gz",))
    assert sorted(os.listdir(tmp_path / "files/wav")) == ["train"]
    assert (tmp_path / "files/wav/train/S2/a.wav").read_bytes() == b"2"


def test_the_digest_depends_on_names_and_contents_of_matching_files(tmp_path):
    def digest(files: dict[str, bytes]) -> str:
        folder = tmp_path / str(len(os.listdir(tmp_path)))
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return digest_tree(folder, ("*.txt", "wav/*/*.wav"))

    files = {"a.txt": b"1", "wav/x/a.wav": b"2"}
    expected = digest(files)
    assert digest(dict(reversed(files.items()))) == expected
    assert digest({**files, "other": b"3"}) == expected
    assert digest({**files, "b.txt": b""}) != expected
    assert digest({**files, "a.txt": b"2"}) != expected
    assert digest({"a.txt": b"1", "wav/x/b.wav": b"2"}) != expected
