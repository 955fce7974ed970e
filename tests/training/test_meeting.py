"""Processes that torchrun has started wait for the first, and only for its word now."""

import threading
from dataclasses import dataclass

import pytest
from torch.distributed import TCPStore

from speechgru.training.meeting import Meeting


@dataclass
class Process:
    """What a launcher tells one process of two."""

    rank: int
    main_address: str
    main_port: int

    def global_rank(self):
        return self.rank

    def world_size(self):
        return 2


@pytest.fixture
def processes(monkeypatch):
    """Two processes at a store that outlives them, as torchrun's does."""
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", str(store.port))
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    yield [Process(rank, "127.0.0.1", store.port) for rank in (0, 1)]
    del store


def wait(meeting, words):
    thread = threading.Thread(target=lambda: words.append(meeting.wait()), daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("resume", [True, False])
def test_the_first_process_decides(processes, resume):
    words = []
    first, other = map(Meeting, processes)
    waiting = wait(other, words)
    waiting.join(0.5)
    assert not words
    with first:
        first.open(resume)
        waiting.join()
    assert words == [resume]


def test_the_others_end_if_the_first_has_failed(processes):
    words = []
    first, other = map(Meeting, processes)
    waiting = wait(other, words)
    with pytest.raises(KeyError), first:
        raise KeyError
    waiting.join()
    assert words == [None]


def test_the_word_of_an_earlier_start_does_not_count(processes, monkeypatch):
    words = []
    first, other = map(Meeting, processes)
    with first:
        first.open(False)
        wait(other, words).join()
    monkeypatch.setenv("MASTER_PORT", str(processes[0].main_port))
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    later, again = map(Meeting, processes)
    waiting = wait(again, words)
    waiting.join(0.5)
    assert words == [False]
    with later:
        later.open(True)
        waiting.join()
    assert words == [False, True]
