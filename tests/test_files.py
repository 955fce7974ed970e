import os
import re
import resource
import stat
from contextlib import contextmanager
from pathlib import Path

import pytest

from speechgru.files import (
    printable,
    read_json_lines,
    relative_path,
    replace_file,
    write_json_lines,
)
from speechgru.interfaces import InputError
from speechgru.records import check_keys, get_name, get_seconds, get_text, show


@contextmanager
def nearly_full_disk(size: int):
    """Let no file grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Python ignores SIGXFSZ, so a write beyond the limit is an OSError.
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def read(path: Path) -> list[dict]:
    return read_json_lines(
        path,
        parse=lambda record: {"id": get_text(record, "id")},
        get_id=lambda item: item["id"],
        kind="a list of names",
        origin="speechgru invent",
    )


def test_a_file_is_made_with_its_folders_and_replaced_whole(tmp_path):
    path = tmp_path / "new/folder/a.bin"
    replace_file(path, b"a longer first content")
    replace_file(str(path), memoryview(b"second"))
    assert path.read_bytes() == b"second"
    assert list(path.parent.iterdir()) == [path]


def test_others_may_read_what_is_written(tmp_path):
    before = os.umask(0o022)
    try:
        replace_file(tmp_path / "a", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


def test_a_full_disk_keeps_the_older_file_and_leaves_no_other(tmp_path):
    path = tmp_path / "a.bin"
    replace_file(path, b"old" * 100)
    with (
        nearly_full_disk(150),
        pytest.raises(
            InputError,
            match=r"a\.bin: cannot be written \(File too large\); the older file is "
            "kept; free some space",
        ),
    ):
        replace_file(path, b"new" * 100)
    assert path.read_bytes() == b"old" * 100
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_first_write_does_not_speak_of_an_older_file(tmp_path):
    with (
        nearly_full_disk(2),
        pytest.raises(InputError, match=r"a\.bin: cannot be written") as caught,
    ):
        replace_file(tmp_path / "a.bin", b"content")
    assert "kept" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("moment", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(28, "No space left on device"), InputError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_write_cut_short_keeps_the_older_file_and_leaves_no_other(
    tmp_path, monkeypatch, moment, error, raised
):
    path = tmp_path / "a.bin"
    replace_file(path, b"old")

    def fail(*_):
        raise error

    monkeypatch.setattr(os, moment, fail)
    with pytest.raises(raised):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_a_file_is_an_input_error(tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(InputError, match=r"run/a: cannot be written"):
        replace_file(tmp_path / "run/a", b"x")
    assert (tmp_path / "run").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_records_that_end_in_an_error_leave_the_older_file(tmp_path):
    path = tmp_path / "a.jsonl"
    write_json_lines(path, [{"id": "old"}])

    def records():
        yield {"id": "new"}
        raise RuntimeError("the second is lost")

    with pytest.raises(RuntimeError, match="the second is lost"):
        write_json_lines(path, records())
    assert path.read_text() == '{"id": "old"}\n'
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_written_is_read_again_in_order(tmp_path):
    names = ["b", "é 你", "a\u2028\x85\n", "-"]
    write_json_lines(tmp_path / "a.jsonl", ({"id": name} for name in names))
    assert [item["id"] for item in read(tmp_path / "a.jsonl")] == names
    content = (tmp_path / "a.jsonl").read_bytes()
    assert content.count(b"\n") == 4
    assert "é 你".encode() in content  # legible, not escaped


def test_every_bad_line_is_named_with_its_number(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('\n{"id": "a"}\n{"id": 1}\n\n{"id": "b"}\n{"id": "a"}\nno\n')
    with pytest.raises(InputError) as caught:
        read(path)
    total, *lines = str(caught.value).splitlines()
    assert total == f"{path}: 3 bad lines"
    assert lines[0] == f"{path}:3: id is 1, expected a string; put it in quotes"
    assert lines[1].startswith(f"{path}:6: id 'a' is also that of line 2, expected")
    assert lines[2].startswith(f"{path}:7: not JSON (")
    assert len(lines) == 3


def test_a_single_bad_line_needs_no_total(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "a"}\n7\n')
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value) == (
        f"{path}:2: 7 is not an object, expected one JSON object a line; "
        "correct the line"
    )


@pytest.mark.parametrize("path", ["none.jsonl", "", "a\0b"])
def test_a_file_that_cannot_be_read_is_named_with_its_origin(tmp_path, path):
    with pytest.raises(
        InputError,
        match=r"cannot be read \(.+\), expected a list of names; correct the path, or "
        "make it with: speechgru invent",
    ):
        read(tmp_path / path)


@pytest.mark.parametrize(
    ("get", "value", "expected"),
    [
        (get_text, "", ""),
        (get_text, "é", "é"),
        (get_name, "ann", "ann"),
        (get_name, 7, "7"),
        (get_name, "", None),
        (get_name, None, None),
        (get_seconds, 2, 2.0),
        (get_seconds, -0.5, -0.5),
    ],
)
def test_values_of_the_right_kind_are_taken(get, value, expected):
    found = get({"key": value}, "key")
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("get", "value", "message"),
    [
        (get_text, 7, "key is 7, expected a string"),
        (get_text, None, "key is null, expected a string"),
        (get_text, "\ud800", "key holds half a surrogate pair"),
        (get_name, 1.5, r"key is 1\.5, expected a string"),
        (get_name, True, "key is true, expected a string"),
        (get_seconds, "2", 'key is "2", expected a number'),
        (get_seconds, True, "key is true, expected a number"),
        (get_seconds, None, "key is null, expected a number"),
        (get_seconds, float("nan"), "key is NaN, expected a number"),
        (get_seconds, float("-inf"), "key is -Infinity, expected a number"),
    ],
)
def test_values_of_another_kind_are_refused(get, value, message):
    with pytest.raises(InputError, match=message):
        get({"key": value}, "key")


def test_all_missing_keys_are_named():
    check_keys({"a": None, "b": 1, "c": 2, "d": 3}, ("a", "b", "c"))
    with pytest.raises(InputError, match=r"^no a and no c, expected a, b and c; add"):
        check_keys({"b": 1}, ("a", "b", "c"))


def test_long_values_are_cut_to_fit_into_a_message():
    assert show("a" * 38) == f'"{"a" * 38}"'
    assert show("a" * 39) == f'"{"a" * 36}...'


def test_paths_are_relative_to_the_folder_of_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert relative_path(Path("out/wav/a.wav"), tmp_path / "out") == "wav/a.wav"
    assert relative_path(tmp_path / "wav/a.wav", Path("out")) == "../wav/a.wav"
    assert relative_path(Path("a.wav"), Path()) == "a.wav"


def test_a_relative_path_leads_back_out_of_a_linked_folder(tmp_path):
    (tmp_path / "deep/real").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "deep/real")
    (tmp_path / "a.wav").write_bytes(b"x")
    path = relative_path(tmp_path / "a.wav", tmp_path / "link")
    assert (tmp_path / "link" / path).read_bytes() == b"x"


def test_a_path_without_a_folder_in_common_is_absolute(tmp_path):
    assert relative_path(Path("/nowhere/a.wav"), tmp_path) == "/nowhere/a.wav"
    assert relative_path(tmp_path / "a.wav", Path("/")) == f"{tmp_path}/a.wav"[1:]


def test_a_device_is_written_to_and_never_replaced():
    replace_file("/dev/null", b"content")
    assert not Path("/dev/null").is_file()
    if Path("/dev/full").exists():
        with pytest.raises(InputError, match="/dev/full: cannot be written"):
            replace_file("/dev/full", b"content")
        assert not Path("/dev/full").is_file()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b.wav", "a b.wav"),
        ("né 日本 \u200d.wav", "né 日本 \u200d.wav"),
        ("a\nb\r\t\x00", "a\\nb\\r\\t\\x00"),
        ("\x1b[31m\x9b", "\\x1b[31m\\x9b"),
        ("\u2028\u2029\u202e", "\\u2028\\u2029\\u202e"),
        ("\udcff\udcc3", "\\xff\\xc3"),
    ],
)
def test_what_is_printed_stays_on_its_line(text, shown):
    assert printable(text) == shown
    assert len(shown.encode().splitlines()) == 1


@pytest.mark.parametrize("name", [".", "/", "folder"])
def test_a_folder_is_no_file_to_write(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=f"^{re.escape(name)}: is a folder, expected"):
        replace_file(name, b"x")
