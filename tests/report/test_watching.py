"""A run is shown as it goes on, from what its folder says, and is left alone."""

import csv
import fcntl
import io
import os
import subprocess
import sys
import textwrap

import pytest

from speechgru.advice.remark import remark
from speechgru.interfaces import InputError
from speechgru.options import read_recipe
from speechgru.ranges import OptionError
from speechgru.report.watching.follow import check_page, find_newest, follow
from speechgru.report.watching.page import make_live_page
from speechgru.report.watching.run_log import parse_log
from speechgru.report.watching.screen import draw_screen
from speechgru.report.watching.signs import find_signs
from speechgru.report.watching.state import RunReader

ATTACK = """<img/src=x/onerror="hacked=1">\x1b[2J"""
LOG = f"""\
2026-11-28 21:09:36,184 INFO 1889788 parameters, 28 tokens, an4/gru, speechgru 0.2.0
train         948  0.707        74      0.70    2.50     6.40
2026-11-28 21:09:48,716 INFO 85 steps an epoch, 0.9 s each: about 1:16 min an epoch, \
45:53 min for 36 epochs; 1.26 GB of memory at the peak so far
2026-11-28 21:10:18,952 INFO epoch 1/36: 44 of 85 steps, 40 s gone, about 37 s left; \
loss 445.122, about 45:00 min left of the run
2026-11-28 21:11:00,198 INFO epoch 1/36: train/loss 250.230, val/loss 3.0, 81 s, \
44:00 min left
2026-11-28 21:11:00,199 INFO   u1: GO ON | heard: GO IN
2026-11-28 21:11:00,199 INFO   u2{ATTACK}: UP: {ATTACK} | heard: UP
2026-11-28 21:11:10,000 WARNING the loss stays: {ATTACK}
2026-11-28 21:11:30,584 INFO epoch 2/36: 24 of 85 steps, 30 s gone, about 58 s left; \
loss 116.379, about 43:30 min left of the run
2026-11-28 21:11:40,000 WARNING the loss stays: {ATTACK}
2026-11-28 21:11:40,000 INFO epoch 2/36: 30 of"""


def rows_of(epochs):
    """As the CSV logger writes them: a row of some steps, of dev, and of train."""
    for epoch, values in enumerate(epochs):
        step = 85 * (epoch + 1) - 1
        wer, dev, train, *norm = values
        norm = norm[0] if norm else 3.0
        steps = {"train/step_loss": train, "train/gradient_norm": norm}
        yield {"epoch": epoch, "step": step - 5, **steps}
        yield {"epoch": epoch, "step": step, "val/wer": wer, "val/loss": dev}
        yield {"epoch": epoch, "step": step, "train/loss": train}


def write_metrics(folder, epochs):
    path = folder / "metrics/version_0/metrics.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    names = "epoch step train/gradient_norm train/loss train/step_loss val/loss val/wer"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names.split())
        writer.writeheader()
        writer.writerows(rows_of(epochs))
    return path


@pytest.fixture
def run(tmp_path):
    """A run within its second epoch, whose process was killed."""
    folder = tmp_path / "runs" / "an4" / "one"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(
        "seed: 7\nrecipe: an4/gru\ncorpus:\n  name: an4\n"
        "data:\n  batch_seconds: 80.0\n  steps_per_epoch: null\n"
    )
    (folder / "train.log").write_text(LOG)
    write_metrics(folder, [(1.0, 3.0, 4.0), (0.5, 2.0, 3.0)])
    return folder


