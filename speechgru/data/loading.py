"""What a process that loads batches leaves to the main one: signals and errors."""

import signal
from dataclasses import dataclass
from typing import Any

from torch.utils.data import Dataset

from speechgru.data.plan import PlannedBatch
from speechgru.files import reason
from speechgru.interfaces import InputError
from speechgru.threads import is_out_of_memory


@dataclass(frozen=True)
class LoadingFailure:
    """Stands for a batch that could not be loaded.

    Attributes:
        message: names the file or the utterance, and the remedy.
    """

    message: str


class NamedFailures(Dataset):
    """Hand over a failure as a value instead of raising it.

    An error that is raised in a loading process arrives as a traceback in a
    message, or, if its class takes other arguments, as another error.

    Args:
        data: makes a batch of a PlannedBatch.
    """

    def __init__(self, data: Dataset) -> None:
        self.data = data

    def __getitem__(self, planned: PlannedBatch) -> Any:
        """Load a batch, or say why not."""
        try:
            return self.data[planned]
        except InputError as error:
            return LoadingFailure(str(error))
        except OSError as error:
            return LoadingFailure(
                f"{error.filename or 'a batch'}: cannot be loaded ({reason(error)}); "
                "check the path and its permissions"
            )
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            return LoadingFailure(
                f"a batch of {len(planned.indices)} utterances cannot be loaded: "
                "memory ran out; lower data.batch_seconds or data.num_workers"
            )


def ignore_signals(worker: int) -> None:
    """Let a loading process leave the signals of its group to the main one.

    It ends when the main process says so, or is no more.

    Args:
        worker: its number; not used.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
