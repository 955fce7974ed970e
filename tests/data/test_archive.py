import http.server
import io
import os
import re
import tarfile
import threading
import zipfile

import pytest

from speechgru.data.archive import (
    digest_tree,
    download,
    extract_archive,
    locate_archive,
)
from speechgru.interfaces import InputError

CONTENT = bytes(range(256)) * 4000  # 1 MB


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT; the path says how: /whole, /ranges, /cut, /absent."""

    requested: list[str | None]

    def do_GET(self):
        asked = self.headers.get("Range")
        self.requested.append(asked)
        start = 0
        if self.path == "/absent":
            self.send_error(404)
            return
        if self.path == "/ranges" and asked:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            if start >= len(CONTENT):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
                self.end_headers()
                return
            self.send_response(206)
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        body = CONTENT[start:]
        self.wfile.write(body[:1000] if self.path == "/cut" else body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    Handler.requested = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


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


def test_the_last_resort_is_a_download(server, tmp_path, monkeypatch, caplog):
    monkeypatch.delenv("SPEECHGRU_ARCHIVES", raising=False)
    caplog.set_level("INFO")
    path = locate_archive(None, "a.tar", f"{server}/whole", tmp_path / "new")
    assert path.read_bytes() == CONTENT
    assert os.listdir(path.parent) == ["a.tar"]
    assert f"downloading {server}/whole to {path}" in caplog.text


def test_a_download_resumes_where_it_stopped(server, tmp_path):
    (tmp_path / "a.tar.part").write_bytes(CONTENT[:300_000])
    download(f"{server}/ranges", tmp_path / "a.tar")
    assert (tmp_path / "a.tar").read_bytes() == CONTENT
    assert Handler.requested == ["bytes=300000-"]


def test_a_host_that_cannot_resume_is_asked_for_all(server, tmp_path):
    (tmp_path / "a.tar.part").write_bytes(b"x" * 300_000)
    download(f"{server}/whole", tmp_path / "a.tar")
    assert (tmp_path / "a.tar").read_bytes() == CONTENT


def test_a_whole_part_needs_no_more_bytes(server, tmp_path):
    (tmp_path / "a.tar.part").write_bytes(CONTENT)
    download(f"{server}/ranges", tmp_path / "a.tar")
    assert (tmp_path / "a.tar").read_bytes() == CONTENT


def test_a_part_that_is_too_long_is_fetched_anew(server, tmp_path):
    (tmp_path / "a.tar.part").write_bytes(b"x" * (len(CONTENT) + 1))
    download(f"{server}/ranges", tmp_path / "a.tar")
    assert (tmp_path / "a.tar").read_bytes() == CONTENT


def test_what_arrived_before_a_cut_is_kept(server, tmp_path):
    with pytest.raises(InputError, match="cut off after 1000 of 1024000 bytes"):
        download(f"{server}/cut", tmp_path / "a.tar")
    assert (tmp_path / "a.tar.part").read_bytes() == CONTENT[:1000]
    assert not (tmp_path / "a.tar").exists()


def test_a_failed_download_says_what_to_do(server, tmp_path):
    for url in (f"{server}/absent", "http://127.0.0.1:9/closed"):
        with pytest.raises(
            InputError, match=r"corpus.archive=PATH.*SPEECHGRU_ARCHIVES"
        ):
            download(url, tmp_path / "a.tar")


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


def test_files_larger_than_what_is_free_are_an_error(tmp_path, monkeypatch):
    path = make_tar(tmp_path / "a.tar", {"a": bytes(5000)})
    usage = type("Usage", (), {"free": 4000})
    monkeypatch.setattr("speechgru.data.unpack.shutil.disk_usage", lambda _: usage)
    with pytest.raises(InputError, match="more than the 4000 bytes that are free"):
        extract_archive(path, tmp_path / "files")


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
