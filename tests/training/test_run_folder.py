"""The folder of a run: whose it is, and what does not stay in it."""

import errno
import fcntl
import os
import signal
from dataclasses import replace

import pytest

from speechgru.interfaces import InputError
from speechgru.options import TrainerOptions, TrainOptions, choose
from speechgru.training.run_folder import (
    claim,
    options_before,
    starting,
    write_options,
)


@pytest.fixture
def other(tmp_path):
    """Another process that has claimed the folder; killed at the end."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        with claim(tmp_path):
            os.write(write_end, b"claimed")
            signal.pause()
        os._exit(0)
    os.read(read_end, 7)
    os.close(read_end)
    os.close(write_end)
    yield child
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_two_processes_never_train_in_one_folder(tmp_path, other):
    message = f"process {other} of .*, since .*, trains in this folder"
    with pytest.raises(InputError, match=message), claim(tmp_path):
        pytest.fail("claimed twice")


def test_a_refused_start_leaves_everything_to_who_trains_there(tmp_path, other):
    for _ in range(2):
        with (
            pytest.raises(InputError, match="trains in this folder"),
            starting(tmp_path),
            claim(tmp_path),
        ):
            pytest.fail("claimed twice")
        assert (tmp_path / ".lock").exists()


def test_a_failed_start_leaves_nothing(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".lock").touch()  # of a start that was killed

    def start():
        with starting(folder), claim(folder):
            (folder / "start.json").touch()
            raise InputError("wrong")

    with pytest.raises(InputError, match="wrong"):
        start()
    assert not folder.exists()


def test_a_lock_that_is_taken_away_meanwhile_is_none(tmp_path, monkeypatch):
    lock, calls = fcntl.lockf, []

    def remove_first(file, *flags):
        if not calls:
            (tmp_path / ".lock").unlink()
        calls.append(file)
        return lock(file, *flags)

    monkeypatch.setattr(fcntl, "lockf", remove_first)
    with claim(tmp_path):
        assert f'"process": {os.getpid()}' in (tmp_path / ".lock").read_text()
    assert len(calls) == 2


def test_a_killed_process_leaves_the_folder_free(tmp_path, other):
    os.kill(other, signal.SIGKILL)
    os.waitid(os.P_PID, other, os.WEXITED | os.WNOWAIT)
    with claim(tmp_path):
        assert f'"process": {os.getpid()}' in (tmp_path / ".lock").read_text()
    assert (tmp_path / ".lock").read_text() == ""


def test_a_file_system_without_locks_is_told_and_used(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", refuse)
    with claim(tmp_path):
        pass
    assert "has no locks (No locks available)" in caplog.text


def test_half_written_files_of_a_run_are_removed_and_nothing_else(tmp_path):
    half = [".last.ckpt.0a1b2c3d", ".epoch-0010.ckpt.00000000", ".config.yaml.ffffffff"]
    kept = [".last.ckpt.backup", ".best-an4-test.jsonl.0a1b2c3d", "last.ckpt.0a1b2c3d"]
    for name in half + kept:
        (tmp_path / name).write_text("x")
    with claim(tmp_path):
        assert sorted(os.listdir(tmp_path)) == sorted([*kept, ".lock"])


def test_the_configuration_says_what_was_before(tmp_path):
    before = TrainOptions(corpus=choose("corpus", "yesno"))
    now = replace(before, trainer=TrainerOptions(max_epochs=7))
    # Somebody has written into it: what is no entry is not kept.
    write_options(tmp_path, before, None, [{"until_step": 3, "seed": 2}])
    with (tmp_path / "config.yaml").open("a") as file:
        file.write("- 7\n- null\n")
    was = options_before(tmp_path, before, now, 12)
    assert was == [
        {"until_step": 3, "seed": 2},
        {"until_step": 12, "trainer.max_epochs": 100},
    ]
    write_options(tmp_path, now, None, was)
    assert options_before(tmp_path, before, now, 12) == was, "killed, and on again"
