"""The arithmetic of the GPU kit: ratios, shares, searches, costs and tables."""

from pathlib import Path
from types import SimpleNamespace

import cost
import largest
import pytest
import results_page
import shares
import speed_part
import torch
from record import read_records
from steps import Shape, Window
from torch.autograd.profiler_util import FunctionEvent, Kernel

ROOT = Path(__file__).parents[2]
NO_SHAPES = [Shape(torch.tensor([1]), torch.tensor([1]))]


def test_a_ratio_is_that_of_the_same_steps():
    windows = [Window(2.0, 100.0, NO_SHAPES), Window(4.0, 100.0, NO_SHAPES),
               Window(1.0, 100.0, NO_SHAPES)]  # fmt: skip
    found = speed_part.summarise(windows, [1.0, 3.6, 0.9], window=2)
    assert found["audio_hours_per_hour"] == 50.0
    assert (found["lowest"], found["highest"]) == (25.0, 100.0)
    assert found["step_seconds"] == 1.0
    assert found["bare_audio_hours_per_hour"] == pytest.approx(100.0)
    assert found["ratio"] == 0.9  # of 0.5, 0.9 and 0.9
    alone = speed_part.summarise(windows, None, window=2)
    assert alone["ratio"] is None


def test_what_no_part_accounts_for_is_waiting():
    found = speed_part.share_out({"CTC": 0.1, "other": 0.3}, 0.5)
    assert found == {"CTC": 0.2, "other": 0.6, "waiting": 0.2}
    # Taken apart, a step may be slower than it is.
    assert speed_part.share_out({"CTC": 0.6}, 0.5)["waiting"] == 0


@pytest.mark.parametrize(("limit", "first"), [(1234.0, 100.0), (30.0, 100.0)])
def test_the_largest_size_is_enclosed(limit, first):
    tried = []

    def fits(size):
        tried.append(size)
        return size <= limit

    low, high = largest.bisect(fits, first, 60.0)
    assert low <= limit < high <= 1.1 * low
    assert len(tried) < 12


def test_a_search_without_time_tells_what_it_knows():
    assert largest.bisect(lambda size: True, 100.0, 0.0) == (100.0, None)
    assert largest.bisect(lambda size: False, 100.0, 0.0) == (None, 100.0)


def make_event(name, start, end, parent=None, number=-1, kernels=()):
    event = FunctionEvent(
        id=start, name=name, thread=1, start_us=start, end_us=end, sequence_nr=number
    )
    for kernel, duration in kernels:
        event.kernels.append(Kernel(kernel, 0, duration))
    if parent is not None:
        event.set_cpu_parent(parent)
        parent.append_cpu_child(event)
    return event


def test_kernels_are_counted_where_their_forward_operation_was():
    encoder = make_event(f"{shares.MARK}recurrent layers", 0, 30)
    # A mask without a gradient bears the number of the operation behind it.
    mask = make_event("aten::lt", 1, 2, encoder, 7, [("lt", 1e6)])
    gru = make_event("aten::_cudnn_rnn", 3, 20, encoder, 7, [("rnn", 2e6)])
    head = make_event(f"{shares.MARK}output layer", 31, 40)
    late = make_event("aten::view", 32, 33, head, 8)
    linear = make_event("aten::addmm", 34, 36, head, 8, [("gemm", 4e6)])
    loss = make_event("aten::_ctc_loss", 41, 45, None, 9, [("ctc", 8e6)])
    backward = make_event(f"{shares.BACKWARD}CudnnRnnBackward0", 50, 60, None, 7)
    rnn_back = make_event(
        "aten::_cudnn_rnn_backward", 51, 59, backward, 7, [("rnn_back", 16e6)]
    )
    step = make_event("Optimizer.step#AdamW.step", 61, 70,
                      kernels=[("Optimizer.step#AdamW.step", 99e6)])  # fmt: skip
    adam = make_event("aten::_fused_adamw_", 62, 65, step, -1, [("adam", 32e6)])
    copy = make_event("aten::copy_", 71, 72, None, -1, [("Memcpy HtoD", 64e6)])
    events = [encoder, mask, gru, head, late, linear, loss, backward, rnn_back, step,
              adam, copy]  # fmt: skip
    found = {kind: s for kind, s in shares.add_up(events, "cuda").items() if s}
    assert found == {
        "recurrent layers": 19.0,
        "output layer": 4.0,
        "CTC": 8.0,
        "optimiser": 32.0,
        "other": 64.0,
    }


