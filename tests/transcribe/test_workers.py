"""Several processes give what one gives, and none takes the others with it."""

import os
from contextlib import closing
from dataclasses import replace

import pytest
from transcribe.fake_transcriber import FakeTranscriber, load_killed, load_refused

from speechgru.interfaces import InputError
from speechgru.transcribe import workers
from speechgru.transcribe.inputs import Input
from speechgru.transcribe.many_inputs import divide, transcribe_inputs
from speechgru.transcribe.transcript import Failure, Transcript


@pytest.fixture
def write(tmp_path):
    def files(*texts: str) -> list[Input]:
        for number, text in enumerate(texts):
            (tmp_path / f"{number:02}.wav").write_text(text)
        names = [f"{number:02}.wav" for number in range(len(texts))]
        return [Input(str(tmp_path / name), name) for name in names]

    return files


def heard(result: Transcript | Failure) -> str:
    return result.text.split()[0] if isinstance(result, Transcript) else "-"


def test_results_come_in_order_from_several_processes(write):
    inputs = write(*(f"W{n}" for n in range(20)))
    gone = Failure("gone.wav", "gone.wav: not there")
    inputs.insert(3, Input(gone, "gone.wav", speaker="ann"))
    inputs[4] = replace(inputs[4], speaker="bob")
    results = list(transcribe_inputs(inputs, FakeTranscriber, processes=3))
    assert results.pop(3) is gone
    speakers = [each.speaker for each in results]
    assert speakers == [None] * 3 + ["bob"] + [None] * 16
    assert [heard(each) for each in results] == [f"W{n}" for n in range(20)]
    assert str(os.getpid()) not in {each.text.split()[1] for each in results}


def test_processes_work_at_the_same_time(write):
    inputs = write("A", "MEET", "B", "MEET")
    one, other = list(transcribe_inputs(inputs, FakeTranscriber, processes=2))[1::2]
    assert one.text.split()[1] != other.text.split()[1]


def test_a_process_that_dies_takes_only_the_recording_at_which_it_dies(write):
    texts = [f"W{n}" for n in range(12)]
    texts[2], texts[7], texts[9] = "KILL", "EXIT", "BAD"
    inputs = write(*texts)
    results = list(transcribe_inputs(inputs, FakeTranscriber, processes=2))
    expected = ["-" if text in ("KILL", "EXIT", "BAD") else text for text in texts]
    assert [heard(each) for each in results] == expected
    assert results[2].message.startswith(f"{inputs[2].source}: the process that transc")
    assert (
        "was killed by SIGKILL, as the system does when memory is" in results[2].message
    )
    assert "ended with exit status 3" in results[7].message


def test_ctrl_c_is_for_the_process_that_started_the_others(write):
    inputs = write("A", "INTERRUPT", "B")
    results = transcribe_inputs(inputs, FakeTranscriber, processes=2)
    assert [heard(each) for each in results] == ["A", "INTERRUPT", "B"]


def test_what_is_tried_again_is_not_held_up_by_what_waits_for_it(write, monkeypatch):
    monkeypatch.setattr(workers, "AHEAD", 1)
    inputs = write("KILL", *(f"W{n}" for n in range(9)))
    tasks = [inputs[:3], *([each] for each in inputs[3:])]
    results = [*workers.transcribe_on_processes(tasks, FakeTranscriber, 2, 60.0)]
    assert [heard(each) for each in results] == ["-", *(f"W{n}" for n in range(9))]


def test_what_no_process_can_load_is_told_once(write):
    inputs = write("A", "B", "C")
    with pytest.raises(InputError, match=r"^a.ckpt: no such file$"):
        list(transcribe_inputs(inputs, load_refused, processes=2))
    with pytest.raises(
        InputError, match=r"was killed by SIGKILL.* while it loaded the"
    ):
        list(transcribe_inputs(inputs, load_killed, processes=2))


def test_processes_end_with_whoever_asks_no_more(write):
    inputs = write(*(f"W{n}" for n in range(8)))
    with closing(transcribe_inputs(inputs, FakeTranscriber, processes=2)) as results:
        process = int(next(results).text.split()[1])
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_tasks_hold_many_small_files_or_few_large_ones(write, monkeypatch):
    monkeypatch.setattr("speechgru.transcribe.many_inputs.TASK_BYTES", 10)
    inputs = write("A" * 4, "B" * 4, "C" * 4, "D" * 40, "E")
    sizes = [len(task) for task in divide(inputs, 1)]
    assert sizes == [2, 1, 1, 1]
    assert [each for task in divide(inputs, 1) for each in task] == inputs
    assert max(len(task) for task in divide(write(*"ABCDEFGH"), 2)) == 1
    assert divide([], 2) == []
