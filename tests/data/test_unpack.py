import os
import tarfile
import zipfile

import pytest
from data.tars import add_member, make_tar

from speechgru.data.archive import extract_archive
from speechgru.interfaces import InputError


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
