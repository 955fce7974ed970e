"""Checkpoints that are written behind the back of training."""

import threading
import time

import pytest
import torch

from speechgru.checkpoint.storage import read_checkpoint
from speechgru.interfaces import InputError
from speechgru.training import checkpoint_writer
from speechgru.training.checkpoint_writer import CheckpointWriter


@pytest.fixture
def disk(monkeypatch):
    """A disk that writes when it is let, and keeps what it was given."""

    class Disk:
        def __init__(self):
            self.may_write, self.written, self.error = threading.Event(), {}, None

        def write(self, content, path):
            self.may_write.wait(60)
            if self.error is not None:
                raise self.error
            self.written[path] = content

    disk = Disk()
    monkeypatch.setattr(checkpoint_writer, "write_checkpoint", disk.write)
    return disk


def make_state():
    weight = torch.ones(3, requires_grad=True)
    return {"state_dict": {"weight": weight}, "moments": [(weight, 2)], "epoch": 1}


def test_training_goes_on_and_changes_nothing_that_is_written(disk):
    state = make_state()
    with CheckpointWriter() as writer:
        writer.save_checkpoint(state, "last.ckpt")
        assert not disk.written  # and yet we are here
        with torch.no_grad():
            state["state_dict"]["weight"].zero_()
        disk.may_write.set()
    content = disk.written["last.ckpt"]
    assert content["state_dict"]["weight"].tolist() == [1, 1, 1]
    assert content["moments"][0][0].tolist() == [1, 1, 1]
    assert content["moments"][0][1] == 2
    assert content["epoch"] == 1
    assert not content["state_dict"]["weight"].requires_grad


def test_files_are_written_one_after_the_other_and_wait_for_their_own_name(disk):
    with CheckpointWriter() as writer:
        writer.save_checkpoint(make_state(), "best")
        writer.save_checkpoint(make_state(), "last")
        arguments = make_state() | {"epoch": 2}, "last"
        saver = threading.Thread(target=writer.save_checkpoint, args=arguments)
        saver.start()
        saver.join(0.2)
        assert saver.is_alive()
        assert not disk.written
        disk.may_write.set()
        saver.join()
        assert list(disk.written) == ["best", "last"]
    assert disk.written["last"]["epoch"] == 2


@pytest.fixture
def full(tmp_path):
    """Where nothing can be written, as on a full disk."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "last.ckpt"


def test_an_error_of_writing_is_raised_by_the_next_or_at_the_end(full):
    writer = CheckpointWriter()
    writer.save_checkpoint(make_state(), full)
    with pytest.raises(InputError, match="cannot be written"):
        writer.save_checkpoint(make_state(), full)
    writer.finish()  # it was told of once
    with pytest.raises(InputError, match="free some space"), writer:
        writer.save_checkpoint(make_state(), full)


def test_a_look_between_steps_raises_the_error_and_does_not_wait(disk):
    with CheckpointWriter() as writer:
        writer.check()
        writer.save_checkpoint(make_state(), "last.ckpt")
        writer.check()  # it is still being written
        disk.error = InputError("last.ckpt: cannot be written")
        disk.may_write.set()

        def look_again():
            while True:
                writer.check()
                time.sleep(0.01)

        with pytest.raises(InputError, match="cannot be written"):
            look_again()


def test_what_ended_a_run_is_not_hidden_by_an_error_of_writing(full, caplog):
    def end_run():
        with CheckpointWriter() as writer:
            writer.save_checkpoint(make_state(), full)
            raise KeyError("the run")

    with pytest.raises(KeyError, match="the run"):
        end_run()
    assert "cannot be written" in caplog.text


def test_a_file_is_read_back(tmp_path, checkpoint):
    content = read_checkpoint(checkpoint)
    with CheckpointWriter() as writer:
        writer.save_checkpoint(content, tmp_path / "copy.ckpt")
    copy = CheckpointWriter().load_checkpoint(tmp_path / "copy.ckpt")
    assert copy.keys() == content.keys()
    for name, weight in content["state_dict"].items():
        assert torch.equal(copy["state_dict"][name], weight)
