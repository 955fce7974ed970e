"""Where processes wait for the first of them, before they join."""

import os
import socket
import threading
import time
import uuid
from datetime import timedelta
from types import TracebackType

from lightning.fabric.plugins.environments import ClusterEnvironment
from torch.distributed import DistNetworkError, DistStoreError, is_initialized
from torch.distributed.rendezvous import rendezvous

from speechgru.interfaces import InputError

_ARRIVAL = timedelta(minutes=30)
"""Until the last process must have been started."""

_LOOK = 0.25  # s, between two looks at what the first process says
_OLD_STORE = "TORCHELASTIC_USE_AGENT_STORE"
_ANEW, _GO_ON, _FAILED = b"anew", b"go on", b"failed"


class Meeting:
    """Lets one process decide how a run starts, and the others follow.

    torchrun and SLURM start all processes at once. The first alone looks at the run
    folder and examines the data, for as long as that takes: joining a process
    group has a timeout, waiting here has none. If the first process is no more, the
    wait ends, too.

    torchrun keeps what its store holds when it starts processes again. So each process
    asks under a name of its own, and only an answer to that name counts; and they join
    at a new store, where no address of a process that is no more can be found.

    Args:
        launcher: what torchrun or SLURM has told this process.

    Raises:
        InputError: the other processes did not come.
    """

    def __init__(self, launcher: ClusterEnvironment) -> None:
        self.is_first = launcher.global_rank() == 0
        self._num_processes = launcher.world_size()
        self._name = uuid.uuid4().hex
        self._is_open = False
        self._over = threading.Event()
        if self._num_processes == 1:
            return  # nobody waits
        # Asking for them writes MASTER_ADDR and MASTER_PORT, where they are not known.
        address = f"{launcher.main_address}:{launcher.main_port}"
        try:
            # A server of the first process is shared with the process group.
            self._store, _, _ = next(
                rendezvous(
                    "env://",
                    launcher.global_rank(),
                    launcher.world_size(),
                    timeout=_ARRIVAL,
                )
            )
        except (DistStoreError, DistNetworkError) as error:
            raise InputError(
                f"the {self._num_processes} processes of the run did not meet at "
                f"{address} within {_ARRIVAL}; see whether each of them was started, "
                "and whether the nodes reach each other"
            ) from error
        if not self.is_first:
            self._store.set(_question(launcher.global_rank()), self._name)

    def __enter__(self) -> "Meeting":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Send the others home if the first process has failed before they joined."""
        if self.is_first and not self._is_open:
            self._answer({}, _FAILED)
        self._over.set()

    def open(self, resume: bool) -> None:
        """Say that the others may join, and whether the run goes on or begins."""
        if self.is_first:
            self._is_open = True
            if self._num_processes == 1:
                return
            word = _GO_ON if resume else _ANEW
            if os.environ.get(_OLD_STORE) == "True":
                port = _find_port()
                _join_at(port)
                word += b":" + port.encode()
            threading.Thread(target=self._answer_all, args=[word], daemon=True).start()

    def wait(self) -> bool | None:
        """Wait for the first process.

        Returns:
            Whether the run goes on; None: the first process has failed, or ended.
        """
        try:
            while not self._store.check([_answer_to(self._name)]):
                time.sleep(_LOOK)  # in Python, where signals are heard
            word = self._store.get(_answer_to(self._name))
        except (DistStoreError, DistNetworkError):
            return None
        word, _, port = word.partition(b":")
        if port:
            _join_at(port.decode())
        return None if word == _FAILED else word == _GO_ON

    def _answer_all(self, word: bytes) -> None:
        """Answer until all have joined; some may ask late."""
        answered: dict[int, str] = {}
        try:
            while not is_initialized():
                self._answer(answered, word)
                if self._over.wait(_LOOK):
                    return
        except (DistStoreError, DistNetworkError):
            return  # the run ends, and says why

    def _answer(self, answered: dict[int, str], word: bytes) -> None:
        """Answer those who have asked since the last time."""
        for rank in range(1, self._num_processes):
            if not self._store.check([_question(rank)]):
                continue
            name = self._store.get(_question(rank)).decode()
            if answered.get(rank) != name:
                self._store.set(_answer_to(name), word)
                answered[rank] = name


def _question(rank: int) -> str:
    return f"speechgru/question/{rank}"


def _answer_to(name: str) -> str:
    return f"speechgru/answer/{name}"


def _find_port() -> str:
    with socket.socket() as free:
        free.bind(("", 0))
        return str(free.getsockname()[1])


def _join_at(port: str) -> None:
    """Join at a store of the first process, instead of torchrun's."""
    os.environ["MASTER_PORT"] = port
    os.environ[_OLD_STORE] = "False"
