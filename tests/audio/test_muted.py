import os
import threading

import pytest

from speechgru.audio.muted import call_muted


def test_what_a_call_writes_is_caught_and_nobody_else_is_muted(capfd):
    started, ended = threading.Event(), threading.Event()

    def write() -> int:
        os.write(2, b"within\n")
        started.set()
        ended.wait(10)
        return 3

    def write_meanwhile() -> None:
        started.wait(10)
        os.write(2, b"without\n")
        ended.set()

    other = threading.Thread(target=write_meanwhile)
    other.start()
    assert call_muted(write) == (3, "within\n")
    other.join()
    os.write(2, b"behind\n")
    assert capfd.readouterr().err == "without\nbehind\n"


def test_errors_pass():
    def fail() -> None:
        raise RuntimeError("reason")

    with pytest.raises(RuntimeError, match="reason"):
        call_muted(fail)


def test_files_of_others_stay_open(tmp_path):
    with open(tmp_path / "a", "w+b") as file:
        call_muted(lambda: None)
        file.write(b"x")
        file.flush()
        assert os.pread(file.fileno(), 1, 0) == b"x"


def test_a_call_may_read_a_file_that_is_open(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    with open(tmp_path / "a", "rb") as file:
        assert call_muted(file.read) == (b"x", "")
