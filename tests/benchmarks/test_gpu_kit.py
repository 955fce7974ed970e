"""The kit in its dry run: what it writes and refuses, never how long anything took."""

import json
import os
import signal
import sys

import an4_part
import kit
import pytest
import record
import results_page
import torch
from sizes import DRY_RUN, GPU
from tests_part import read_report


@pytest.fixture(scope="module")
def dry_run(tmp_path_factory):
    """What a dry run without tests and AN4 wrote, by part."""
    folder = tmp_path_factory.mktemp("kit")
    arguments = ["cpu", "speed", "waits", "host", "--output", str(folder)]
    assert kit.main(arguments) == 0
    return folder


def rows_of(folder, part, **keys):
    content = json.loads((folder / f"{part}.json").read_text())
    assert content["dry_run"]
    assert content["machine"]["cores"] == os.cpu_count()
    return [
        row
        for row in content["rows"]
        if all(row.get(key) == value for key, value in keys.items())
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("threads")
def test_every_training_is_timed_beside_a_bare_loop_and_taken_apart(dry_run):
    rows = rows_of(dry_run, "speed", kind="training")
    assert not [row for row in rows if record.NOT_MEASURED in row]
    found = [
        (row["recipe"] or row["encoder"], row["precision"], row["ratio"] is not None)
        for row in rows
    ]
    assert found == [
        ("gru", "fp32", True),
        ("gru", "bf16-mixed", True),
        ("an4/bigru", "fp32", True),
        ("an4/bigru", "bf16-mixed", True),
        ("mingru", "bf16-mixed", False),
        ("ligru", "bf16-mixed", False),
        ("gru", "bf16-mixed", True),  # augmented on the device
    ]
    for row in rows:
        assert 0 < row["lowest"] <= row["audio_hours_per_hour"] <= row["highest"]
        assert row["peak_memory_gb"] is None  # of a GPU only
        shares = row["shares"]
        # What runs backward is counted, too: else most would be "other".
        for kind in ("features", "convolutions", "recurrent layers", "CTC"):
            assert shares[kind] > 0, kind
        assert shares["optimiser"] > 0
        assert shares["other"] < shares["recurrent layers"]


@pytest.mark.slow
@pytest.mark.usefixtures("threads")
def test_decoders_transcription_and_the_largest_batch_are_measured(dry_run):
    decoders = rows_of(dry_run, "speed", kind="decoding")
    assert [row["decoder"] for row in decoders] == ["greedy", "prefix_beam"]
    (transcribed,) = rows_of(dry_run, "speed", kind="transcription")
    assert transcribed["real_time_factor"] > 0
    for row in rows_of(dry_run, "speed", kind="largest"):
        assert row["fits_seconds"] <= 32 < row["does_not_fit_seconds"]


@pytest.mark.slow
@pytest.mark.usefixtures("threads")
def test_the_host_is_measured_stage_by_stage(dry_run):
    stages = {row["stage"] for row in rows_of(dry_run, "host", kind="loading")}
    assert {"read FLAC", "read WAV", "augment: reverb", "collate"} <= stages
    sizes = {
        row["format"]: row["megabytes_per_audio_hour"]
        for row in rows_of(dry_run, "host", kind="storage")
    }
    assert sizes["wav"] == pytest.approx(115.2, rel=0.01)
    # As of LibriSpeech's files: noise of full scale would not shrink.
    assert 0.55 < sizes["flac"] / sizes["wav"] < 0.68
    (plan,) = rows_of(dry_run, "host", kind="plan")
    assert plan["num_utterances"] >= DRY_RUN.num_lines
    (checkpoint,) = rows_of(dry_run, "host", kind="checkpoint")
    # Weights and two moments, in float32.
    expected = 12 * checkpoint["num_parameters"] / 1e6
    assert checkpoint["megabytes"] == pytest.approx(expected, rel=0.1)


@pytest.mark.slow
@pytest.mark.usefixtures("threads")
def test_a_dry_run_fills_no_table(dry_run):
    text = (dry_run / "RESULTS.md").read_text()
    assert text == results_page.render({})
    assert record.read_records(dry_run) == {}


def test_a_part_that_fails_is_recorded_and_does_not_keep_the_others(
    tmp_path, monkeypatch, capsys
):
    done = []

    def run_part(part, kept, sizes, folder):
        kept.add(kind="before", value=1)
        if part == "waits":
            raise RuntimeError("the device is gone")
        done.append(part)
        kept.end()

    monkeypatch.setattr(kit, "run_part", run_part)
    assert kit.main(["cpu", "--output", str(tmp_path)]) == 1
    assert done == ["tests", "speed", "an4", "host"]
    content = json.loads((tmp_path / "waits.json").read_text())
    assert content["not_measured"] == "RuntimeError: the device is gone"
    assert content["rows"] == [{"kind": "before", "value": 1}]
    assert "failed: waits" in capsys.readouterr().err


def test_rows_are_on_the_disk_before_a_part_ends(tmp_path):
    kept = record.Record(tmp_path, "speed", DRY_RUN, 10.0)
    kept.add(kind="training", ratio=0.9)
    # A process that is killed now has lost nothing.
    content = json.loads((tmp_path / "speed.json").read_text())
    assert content["rows"] == [{"kind": "training", "ratio": 0.9}]


def test_all_parts_together_stay_under_nine_minutes():
    shared = kit.share_time(record.PARTS, sum(kit.SECONDS.values()))
    assert shared == kit.SECONDS
    assert sum(shared.values()) < 540
    assert kit.share_time(["an4"], 520.0) == {"an4": 520.0}


def test_without_a_gpu_only_a_dry_run_and_the_host_are_measured(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert kit.main(["speed"]) == 1
    assert "no CUDA device, expected one; run.sh host" in capsys.readouterr().err
    sizes = kit.choose_sizes(False, ["host"])
    assert (sizes.device, sizes.is_dry_run) == ("cpu", False)
    assert sizes.num_lines == GPU.num_lines
    with pytest.raises(SystemExit):
        kit.main(["sped"])
    assert "unknown part 'sped', expected: tests, speed" in capsys.readouterr().err


def test_what_is_missing_is_named_with_its_remedy(monkeypatch, capsys):
    monkeypatch.setattr(kit, "find_missing", lambda: ["hydra-core", "jiwer"])
    assert kit.main(["cpu"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("missing here: hydra-core, jiwer; carry their wheels")


def test_an4_is_left_out_with_a_reason_where_there_is_no_archive(tmp_path, monkeypatch):
    monkeypatch.setenv("SPEECHGRU_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("SPEECHGRU_ARCHIVES", raising=False)
    kept = record.Record(tmp_path, "an4", DRY_RUN, 10.0)
    an4_part.train_an4(kept, DRY_RUN, tmp_path / "run")
    content = json.loads((tmp_path / "an4.json").read_text())
    assert content["rows"] == []
    assert "SPEECHGRU_ARCHIVES names no folder with it" in content["not_measured"]
    file = content["not_measured"].split()[1].rstrip(":")
    (tmp_path / file).touch()
    monkeypatch.setenv("SPEECHGRU_ARCHIVES", str(tmp_path))
    assert an4_part.why_not() is None


def test_a_command_is_told_to_end_when_time_is_up(tmp_path):
    seen = tmp_path / "seen"
    code = (
        "import signal, sys, time\n"
        f"signal.signal({signal.SIGTERM:d}, lambda *_: (open({str(seen)!r}, 'w'), "
        "sys.exit(143)))\n"
        "time.sleep(600)"
    )
    assert not an4_part.call([sys.executable, "-c", code], 2.0)
    assert seen.exists()
    assert an4_part.call([sys.executable, "-c", "pass"], 60.0)
    with pytest.raises(RuntimeError, match="ended with 3"):
        an4_part.call([sys.executable, "-c", "raise SystemExit(3)"], 60.0)


def test_outcomes_of_tests_are_read_from_their_report(tmp_path):
    path = tmp_path / "report.xml"
    path.write_text(
        '<testsuites><testsuite name="pytest">'
        '<testcase classname="tests.gpu.test_a" name="one" time="1.234"/>'
        '<testcase classname="tests.gpu.test_a" name="two" time="0">'
        '<failure message="no">trace</failure></testcase>'
        '<testcase classname="tests.gpu.test_b" name="three" time="0">'
        '<skipped message="why"/></testcase></testsuite></testsuites>'
    )
    assert read_report(path) == [
        ("test_a: one", "passed", 1.23),
        ("test_a: two", "failure", 0.0),
        ("test_b: three", "skipped", 0.0),
    ]
