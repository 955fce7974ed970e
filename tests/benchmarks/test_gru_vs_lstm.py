"""The arithmetic of the comparison; its runs are the user's to make."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import experiment
import planned
import plots
import pytest
import reach
import report
import tables


def make_line(run, edits, **changes):
    """What results.jsonl says of a run, with round numbers."""
    scored = {"edits": edits, "words": [5] * len(edits)}
    fading = [-0.1 * distance for distance in range(planned.MAX_DISTANCE + 1)]
    return {
        **asdict(run),
        "num_parameters": 1000,
        "cpu_seconds_per_epoch": 10.0,
        "peak_memory_mib": 500,
        "dev": scored,
        "test": scored,
        "gradient_reach": {"start": fading, "end": [0.0] * len(fading)},
        "machine": "one",
        **changes,
    }


def test_every_encoder_runs_with_every_seed_and_some_for_other_lengths():
    runs = list(planned.planned_runs())
    # Five of the ten trials of a learning rate are of the comparison, too.
    assert len(runs) == len(set(runs)) == 10 + 7 + 3 * (9 + 5 + 3) - 5
    assert len({run.folder for run in runs}) == len(runs)
    assert [run.epochs for run in runs[:17]] == [24] * 10 + [12] * 5 + [48] * 2
    compared = [
        run
        for run in runs
        if (run.epochs, run.learning_rate)
        == (planned.num_epochs(run.corpus), planned.CHOSEN_RATES[run.encoder])
    ]
    assert [run.seed for run in compared] == [1] * 17 + [2] * 17 + [3] * 17
    assert {(run.corpus, run.epochs) for run in compared} == {
        ("fsdd-official", 24),
        ("fsdd-unseen", 24),
        ("an4", 60),
    }


def test_sizes_are_as_near_in_parameters_as_whole_units_allow():
    target = planned.num_parameters("an4", "gru", 128)
    for encoder in ("rnn", "lstm"):
        size = planned.hidden_sizes("an4", encoder)["parameters"]
        gaps = [
            abs(planned.num_parameters("an4", encoder, size + step) - target)
            for step in (-1, 0, 1)
        ]
        assert min(gaps) == gaps[1]
        assert gaps[1] / target < 0.01
    assert planned.hidden_sizes("an4", "gru") == {"parameters": 128}


def test_a_run_knows_its_corpus(monkeypatch):
    monkeypatch.setenv("SPEECHGRU_DATA", "elsewhere")
    run = next(run for run in planned.planned_runs() if run.corpus == "fsdd-unseen")
    assert run.corpus_overrides == ["corpus=fsdd", "corpus.partition=unseen"]
    assert reach.open_corpus(run).partition == "unseen"
    an4 = next(run for run in planned.planned_runs() if run.corpus == "an4")
    assert an4.corpus_overrides == ["corpus=an4"]
    assert reach.open_corpus(an4).root == Path("elsewhere/an4")


def test_finished_runs_are_known_by_their_lines(tmp_path):
    runs = list(planned.planned_runs())[:2]
    path = tmp_path / "results.jsonl"
    assert planned.finished(path) == set()
    path.write_text(json.dumps(make_line(runs[0], [0])) + "\n")
    assert planned.finished(path) == {runs[0]}


def test_an_epoch_costs_the_median_without_the_start():
    behind = [20.0, 30.0, 45.0, 57.0]  # 10, 15 and 12 s
    learning = [{"train/cpu_seconds": seconds} for seconds in behind]
    assert experiment.seconds_per_epoch(learning) == 12.0


def test_the_table_says_what_the_lines_say():
    gru, lstm = (
        planned.Run("an4", name, sizes["parameters"], 1, 60, planned.CHOSEN_RATES[name])
        for name in ("gru", "lstm")
        if (sizes := planned.hidden_sizes("an4", name))
    )
    lines = [
        make_line(gru, [1, 0, 0, 0]),
        make_line(lstm, [2, 1, 1, 1], cpu_seconds_per_epoch=15.0),
        # Of another length, so not in this table.
        make_line(replace(gru, epochs=30), [3, 3, 3, 3]),
    ]
    table = tables.make_table(lines).splitlines()
    assert len({row.count("|") for row in table}) == 1
    lstm_row, gru_row = table[2:]
    assert "| AN4 | parameters | LSTM |" in lstm_row
    assert "| 15.0 | 1.50 | 500 |" in lstm_row
    assert "**25.00** [20.00, 35.00]" in lstm_row
    # Every utterance has one edit more: so has every draw of them.
    assert "+20.00 [+20.00, +20.00]" in lstm_row
    assert "**5.00** [0.00, 15.00]" in gru_row
    # 10^-0.1 a frame reaches 1 % after 20 frames.
    assert gru_row.endswith("| 20 | > 200 |")


def test_longer_training_stands_beside_shorter():
    run = planned.Run("fsdd-official", "rnn", 128, 1, 24, planned.LENGTHS_RATE)
    lines = [
        make_line(run, [1, 0, 0, 0]),
        make_line(replace(run, epochs=12), [1, 1, 0, 0]),
        make_line(replace(run, epochs=48, seed=2), [5, 5, 5, 5]),
        make_line(replace(run, epochs=48, hidden_size=227), [5, 5, 5, 5]),
        make_line(replace(run, learning_rate=1.5e-3), [1, 1, 1, 0]),
    ]
    table = tables.make_length_table(lines).splitlines()
    assert table[0] == "| encoder | hidden | 12 epochs | 24 epochs | 48 epochs |"
    assert table[2] == "| RNN (tanh) | 128 | 10.00 | 5.00 | - |"
    assert table[3] == "| LSTM | 128 | - | - | - |"
    assert tables.make_rate_table(lines).splitlines()[:3] == [
        "| encoder | hidden | 0.0015 | 0.003 |",
        "|---|---|---|---|",
        "| RNN (tanh) | 128 | 15.00 | 5.00 |",
    ]


def test_the_plots_are_drawn_from_what_is_there():
    run = next(
        run
        for run in planned.planned_runs()
        if (run.corpus, run.encoder) == ("fsdd-unseen", "gru")
    )
    lines = [make_line(run, [1, 0, 0, 0])]
    points = [len(panel.lines) for panel in plots.plot_accuracy(lines).axes]
    assert points[1] > points[0] == points[2] == 0
    start, end = plots.plot_reach(lines).axes
    assert end.lines[0].get_ydata().tolist() == [1.0] * 201
    assert start.lines[0].get_ydata()[10] == pytest.approx(0.1)


def test_only_what_lies_between_the_marks_is_replaced():
    text = "before\n<!-- results -->\nold\n<!-- end of results -->\nafter\n"
    replaced = report.put_between_marks(text, "results", r"new \1")
    assert replaced == (
        "before\n<!-- results -->\n\nnew \\1\n\n<!-- end of results -->\nafter\n"
    )
    with pytest.raises(ValueError, match="0 parts between"):
        report.put_between_marks("no marks", "results", "new")
