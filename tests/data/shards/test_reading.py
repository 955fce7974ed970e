"""Training batches from shards: all of them, once, in any number of processes."""

import builtins
import os
import time
from collections import Counter

import numpy as np
import pytest
import speech_data
import torch

from speechgru.data.loading import LoadingFailure
from speechgru.data.plan import PlannedBatch
from speechgru.data.shards.read_ahead import NUM_AHEAD, ReadAhead
from speechgru.data.shards.stored_files import StoredFiles
from speechgru.data.sources.shards import Shards
from speechgru.data.window import FileWindow
from speechgru.interfaces import InputError
from speechgru.text.tokenizer import CharacterTokenizer


def make_module(folder, num_workers=0, rank=0, num_ranks=1, **options):
    corpus = Shards("shards", str(folder))
    splits = corpus.read("train"), corpus.read("dev")
    tokenizer = CharacterTokenizer("AB")
    module = speech_data.make_module(
        *splits, tokenizer, num_workers, rank, num_ranks, **options
    )
    module.setup("fit")
    return module


def load(module, epoch=0, skip=0):
    module.train_plan.set_epoch(epoch, skip)
    return [*module._load(module.train_data, module.train_plan)]


def test_workers_load_the_same_batches_as_the_training_process(shards):
    alone, many = (load(make_module(shards, number), epoch=1) for number in (0, 2))
    assert [batch.ids for batch in alone] == [batch.ids for batch in many]
    for first, second in zip(alone, many, strict=True):
        assert torch.equal(first.waveforms, second.waveforms)
    assert Counter(id for batch in alone for id in batch.ids) == Counter(
        f"a-{number:02}" for number in range(30)
    )


def test_after_a_resume_the_other_batches_follow(shards):
    whole = [batch.ids for batch in load(make_module(shards), epoch=2)]
    rest = [batch.ids for batch in load(make_module(shards, 2), epoch=2, skip=3)]
    assert rest == whole[3:]


def test_processes_share_every_step(shards):
    ranks = [load(make_module(shards, 0, rank, 3)) for rank in range(3)]
    assert len({len(batches) for batches in ranks}) == 1
    for parts in zip(*ranks, strict=True):
        assert {batch.step_size for batch in parts} == {
            sum(len(batch.ids) for batch in parts)
        }
    counts = Counter(id for batches in ranks for batch in batches for id in batch.ids)
    assert set(counts.values()) == {1}
    assert len(counts) == 30


def test_shards_of_an_address_are_loaded_like_those_of_a_folder(shards, host):
    near, far = make_module(shards), make_module(host.address, num_workers=2)
    assert [b.ids for b in load(near)] == [b.ids for b in load(far)]
    assert set(host.requests.values()) == {1}
    assert [b.ids for b in near.val_dataloader()] == [
        b.ids for b in far.val_dataloader()
    ]


def test_a_shard_that_is_gone_ends_the_run_by_its_name(host):
    module = make_module(host.address, num_workers=2)
    host.status["train/000003.tar"] = 404
    failures = [b for b in load(module) if isinstance(b, LoadingFailure)]
    assert failures
    assert "train/000003.tar: cannot be fetched (HTTP 404" in failures[0].message


def test_utterances_without_words_come_too(shards):
    module = make_module(shards, wordless=0.2)
    ids = [id for batch in load(module) for id in batch.ids]
    assert len(ids) == len(set(ids)) == 36
    assert sum(id.startswith("wordless") for id in ids) == 6


class Recorder:
    """Notes which files are fetched and read, in order."""

    def __init__(self, monkeypatch):
        self.fetched, self.opened = [], []
        real = builtins.open

        def noting(path, *args, **options):
            if str(path).endswith(".tar"):
                self.opened.append(path)
            return real(path, *args, **options)

        monkeypatch.setattr(builtins, "open", noting)

    def fetch(self, path):
        self.fetched.append(path)


def test_each_file_is_read_once_an_epoch_in_its_order(shards, monkeypatch):
    stored = StoredFiles.find(Shards("shards", str(shards)).read("train"))
    window = stored.mix(1, seed=1, num_more=0)
    recorder = Recorder(monkeypatch)
    read_ahead = ReadAhead(stored.paths, window.files, window, recorder.fetch)
    monkeypatch.setattr(ReadAhead, "_send", lambda self, number: sent.append(number))
    for epoch in range(2):
        sent: list[int] = []
        order = window.order(epoch).tolist()
        for place, number in enumerate(order):
            index = int(np.flatnonzero(window.files == number)[0])
            read_ahead.follow(PlannedBatch((index,), epoch, place, 0, 1))
            assert sent == order[: place + 1 + NUM_AHEAD]


def test_a_thread_reads_files_from_beginning_to_end(shards, monkeypatch):
    stored = StoredFiles.find(Shards("shards", str(shards)).read("train"))
    window = FileWindow(stored.numbers, 2, seed=1)
    recorder = Recorder(monkeypatch)
    read_ahead = ReadAhead(stored.paths, window.files, window, recorder.fetch)
    last = int(np.flatnonzero(window.files == window.order(0)[-1])[0])
    read_ahead.follow(PlannedBatch((last,), 0, 0, 0, 1))
    assert read_ahead._owner == os.getpid()
    for _ in range(1000):
        if len(recorder.opened) == 6:
            break
        time.sleep(0.01)
    assert recorder.opened == [stored.paths[n] for n in window.order(0)]


def test_a_run_that_goes_on_reads_no_files_that_are_done(shards, monkeypatch):
    sent: list[int] = []
    monkeypatch.setattr(ReadAhead, "_send", lambda self, number: sent.append(number))
    files = np.arange(100)
    window = FileWindow(files, 2, seed=1)
    paths = [shards / str(number) for number in files]
    read_ahead = ReadAhead(paths, files, window, lambda path: None)
    order = window.order(0).tolist()
    read_ahead.follow(PlannedBatch((order[80],), 0, 0, 0, 1))
    assert sent == order[74 : 81 + NUM_AHEAD]


def test_statistics_are_of_few_shards(shards, host):
    module = make_module(host.address, window=1)
    assert len([*module.sample_waveforms(8)]) == 8
    fetched = [name for name in host.requests if name.startswith("train/")]
    assert 0 < len(fetched) <= 3


def test_too_small_a_cache_is_refused(host):
    with pytest.raises(InputError, match=r"data\.cache_size is 0\.0001 GB"):
        make_module(host.address, cache_size=0.0001)
