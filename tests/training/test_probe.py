"""`speechgru probe` takes steps of the training on the longest utterances."""

import pytest
import torch
from conftest import TINY

from speechgru.cli.probe import main
from speechgru.data.manifest import read_manifest
from speechgru.interfaces import InputError
from speechgru.process_memory import (
    forget_peak,
    memory_for_process,
    peak_memory,
)
from speechgru.training import probe as probing
from speechgru.training.ctc import CTCTask

pytestmark = pytest.mark.usefixtures("threads")


def arguments(tones, *overrides):
    return [*TINY, *tones.overrides, "steps=1", *overrides]


def run(tones, capsys, *overrides):
    assert main(arguments(tones, *overrides)) == 0
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def steps(monkeypatch):
    """Batches of all steps."""
    seen = []
    step = CTCTask.training_step

    def watched(self, batch, index):
        seen.append(batch)
        return step(self, batch, index)

    monkeypatch.setattr(CTCTask, "training_step", watched)
    return seen


def test_a_gpu_that_runs_out_of_memory_is_found_out(tones, capsys, monkeypatch):
    step = CTCTask.training_step
    fits = 5

    def limited(self, batch, index):
        if len(batch.ids) > fits:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return step(self, batch, index)

    monkeypatch.setattr(CTCTask, "training_step", limited)
    *rows, bound, advice = run(tones, capsys)
    assert [int(row.split()[1]) for row in rows[1:]] == [1, 2, 4, 5]
    assert bound.startswith("6 utterances of 1.6 s do not fit")
    assert advice.startswith("advice: data.batch_seconds=")


def test_the_longest_are_tried_together_with_all_views(tones, capsys, steps):
    longest = max(u.duration for u in read_manifest(tones.folder / "train.jsonl"))
    *rows, bound, _ = run(tones, capsys, "max_seconds=7", "task.consistency=0.2")
    assert bound == "no limit up to max_seconds=7"
    assert [int(row.split()[1]) for row in rows[1:]] == [2, 4]  # two views of each
    assert steps[0].waveforms.size(1) == round(8000 * longest)
    assert len(steps) == 4  # of each size one to warm up


def test_on_a_cpu_nothing_is_tried_that_could_take_all_memory(
    tones, capsys, monkeypatch, steps
):
    taken = {0: 10**9, 1: 2 * 10**9, 2: 3 * 10**9, 4: 5 * 10**9}
    monkeypatch.setattr(probing, "memory_for_process", lambda: 10 * 10**9)
    monkeypatch.setattr(
        probing, "peak_memory", lambda: taken[len(steps[-1].ids) if steps else 0]
    )
    *_, bound, advice = run(tones, capsys, "margin=0.5")
    # A gigabyte each, and one before: 5 of 10 are those of 4 utterances.
    assert bound.startswith("5 utterances of 1.6 s do not fit")
    assert max(len(batch.ids) for batch in steps) == 4
    assert "data.batch_seconds=" in advice


def test_advice_is_for_all_accumulated_batches(tones, capsys):
    *_, advice = run(tones, capsys, "trainer.accumulate=3", "max_seconds=2")
    assert advice == (
        "advice: data.batch_seconds=6, in trainer.accumulate=3 batches; with N "
        "processes N times as much"
    )


def test_one_that_does_not_fit_is_an_error(tones, monkeypatch):
    def step(self, batch, index):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(CTCTask, "training_step", step)
    with pytest.raises(InputError, match=r"one utterance of 1.6 s does not fit"):
        main(arguments(tones))


def test_language_models_are_refused(tones):
    with pytest.raises(InputError, match="probe is for acoustic models"):
        main(["corpus=manifest", *tones.overrides, "task=lm"])


def test_the_peak_of_memory_is_measured_anew():
    size = 200 * 10**6
    forget_peak()
    before = peak_memory()
    taken = torch.ones(size // 4)
    high = peak_memory()
    assert size * 0.9 < high - before < size * 1.5
    del taken
    assert memory_for_process() > size
