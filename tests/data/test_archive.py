import errno
import io
import os
import tarfile
import zipfile

import pytest

from speechgru.data.archive import digest_tree, extract_archive, locate_archive
from speechgru.interfaces import InputError


def make_tar(path, members: dict[str, bytes], mode: str = "w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


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


def test_an_encrypted_zip_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x/a", "A")
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # in the directory
    content[6] |= 1  # and before the member
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(
        InputError, match="'x/a' is encrypted, expected files without a password"
    ):
        extract_archive(tmp_path / "a.zip", tmp_path / "in" / "files")
    assert os.listdir(tmp_path / "in") == []


@pytest.mark.parametrize("name", ["../evil", "a/../../evil"])
def test_nothing_is_written_outside(name, tmp_path):
    tar = make_tar(tmp_path / "a.tar", {"good": b"", name: b""})
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("good", "")
        archive.writestr(name, "")
    for path in (tar, tmp_path / "a.zip"):
        with pytest.raises(InputError, match="unsafe member"):
            extract_archive(path, tmp_path / "in" / "files")
    assert os.listdir(tmp_path / "in") == []
    assert sorted(os.listdir(tmp_path)) == ["a.tar", "a.zip", "in"]


def test_a_damaged_archive_leaves_nothing(tmp_path):
    noise = os.urandom(20_000)
    whole = make_tar(tmp_path / "whole.tar.gz", {"a": noise}).read_bytes()
    for content in (whole[:10_000], noise, b""):
        (tmp_path / "a.tar.gz").write_bytes(content)
        with pytest.raises(InputError, match=r"a.tar.gz: not a whole archive"):
            extract_archive(tmp_path / "a.tar.gz", tmp_path / "in" / "files")
    assert os.listdir(tmp_path / "in") == []


def test_an_encrypted_zip_is_an_error(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "A")
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the flags of the file
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and of its entry in the list
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a.zip: 'a' is encrypted, expected files wi"):
        extract_archive(path, tmp_path / "in" / "files")
    assert os.listdir(tmp_path / "in") == []


def test_a_compression_that_is_not_known_is_an_error(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "A")
    content = bytearray(path.read_bytes())
    content[8] = content[content.index(b"PK\x01\x02") + 10] = 99
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a.zip: not a whole archive"):
        extract_archive(path, tmp_path / "files")


@pytest.fixture
def small_bounds(monkeypatch):
    """What makes a bomb of a few kilobytes."""
    monkeypatch.setattr("speechgru.data.unpack.SPARE_BYTES", 1000)
    monkeypatch.setattr("speechgru.data.unpack.MOST_MEMBERS", 20)
    monkeypatch.setattr("speechgru.data.unpack.LARGEST_READ", 100_000)


@pytest.mark.usefixtures("small_bounds")
@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz", "zip"])
def test_a_bomb_is_an_error_and_leaves_nothing(mode, tmp_path):
    path, zeros = tmp_path / "a", bytes(3_000_000)
    if mode == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("zeros", zeros)
    else:
        make_tar(path, {"zeros": zeros}, mode)
    assert path.stat().st_size < 5000
    with pytest.raises(InputError, match="at most 100 times the archive; it is no arc"):
        extract_archive(path, tmp_path / "in" / "files")
    assert os.listdir(tmp_path / "in") == []


@pytest.mark.usefixtures("small_bounds")
@pytest.mark.parametrize("size", [10**12, -512])
@pytest.mark.parametrize(
    "kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME]
)
def test_absurd_sizes_in_a_tar_are_errors(size, kind, tmp_path):
    member = tarfile.TarInfo("a")
    member.size, member.type = size, kind
    header = member.tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "a.tar").write_bytes(header + bytes(200_000))
    with pytest.raises(InputError, match=r"take more than|not a whole archive"):
        extract_archive(tmp_path / "a.tar", tmp_path / "in" / "files")
    assert os.listdir(tmp_path / "in") == []


@pytest.mark.usefixtures("small_bounds")
def test_too_many_files_are_an_error(tmp_path):
    path = make_tar(tmp_path / "a.tar", {str(n): b"" for n in range(21)})
    with pytest.raises(InputError, match="holds more than 20 files"):
        extract_archive(path, tmp_path / "files")


