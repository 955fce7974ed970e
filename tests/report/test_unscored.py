"""The page of a run that was not evaluated so far."""

import re

import pytest
import yaml

from speechgru.cli.report import main
from speechgru.interfaces import InputError
from speechgru.report.unscored import is_unscored, read_unscored
from speechgru.score.results import make_result, write_results


@pytest.fixture
def run(tmp_path):
    """A run in its third epoch of five."""
    folder = tmp_path / "run"
    metrics = folder / "metrics/version_0/metrics.csv"
    metrics.parent.mkdir(parents=True)
    metrics.write_text(
        "epoch,train/loss,train/cpu_seconds,val/wer\n"
        "0,,,0.9\n0,3.5,60,\n1,,,0.25\n1,2.5,120,\n2,,,0.3"  # being written
    )
    config = {"trainer": {"max_epochs": 5}, "corpus": {"name": "<b>tönes</b>"}}
    text = yaml.safe_dump(config, allow_unicode=True)
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    (folder / "train.log").write_text(
        "2026-11-28 21:00:00,000 INFO epoch 1/5: train/loss 3.5\n"
        "2026-11-28 21:00:00,001 INFO   a: ONE | heard: \n"
        "2026-11-28 21:01:00,000 INFO epoch 2/5: train/loss 2.5\n"
        "2026-11-28 21:01:00,001 INFO   a: ONE | heard: <script>alert(1)</script>\n"
        "2026-11-28 21:01:00,002 INFO   b: TWO SIX | heard: TWO\n"
        "2026-11-28 21:02:00,000 INFO epoch 3/5, 10 steps\n"
    )
    for name in ("best.ckpt", "last.ckpt"):
        (folder / name).touch()
    return folder


def report(capsys, *arguments):
    assert main([*map(str, arguments)]) == 0
    return capsys.readouterr()


def test_the_page_shows_how_far_a_run_is(run, capsys):
    printed = report(capsys, run)
    assert printed.out.startswith(f"report: {run}/report.html (")
    page = (run / "report.html").read_text(encoding="utf-8")
    for cells in (
        ("epochs done", "2 of 5"),
        ("CPU time", "2.0 minutes"),
        ("lowest WER on dev", "25.00 %, in epoch 2"),
        ("checkpoints", "best.ckpt, last.ckpt"),
        ("b", "TWO SIX", "TWO"),
    ):
        assert f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" in page
    assert 'src="data:image/png;base64,iVBOR' in page
    # What a stranger wrote is shown, and is no part of the page.
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;b&gt;tönes&lt;/b&gt;" in page
    assert "ONE</td><td></td>" not in page  # of an epoch before


def test_what_is_missing_is_said_with_the_command(run, capsys):
    printed = report(capsys, run)
    page = (run / "report.html").read_text(encoding="utf-8")
    commands = [
        f"speechgru evaluate {run}",
        f"speechgru evaluate {run} split=dev",
        f"speechgru train resume={run}",
    ]
    assert re.findall("<code>(.*?)</code>", page) == commands
    lines = printed.err.splitlines()
    assert [line.rpartition(": ")[2] for line in lines] == commands
    assert lines[2].startswith(
        f"{run}: not there yet: 3 of 5 epochs, if it was stopped"
    )


def test_before_the_first_epoch_there_is_a_page_too(run, capsys):
    for path in (*run.glob("*.ckpt"), run / "train.log"):
        path.unlink()
    (run / "metrics/version_0/metrics.csv").write_text("")
    printed = report(capsys, run, f"output={run}/now.html")
    page = (run / "now.html").read_text()
    assert "<td>checkpoints</td><td>none</td>" in page
    assert "data:image" not in page
    assert "a checkpoint, which the end of the first epoch brings" in printed.err
    assert "evaluate" not in printed.err


def test_beside_results_a_run_without_any_is_told(run, tmp_path, capsys):
    results = tmp_path / "a.jsonl"
    write_results(results, [make_result("x", "GO ON", "GO IN", "levenshtein")])
    printed = report(capsys, results, run, "worst=0", f"output={tmp_path}/b.html")
    assert f"utterances to listen to: speechgru evaluate {run}\n" in printed.err
    assert '"name":' in (tmp_path / "b.html").read_text().replace('": ', '":')


def test_a_run_is_scored_once_there_are_results(run, tmp_path):
    assert is_unscored(run)
    (run / "best-a-test.summary.json").write_text("{}")
    assert not is_unscored(run)
    assert not is_unscored(tmp_path)  # which is no run
    assert not is_unscored(run / "train.log")


def test_a_damaged_run_is_named(run):
    (run / "metrics/version_0/metrics.csv").write_text("epoch,val/wer\nx,1\n")
    with pytest.raises(InputError, match=r"metrics\.csv: not what a run logs"):
        main([str(run)])


def test_a_log_that_is_no_log_has_no_samples(run):
    (run / "train.log").write_bytes(b"\xff\xfe heard: \x00 | ")
    assert read_unscored(run).samples == ()
