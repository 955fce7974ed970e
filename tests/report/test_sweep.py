"""The table and the picture of a sweep."""

import json

import pytest

from speechgru.cli.main import UsageError
from speechgru.cli.runs import main
from speechgru.interfaces import InputError
from speechgru.report.sweep import SweptRun, find_best, find_swept, read_sweep


@pytest.fixture
def sweep(tmp_path):
    """Two that ended, one that failed, one that goes on."""
    runs = [
        SweptRun(0, {"seed": "1", "lr": "0.01", "encoder": "gru"}).finish(
            "val/wer", 0.5
        ),
        SweptRun(1, {"seed": "1", "lr": "0.1", "encoder": "gru"}).finish(
            "val/wer", 0.25
        ),
        SweptRun(2, {"seed": "1", "lr": "1", "encoder": "lstm"}).fail("no\nmemory"),
        SweptRun(3, {"seed": "1", "lr": "'a,b'", "encoder": "lstm"}),
    ]
    for run in runs:
        (tmp_path / str(run.number)).mkdir()
        run.write(tmp_path / str(run.number))
    return tmp_path


def test_a_sweep_has_a_column_for_each_option_that_was_swept(sweep, capsys):
    assert main([str(sweep)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1:] == [
        ["run", "lr", "encoder", "epochs", "dev", "wer"],
        ["0", "0.01", "gru", "-", "50.00"],
        ["1", "0.1", "gru", "-", "25.00", "best"],
        ["2", "1", "lstm", "-", "-", "failed:", "no"],
        ["3", "'a,b'", "lstm", "-", "-", "unfinished"],
        ["picture:", f"{sweep}/sweep.png"],
    ]
    assert (sweep / "sweep.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_sweep_as_json(sweep, capsys):
    assert main([str(sweep), "format=json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [(r["state"], r["score"], r["best"]) for r in records] == [
        ("finished", 0.5, False),
        ("finished", 0.25, True),
        ("failed", None, False),
        ("unfinished", None, False),
    ]


def test_a_sweep_without_a_score_has_no_best_run_and_a_picture(sweep, capsys):
    runs = read_sweep(sweep)[2:]
    assert find_best(runs) is None
    for number in (0, 1):
        (sweep / str(number) / "sweep.json").unlink()
    assert main([str(sweep)]) == 0
    assert "best" not in capsys.readouterr().out
    assert (sweep / "sweep.png").exists()


def test_an_option_that_only_some_runs_have_is_a_swept_one():
    assert find_swept([SweptRun(0, {"a": "1"}), SweptRun(1, {"a": "1", "b": "2"})]) == [
        "b"
    ]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"number": "x"}', '{"a": 1}'])
def test_a_damaged_record_is_named(sweep, content):
    (sweep / "1/sweep.json").write_text(content)
    with pytest.raises(InputError, match=r"1/sweep\.json: not the record of a run"):
        main([str(sweep)])


def test_a_sweep_beside_other_folders_is_refused(sweep, tmp_path):
    with pytest.raises(UsageError, match=r"other holds no sweep, as .* does"):
        main([str(sweep), str(tmp_path / "other")])