def test_a_module_is_known_forward_and_backward(monkeypatch):
    model = SimpleNamespace(
        encoder=torch.nn.GRU(8, 16, batch_first=True), head=torch.nn.Linear(16, 5)
    )
    hooks = [
        *shares._mark(model.encoder, f"{shares.MARK}recurrent layers"),
        *shares._mark(model.head, f"{shares.MARK}output layer"),
    ]
    with torch.profiler.profile(acc_events=True) as profile:
        model.head(model.encoder(torch.randn(2, 50, 8))[0]).sum().backward()
    for hook in hooks:
        hook.remove()
    # Operations are counted, not timed, whatever else the machine does.
    monkeypatch.setattr(FunctionEvent, "self_cpu_time_total", property(lambda _: 1e6))
    found = shares.add_up(profile.events(), "cpu")
    forward = shares.add_up(
        (event for event in profile.events() if shares._kind_forward(event)), "cpu"
    )
    for part, frames in (("recurrent layers", 50), ("output layer", 1)):
        assert forward[part] > 5 * frames
        assert found[part] - forward[part] > 10 * frames, "operations back"
    assert found["other"] < 50 < found["recurrent layers"] / 50


def make_records():
    """Round numbers of a machine that there is not."""
    machine = {"gpu": "no such GPU", "cpu": "some", "cores": 2, "torch": "2"}
    head = {"dry_run": False, "machine": machine, "commit": "c", "date": "d",
            "seconds": 1.0}  # fmt: skip
    training = {
        "kind": "training", "recipe": None, "encoder": "gru", "hidden_size": 1024,
        "batch_seconds": 1000.0, "precision": "bf16-mixed", "step_seconds": 0.6,
        "augment": "",
        "audio_hours_per_hour": 5000.0, "lowest": 4900.0, "highest": 5100.0,
        "bare_audio_hours_per_hour": 5500.0, "ratio": 0.91, "peak_memory_gb": 30.0,
        "shares": dict.fromkeys((*shares.KINDS, "waiting"), 0.125),
    }  # fmt: skip
    host = [
        {"kind": "loading", "stage": "load a batch, FLAC", "lowest": 1.0,
         "highest": 2.0, "cpu_seconds_per_audio_hour": 1.8},
        {"kind": "storage", "format": "flac", "megabytes_per_audio_hour": 72.0},
        {"kind": "checkpoint", "hidden_size": 1024, "num_layers": 5,
         "num_parameters": 100_000_000, "megabytes": 1200.0, "wall_seconds": 3.0},
    ]  # fmt: skip
    return {"speed": {**head, "rows": [training]}, "host": {**head, "rows": host}}


def read_row(text, *starts):
    """The cells of the first row that begins with these."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[: len(starts)] == list(starts):
            return cells[len(starts) :]
    raise AssertionError(starts)


def test_costs_follow_from_what_was_measured():
    text = cost.render(make_records())
    of_largest = text.partition("5x1024 bi-GRU")[2]
    # 10,000 h x 10 epochs / 5,000 audio-hours per hour
    assert read_row(of_largest, "10,000 h", "10") == ["20", "20", "2.5", "0.3125"]
    assert "not measured" in read_row(text, "10,000 h", "10")  # of 5x800
    assert read_row(text, "5x1024", "100,000,000") == ["1.6", "30"]
    # 5,000 x 72 MB / 3600 s; 5,000 x 1.8 s / 3600 s
    assert read_row(text, "one GPU with 5x1024")[:2] == ["100.0", "2.5"]
    assert read_row(text, "one GPU with 5x800")[0] == "not measured"
    assert read_row(text, "1,000 audio-hours per hour")[:3] == [
        "20", "0.5", "not measured",
    ]  # fmt: skip
    # 2 x 7/8 x 400 MB, within two thirds of 0.6 s
    assert read_row(text, "5x1024", "8") == ["700.0", "1.75"]


def test_the_page_of_results_shows_what_there_is_and_what_there_is_not():
    text = results_page.render(make_records())
    row = read_row(text, "5x1024 gru", "1000", "bf16-mixed")
    assert row[:5] == ["5,000.0", "4,900.0 - 5,100.0", "5,500.0", "0.91", "30"]
    assert "12.5 %" in text
    other = read_row(text, "5x800 gru", "1000", "bf16-mixed")
    assert set(other) == {"not measured", ""}
    assert read_row(text, "an4/bigru", "not measured")
    empty = results_page.render({})
    assert "no such GPU" not in empty
    assert empty.count("Of this nothing was run: not measured.") == 5


def test_no_figure_of_the_pages_is_typed_by_hand():
    records = read_records(ROOT / "benchmarks/gpu/results")
    page = (ROOT / "benchmarks/gpu/RESULTS.md").read_text()
    assert page == results_page.render(records)
    text = cost.DOC.read_text()
    assert text == cost.fill(text, cost.render(records))


def test_a_page_without_its_markers_is_refused():
    with pytest.raises(ValueError, match="lacks"):
        cost.fill("nothing", "tables")