def add_member(archive, name, kind=tarfile.REGTYPE, linkname="", content=b""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, linkname, len(content)
    archive.addfile(member, io.BytesIO(content))


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
        if list((tmp_path / "in").glob(".*/content/x/a")):
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


@pytest.mark.usefixtures("small_bounds")
def test_a_bomb_inside_an_archive_is_an_error(tmp_path):
    inner = make_tar(tmp_path / "bomb.tar.gz", {"zeros": bytes(3_000_000)})
    path = make_tar(tmp_path / "a.tgz", {"wav/bomb.tar.gz": inner.read_bytes()})
    with pytest.raises(InputError, match="at most 100 times the archive"):
        extract_archive(path, tmp_path / "in/files", nested=("*.tar.gz",))
    assert os.listdir(tmp_path / "in") == []


@pytest.mark.parametrize(
    "members",
    [
        [("dev", tarfile.CHRTYPE)],
        [("dev", tarfile.BLKTYPE)],
        [("pipe", tarfile.FIFOTYPE)],
        [("link", tarfile.SYMTYPE, "/etc/passwd")],
        [("x/link", tarfile.SYMTYPE, "../../outside")],
        [("link", tarfile.LNKTYPE, "../outside")],
        [("link", tarfile.LNKTYPE, "/etc/passwd")],
        [("x/y", tarfile.DIRTYPE), ("link", tarfile.SYMTYPE, "x"), ("link/evil",)],
        [
            ("x/a",),
            ("link", tarfile.SYMTYPE, "x"),
            ("hard", tarfile.LNKTYPE, "link/a"),
        ],
    ],
    ids=lambda members: "-".join(str(part) for part in members[-1]),
)
def test_devices_and_links_to_elsewhere_are_errors(members, tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        add_member(archive, "good")
        for member in members:
            add_member(archive, *member)
    (tmp_path / "outside").write_bytes(b"mine")
    with pytest.raises(InputError, match="unsafe member"):
        extract_archive(path, tmp_path / "in" / "files")
    assert os.listdir(tmp_path / "in") == []
    assert (tmp_path / "outside").read_bytes() == b"mine"


def test_an_absolute_name_in_a_tar_loses_its_slash(tmp_path):
    path = make_tar(tmp_path / "a.tar", {"/evil/a": b"A", "b": b"B"})
    extract_archive(path, tmp_path / "files")
    assert (tmp_path / "files/evil/a").read_bytes() == b"A"


def test_a_zip_whose_times_are_none_is_unpacked(tmp_path):
    strange = zipfile.ZipInfo("x/a", (1980, 0, 0, 31, 63, 62))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(strange, "A")
        archive.writestr("y", "")
    extract_archive(tmp_path / "a.zip", tmp_path / "files")
    assert (tmp_path / "files/x/a").read_bytes() == b"A"


@pytest.mark.parametrize("name", ["/evil", "C:/evil", "..\\evil"])
def test_a_zip_with_names_of_elsewhere_is_an_error(name, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("good", "")
        archive.writestr(name, "")
    with pytest.raises(InputError, match="unsafe member"):
        extract_archive(tmp_path / "a.zip", tmp_path / "in" / "files")
    assert os.listdir(tmp_path / "in") == []


def test_a_link_inside_a_zip_is_a_file_that_names_its_target(tmp_path):
    link = zipfile.ZipInfo("x/link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("y", "")
    extract_archive(tmp_path / "a.zip", tmp_path / "files")
    assert not (tmp_path / "files/x/link").is_symlink()
    assert (tmp_path / "files/x/link").read_bytes() == b"/etc/passwd"


def test_links_inside_the_folder_are_kept(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        add_member(archive, "x/a", content=b"A")
        add_member(archive, "y/b", tarfile.SYMTYPE, "../x/a")
        add_member(archive, "y/c", tarfile.LNKTYPE, "x/a")
    extract_archive(path, tmp_path / "files")
    assert (tmp_path / "files/y/b").read_bytes() == b"A"
    assert (tmp_path / "files/y/c").read_bytes() == b"A"


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
