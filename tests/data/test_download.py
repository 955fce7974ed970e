import contextlib
import errno
import http.server
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from speechgru.data.archive import locate_archive
from speechgru.data.download import download
from speechgru.interfaces import InputError

CONTENT = bytes(range(256)) * 4000  # 1 MB
STARTED, GOES_ON = threading.Event(), threading.Event()
"""Of /slow: half of it has been sent; the rest may be."""


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT; the path says how: /whole, /ranges, /cut, /absent, ..."""

    requested: list[str | None]

    def do_GET(self):
        asked = self.headers.get("Range")
        self.requested.append(asked)
        start = 0
        if self.path == "/absent":
            self.send_error(404)
            return
        if self.path == "/part":
            self.send_response(206)
        elif self.path.endswith("ranges") and asked:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            if start >= len(CONTENT):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
                self.end_headers()
                return
            self.send_response(206)
        else:
            self.send_response(200)
        body = b" <!DOCTYPE HTML><p>moved" if self.path == "/html" else CONTENT[start:]
        if self.path == "/login":
            self.send_header("Content-Type", "text/html; charset=utf-8")
        if self.path == "/part":
            self.send_header("Content-Range", f"bytes 0-9/{len(CONTENT)}")
            body = body[:10]
        if self.path == "/nonsense":
            self.send_header("Content-Length", "many")
        elif self.path != "/endless":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.path.startswith("/cut"):
            body = body[: 600_000 if self.path == "/cut-ranges" else 1000]
        if self.path == "/slow":
            self.wfile.write(body[:500_000])
            body = body[500_000:]
            STARTED.set()
            GOES_ON.wait()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body * (10 if self.path == "/endless" else 1))

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


@pytest.mark.parametrize("page", ["html", "login"])
def test_a_web_page_is_refused_and_nothing_of_it_kept(page, server, tmp_path):
    (tmp_path / "a.tar.part").write_bytes(CONTENT[:300_000])
    with pytest.raises(InputError, match=f"{page}: download failed .*a web page"):
        download(f"{server}/{page}", tmp_path / "a.tar")
    # What came from elsewhere before is still good.
    assert os.listdir(tmp_path) == ["a.tar.part"]
    assert (tmp_path / "a.tar.part").read_bytes() == CONTENT[:300_000]


def test_another_size_than_expected_is_refused(server, tmp_path):
    with pytest.raises(InputError, match="it serves 1024000 bytes, expected 1024001"):
        download(f"{server}/whole", tmp_path / "a.tar", size=len(CONTENT) + 1)
    assert os.listdir(tmp_path) == []


def test_a_mirror_of_a_shorter_file_takes_nothing_away(server, tmp_path):
    (tmp_path / "a.tar.part").write_bytes(b"x" * 1_100_000)
    with pytest.raises(InputError, match="it has no byte 1100000 of 1200000"):
        download(f"{server}/ranges", tmp_path / "a.tar", size=1_200_000)
    assert (tmp_path / "a.tar.part").stat().st_size == 1_100_000


def test_what_does_not_say_its_size_is_read_no_further_than_expected(server, tmp_path):
    with pytest.raises(InputError, match="it serves more than 2000000 bytes"):
        download(f"{server}/endless", tmp_path / "a.tar", size=2_000_000)
    assert os.listdir(tmp_path) == []


def test_a_reason_that_mirrors_share_is_told_once(server, tmp_path):
    urls = [f"{server}/absent", f"{server}/html", f"{server}/absent#again"]
    told = rf"^{urls[0]}, {server}/absent#again: download failed \(Not Found\); "
    with pytest.raises(InputError, match=told):
        download(urls, tmp_path / "a.tar")


def test_mirrors_are_tried_in_turn_and_each_failure_is_said(server, tmp_path, caplog):
    urls = [f"{server}/{path}" for path in ("absent", "html", "whole", "ranges")]
    download(urls, tmp_path / "a.tar", len(CONTENT))
    assert (tmp_path / "a.tar").read_bytes() == CONTENT
    said = [r.message for r in caplog.records if r.levelname == "WARNING"]
    assert said[0] == f"{urls[0]}: download failed (Not Found); trying {urls[1]}"
    assert said[1].endswith(f"expected an archive); trying {urls[2]}")
    with pytest.raises(InputError) as error:
        download(urls[:2], tmp_path / "b.tar")
    assert all(url in str(error.value) for url in urls[:2])


def test_a_mirror_goes_on_where_the_one_before_it_stopped(server, tmp_path):
    download([f"{server}/cut", f"{server}/ranges"], tmp_path / "a.tar", len(CONTENT))
    assert (tmp_path / "a.tar").read_bytes() == CONTENT
    assert Handler.requested == [None, "bytes=1000-"]


def test_an_address_that_brings_much_is_asked_again_at_once(
    server, tmp_path, monkeypatch
):
    monkeypatch.setattr("speechgru.data.download.WORTH_RESUMING", 600_000)
    download(f"{server}/cut-ranges", tmp_path / "a.tar")
    assert (tmp_path / "a.tar").read_bytes() == CONTENT
    assert Handler.requested == [None, "bytes=600000-"]


def test_another_file_than_expected_is_put_aside(server, tmp_path):
    def refuse(path):
        if path.read_bytes().startswith(b"x"):
            raise InputError("it is damaged")

    (tmp_path / "a.tar.part").write_bytes(b"x" * 1000)
    urls = [f"{server}/ranges", f"{server}/ranges"]
    download(urls, tmp_path / "a.tar", check=refuse)
    assert (tmp_path / "a.tar").read_bytes() == CONTENT
    assert (tmp_path / "a.tar.refused").read_bytes()[:1000] == b"x" * 1000
    (tmp_path / "b.tar.part").write_bytes(b"x" * 1000)
    with pytest.raises(InputError, match=r"it is damaged; it is kept as b.tar.refused"):
        download(urls[0], tmp_path / "b.tar", check=refuse)
    assert not (tmp_path / "b.tar").exists()


def test_too_little_room_is_said_before_anything_is_written(
    server, tmp_path, monkeypatch
):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("speechgru.data.download.shutil.disk_usage", lambda _: usage)
    with pytest.raises(InputError, match="1024000 bytes are still to come, but 1000"):
        download([f"{server}/whole", f"{server}/whole"], tmp_path / "a.tar")
    assert Handler.requested == [None]
    assert os.listdir(tmp_path) == []


def test_a_disk_that_fills_up_is_no_fault_of_the_mirror(server, tmp_path, monkeypatch):
    def fail(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("speechgru.data.download.os.fsync", fail)
    with pytest.raises(InputError, match=r"a.tar.part: cannot be written \(No space"):
        download([f"{server}/whole", f"{server}/whole"], tmp_path / "a.tar")
    assert Handler.requested == [None]
    assert (tmp_path / "a.tar.part").exists()


def test_a_length_that_is_no_number_is_none(server, tmp_path):
    download(f"{server}/nonsense", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_part_of_a_file_that_nobody_asked_for_is_not_taken_for_all(server, tmp_path):
    with pytest.raises(InputError, match=rf"cut off after 10 of {len(CONTENT)} bytes"):
        download(f"{server}/part", tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_of_two_that_want_the_same_file_one_fetches_it(server, tmp_path, caplog):
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(download, f"{server}/slow", tmp_path / "a")
        STARTED.wait()
        second = pool.submit(download, f"{server}/slow", tmp_path / "a")
        while "waiting for another process, which downloads" not in caplog.text:
            assert not second.done()
        GOES_ON.set()
        assert first.result() is second.result() is None
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert Handler.requested == [None]
    assert os.listdir(tmp_path) == ["a"]