@pytest.fixture
def training(run):
    """The same, in which another process trains; a line on its input ends that."""
    code = f"""
        import fcntl, json, sys
        file = open({str(run / ".lock")!r}, "w")
        fcntl.lockf(file, fcntl.LOCK_EX)
        json.dump({{"process": 7, "host": "far", "since": "noon"}}, file)
        file.flush()
        print("locked", flush=True)
        sys.stdin.readline()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "locked\n"
    yield process
    process.stdin.close()
    process.wait()


def snapshot(folder):
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def look(run):
    return RunReader(run).read()


def test_the_log_tells_how_far_it_is_and_how_long_it_will_take():
    log = parse_log(LOG.rpartition("\n")[0].split("\n"))
    assert (log.epochs_done, log.num_epochs, log.epoch, log.step) == (1, 36, 2, 24)
    assert log.steps_per_epoch == 85
    # 43:30 min, of which the log's last line is 10 s later.
    assert log.seconds_left == 43 * 60 + 30 - 10
    assert [sample.hypothesis for sample in log.samples] == ["GO IN", "UP"]
    assert len(log.signs) == 1


def test_a_new_run_takes_the_first_estimate():
    log = parse_log(LOG.split("\n")[:3])
    assert log.seconds_left == 45 * 60 + 53
    assert (log.epoch, log.epochs_done) == (None, 0)


def test_a_run_that_is_still_measured_has_no_last_epoch(run, training):
    line = "2026-11-28 21:10:18,952 INFO epoch 1: 4 of 85 steps, 4 s gone; loss 4.1\n"
    (run / "train.log").write_text(line)
    log = parse_log([line.strip()])
    assert (log.epoch, log.num_epochs, log.step) == (1, None, 4)
    assert "epoch 1, step 4" in draw_screen(look(run), 80)


def test_a_half_written_last_line_is_not_read(run):
    state = look(run)
    assert (state.log.epoch, state.log.step) == (2, 24)
    path = run / "metrics/version_0/metrics.csv"
    path.write_text(path.read_text() + "2,300,9")
    assert look(run).curves == state.curves


def test_who_trains_is_seen_without_taking_the_lock(run, training):
    before = snapshot(run)
    state = look(run)
    assert state.owner == {"process": 7, "host": "far", "since": "noon"}
    assert "process 7 of far since noon" in draw_screen(state, 300)
    training.stdin.write("\n")
    training.stdin.flush()
    training.wait()
    # The lock was freed, as by a kill: what stands in it counts no more.
    assert not look(run).is_running
    assert snapshot(run) == before


def test_looking_never_keeps_a_run_from_starting(run):
    (run / ".lock").write_text("{}")
    with (run / ".lock").open("r+") as file:
        look(run)
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_following_ends_with_the_run(run, training):
    shown, slept = [], []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 2:
            training.stdin.write("\n")
            training.stdin.flush()
            training.wait()

    last = follow(run, 3.0, shown.append, sleep)
    assert slept == [3.0, 3.0]
    assert [state.is_running for state in shown] == [True, True, False]
    assert last is shown[-1]


def test_what_is_seen_on_a_terminal_fits_and_commands_nothing(run, training):
    for width in (1, 40, 80, 200):
        text = draw_screen(look(run), width)
        assert "\x1b" not in text
        assert max(map(len, text.split("\n"))) <= max(width, 40)
    assert "epoch 2 of 36, step 24 of 85" in text
    assert "lowest WER on dev 50.00 %, in epoch 2" in text
    assert "heard GO IN" in text
    assert "error rate on dev (%)" in text


def test_a_page_is_loaded_anew_until_the_run_ends(run, training):
    page = make_live_page(look(run), 7.0)
    assert '<meta http-equiv="refresh" content="7">' in page
    training.stdin.write("\n")
    training.stdin.flush()
    training.wait()
    assert "refresh" not in make_live_page(look(run), 7.0)


def test_a_page_of_a_stranger_runs_and_loads_nothing(run):
    page = make_live_page(look(run), 5.0)
    assert "<img" not in page
    assert "&lt;img/src=x/onerror=" in page
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert page.count("<polyline") == 3  # words; train and dev


def signs(run):
    return " ".join(find_signs(look(run)))


def test_warnings_of_the_log_are_told_once(run):
    assert signs(run).count("the loss stays") == 1


def test_an_end_without_a_word_is_told(run):
    assert "does not say why" in signs(run)
    with (run / "train.log").open("a") as file:
        file.write("\n2026-11-28 21:12:00,000 INFO saved; go on with: speechgru ...\n")
    assert "by a signal" in signs(run)


def test_a_finished_run_has_ended_well(run):
    with (run / "train.log").open("a") as file:
        file.write("\n2026-11-28 21:12:00,000 INFO epoch 36/36: train/loss 1.0, 8 s\n")
    state = look(run)
    assert state.is_done
    assert "has ended" not in signs(run)
    assert "done" in draw_screen(state, 80)


def test_silence_of_a_running_process_is_told(run, training):
    assert "nothing was written" not in signs(run)
    for path in (run / "train.log", run / "metrics/version_0/metrics.csv"):
        os.utime(path, (1e9, 1e9))
    assert "nothing was written for" in signs(run)
    assert look(run).seconds_left == 0.0


def test_gradients_that_are_not_finite_are_counted(run):
    write_metrics(run, [(1.0, 3.0, 4.0), (1.0, 3.0, 4.0, float("inf"))])
    assert "1 of the last 2 logged steps had a gradient norm" in signs(run)


def test_gradients_that_have_become_steep_are_told(run):
    calm = [(1.0, 3.0, 4.0 - 0.01 * n) for n in range(20)]
    assert "gradient" not in signs(run)
    write_metrics(run, [*calm, (1.0, 3.0, 3.0, 90.0)])
    assert "gradient" not in signs(run)  # one of them is an unusual batch
    write_metrics(run, [*calm, *[(1.0, 3.0, 3.0, 90.0)] * 3])
    assert "the gradient norm is 90, and was 3 before" in signs(run)


def test_a_loss_that_does_not_fall_is_told(run):
    write_metrics(run, [(1.0, 3.0, 2.0), *[(1.0, 3.0, 2.5)] * 5])
    assert "the loss of train was lowest in epoch 1 (2), and is 2.5 now" in signs(run)


def test_a_dev_loss_that_rises_while_train_falls_is_told(run):
    fallen = [(0.5, 1.0 + 0.1 * n, 2.0 - 0.1 * n) for n in range(6)]
    write_metrics(run, fallen[:5])
    assert "lowest" not in signs(run)
    write_metrics(run, fallen)
    assert "the loss of dev was lowest in epoch 1 (1), and is 1.5 now" in signs(run)


def test_what_training_advises_is_told(run):
    said = remark(read_recipe("an4/bigru"), 0.5, [25.0] * 72)
    with (run / "train.log").open("a") as log:
        log.write(f"\n2026-11-28 21:12:00,000 INFO {said}\n")
    assert "steps of 80 s hold 50 s of audio on average" in signs(run)


def test_utterances_that_were_left_out_are_counted(run):
    (run / "skipped.jsonl").write_text("{}\n{}\n")
    assert "2 utterances were left out" in signs(run)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.yaml", b"a: [\n"),
        ("train.log", None),
        ("train.log", b"\xff\x00" * 5000),
        ("metrics/version_0/metrics.csv", b"epoch,step\nhaha,1\n"),
        ("metrics/version_0/metrics.csv", b"epoch,val/wer\n1e99,1\n9999999,1e300\n"),
        ("metrics/version_0/metrics.csv", b"epoch,val/wer\n99999999999999999,-5\n"),
        ("data.jsonl", b"[1]\n"),
        (".lock", b"[" * 4000),
    ],
)
def test_damaged_files_are_told_and_end_nothing(run, name, content):
    path = run / name
    if content is None:
        path.unlink()
        os.mkfifo(path)  # at which one would wait for ever
    else:
        path.write_bytes(content)
    state = look(run)
    assert draw_screen(state, 80)
    assert make_live_page(state, 5.0)


def test_what_is_no_run_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match="expected the folder of a run"):
            follow(folder, 1.0, print)
    with pytest.raises(InputError, match="holds no runs"):
        find_newest(tmp_path)


def test_a_page_takes_the_place_of_no_other_file(tmp_path):
    with pytest.raises(OptionError, match=r"ends in \.html"):
        check_page(tmp_path / "best.ckpt")


def test_the_command_shows_the_newest_run_and_writes_a_page(run, call, tmp_path):
    older = run.with_name("older")
    older.mkdir()
    (older / "config.yaml").write_text("seed: 1\n")
    (older / "train.log").write_text(LOG)
    os.utime(older / "train.log", (1e9, 1e9))
    page = tmp_path / "page.html"
    code, out, _ = call("watch", f"runs_dir={tmp_path / 'runs'}", f"page={page}")
    assert code == 0
    assert str(run) in out.replace("\n  ", "")
    assert "<svg" in page.read_text()
    code, out, _ = call("watch", run, "once=true")
    assert (code, "epoch 2 of 36" in out) == (0, True)
    assert "\x1b" not in out


def test_a_terminal_is_drawn_anew(run, monkeypatch):
    from speechgru.cli.watch import main
    from speechgru.terminal import HarmlessStream

    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setattr(sys, "stdout", HarmlessStream(screen))
    assert main([str(run)]) == 0
    assert screen.getvalue().startswith("\x1b[H\x1b[J")
    assert screen.getvalue().count("\x1b") == 2
