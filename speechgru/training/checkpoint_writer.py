"""Checkpoints that are written while training goes on."""

import logging
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import TracebackType
from typing import Any

from lightning.fabric.plugins.io import CheckpointIO
from torch import Tensor

from speechgru.checkpoint.storage import read_checkpoint, write_checkpoint

log = logging.getLogger(__name__)


class CheckpointWriter(CheckpointIO):
    """Copies a checkpoint, and writes the copy behind the back of training.

    Files appear whole or not at all, one after the other. Training waits for a file
    before it copies its successor of the same name, so that there is one copy of each
    in memory at most: best.ckpt does not keep last.ckpt waiting. An error of writing
    is raised by `check`, by the next copy, or at the end: by `with`, which waits.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoints")
        self._writing: dict[str, Future[None]] = {}

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Copy a checkpoint, and begin to write it.

        Raises:
            InputError: one before could not be written.
        """
        before = self._writing.get(str(path))
        if before is not None:
            wait([before])
        self.check()
        content = _copy(checkpoint)
        writing = self._thread.submit(write_checkpoint, content, path)
        self._writing[str(path)] = writing

    def check(self) -> None:
        """Look, without waiting, whether all went well so far.

        Raises:
            InputError: a checkpoint could not be written.
        """
        for name, writing in list(self._writing.items()):
            if writing.done():
                del self._writing[name]
                writing.result()

    def finish(self) -> None:
        """Wait until all is written.

        Raises:
            InputError: it could not be.
        """
        wait(self._writing.values())
        self.check()

    def load_checkpoint(self, path: str | Path, *_: Any, **__: Any) -> dict[str, Any]:
        """Read tensors and plain values."""
        return read_checkpoint(path)

    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint."""
        Path(path).unlink()

    def __enter__(self) -> "CheckpointWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.finish()
        except Exception as failure:
            if error is None:
                raise
            log.error("%s", failure)  # what ended the run comes first
        finally:
            self._thread.shutdown()


def _copy(value: Any) -> Any:
    """A copy on the host of all tensors in plain containers."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, Mapping):
        return {key: _copy(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copy(each) for each in value)
    return value
