"""Failures of loading, as the training process gets them from another."""

import os
import signal

import pytest
import soundfile
import speech_data
from conftest import make_tones
from torch.utils.data import DataLoader

from speechgru.data.loading import NamedFailures, ignore_signals
from speechgru.data.manifest import read_manifest
from speechgru.interfaces import InputError
from speechgru.text.tokenizer import CharacterTokenizer


class Batches:
    """Eight items, each the id of the process that loaded it."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return os.getpid()


class Failing:
    """Raises what it is asked for."""

    def __getitem__(self, error):
        raise error


def make_module(manifest, num_workers, tokenizer=None, num_ranks=1):
    utterances = read_manifest(manifest)
    tokenizer = tokenizer or CharacterTokenizer(" ABCD")
    return speech_data.make_module(
        utterances, utterances[:3], tokenizer, num_workers, num_ranks=num_ranks
    )


def load_all(module):
    """Load as Lightning does."""
    for batch in module.val_dataloader():
        module.on_before_batch_transfer(batch, 0)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_file_that_cannot_be_loaded_is_named_in_the_training_process(
    tmp_path, num_workers
):
    manifest = make_tones(tmp_path, "dev", 3)
    broken = tmp_path / "wav" / "dev-001.wav"
    for spoil, message in (
        (lambda: soundfile.write(broken, [0.1] * 4000, 16000), "16000 Hz"),
        (broken.unlink, r"dev-001\.wav: cannot be opened"),
    ):
        spoil()
        module = make_module(manifest, num_workers)
        with pytest.raises(InputError, match=message) as caught:
            load_all(module)
        assert "Traceback" not in str(caught.value)


def test_an_unknown_character_in_a_loading_process_is_named(tmp_path):
    module = make_module(make_tones(tmp_path, "dev", 3), 1, CharacterTokenizer(" A"))
    with pytest.raises(InputError, match=r"dev-00\d: .* is not among") as caught:
        load_all(module)
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(13, "Permission denied", "a.wav"), "a.wav: cannot be loaded"),
        (MemoryError(), "memory ran out; lower data.batch_seconds"),
    ],
)
def test_the_system_s_errors_are_named_as_well(error, message):
    class Planned(type(error)):
        indices = (1, 2)

    planned = Planned(*error.args)
    planned.filename = getattr(error, "filename", None)
    assert message in NamedFailures(Failing())[planned].message


def test_a_fault_of_the_program_stays_one():
    with pytest.raises(KeyError):
        NamedFailures(Failing())[KeyError("bug")]


def test_loading_processes_leave_signals_to_the_main_one():
    loader = DataLoader(
        Batches(), batch_size=None, num_workers=1, worker_init_fn=ignore_signals
    )
    batches = iter(loader)
    worker = next(batches)
    assert worker != os.getpid()
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(worker, number)
    assert list(batches) == [worker] * 7


def test_steps_that_the_number_of_processes_changes_are_told(tmp_path, caplog):
    manifest = make_tones(tmp_path, "train", 12)
    make_module(manifest, 0).setup("fit")
    assert not caplog.messages
    many = make_module(manifest, 0, num_ranks=6)
    many.setup("fit")
    (message,) = caplog.messages
    alone = many._plan(1, 0, 1).steps_per_epoch
    assert message.startswith(
        f"12 items make {many.steps_per_epoch} steps an epoch, but {alone} on one "
    )
    assert many.steps_per_epoch < alone
