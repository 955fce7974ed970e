"""Rows in temporary files without a name."""

import errno
import os
import tempfile
from pathlib import Path

import pytest
import torch

from speechgru.interfaces import InputError
from speechgru.scratch import Scratch

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_rows_are_read_as_they_were_written_in_any_order(folder):
    frames = torch.randn(10, 5)
    with Scratch("a.wav", 1000, CPU) as scratch:
        rows = scratch.rows(3, 2)
        rows.append(frames[:4])
        rows.write(7, frames[7:, 3:], part=1)
        rows.write(4, frames[4:, :3], part=0)
        rows.write(4, frames[4:7, 3:], part=1)
        assert len(rows) == 10
        assert torch.equal(rows.read(0, 10), frames)
        assert torch.equal(rows.read(3, 8), frames[3:8])
        blocks = rows.blocks(4)
        for _ in range(2):
            assert [block.shape for block in blocks] == [
                (1, 4, 5),
                (1, 4, 5),
                (1, 2, 5),
            ]
            assert torch.equal(torch.cat([*blocks], dim=1)[0], frames)


def test_rows_can_be_mapped_and_changing_the_map_changes_no_row(folder):
    frames = torch.randn(6, 2)
    with Scratch("a.wav", 1000, CPU) as scratch:
        rows = scratch.rows(2)
        assert rows.mapped().shape == (0, 2)
        rows.append(frames)
        mapped = rows.mapped()
        assert torch.equal(mapped, frames)
        mapped.zero_()
        assert torch.equal(rows.read(0, 6), frames)


def test_a_row_that_was_not_written_is_not_made_up(folder):
    with Scratch("a.wav", 1000, CPU) as scratch:
        rows = scratch.rows(1)
        rows.append(torch.ones(2, 1))
        with pytest.raises(EOFError, match="rows 1 to 3 of 2"):
            rows.read(1, 3)


def test_files_have_no_name_so_that_they_vanish_with_the_process(folder):
    with Scratch("a.wav", 1000, CPU) as scratch:
        rows = scratch.rows(1)
        rows.append(torch.ones(9, 1))
        assert [*folder.iterdir()] == []
        held = os.fstat(rows._files[0].fileno())
        assert (held.st_size, held.st_nlink) == (36, 0)
    assert all(file.closed for file in rows._files)


def test_a_folder_with_too_little_room_is_an_error_before_anything_is_heard(folder):
    with pytest.raises(
        InputError,
        match=rf"^a\.wav: temporary files in {folder}: \d+ MB free, expected room for "
        r"9000000000000\.0 MB; free some, or let the environment variable TMPDIR",
    ):
        Scratch("a.wav", 9 * 10**18, CPU)


def test_a_disk_that_fills_says_how_much_was_needed(folder, monkeypatch):
    calls = []

    def fill(*arguments):
        calls.append(arguments)
        raise OSError(errno.ENOSPC, "No space left on device")

    with Scratch("a.wav", 2_500_000, CPU) as scratch:
        rows = scratch.rows(1)
        monkeypatch.setattr(os, "pwrite", fill)
        with pytest.raises(
            InputError, match=r"No space left.*expected room for 2\.5 MB"
        ):
            rows.append(torch.ones(1, 1))
    assert len(calls) == 1


def test_a_write_that_is_cut_short_goes_on(folder, monkeypatch):
    pwrite = os.pwrite
    frames = torch.randn(50, 3)
    with Scratch("a.wav", 1000, CPU) as scratch:
        rows = scratch.rows(3)
        monkeypatch.setattr(os, "pwrite", lambda f, c, at: pwrite(f, c[:7], at))
        rows.append(frames)
        assert torch.equal(rows.read(0, 50), frames)


def test_no_folder_for_temporary_files_is_an_error(monkeypatch):
    def fail():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", fail)
    with pytest.raises(InputError, match="no folder: No usable temporary directory"):
        Scratch("a.wav", 1, CPU)


def test_a_folder_that_has_gone_is_an_error(folder):
    with Scratch("a.wav", 1, CPU) as scratch:
        folder.rmdir()
        with pytest.raises(
            InputError, match="No such file or directory, expected room"
        ):
            scratch.rows(1)
