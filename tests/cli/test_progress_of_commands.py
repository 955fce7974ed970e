"""Every command that may work for long says how far it is, and else nothing."""

import re
import shutil

import pytest

from speechgru import progress


@pytest.fixture
def commands(tones, checkpoint, tmp_path):
    """Commands by name, with what each says while it works."""
    corpus = ["corpus=manifest", *tones.overrides]
    rate = ["features.sample_rate=8000"]
    copies = [tmp_path / f"{name}.ckpt" for name in "abc"]
    for copy in copies:
        shutil.copy(checkpoint, copy)
    scored = [*corpus, "score=levenshtein", f"output={tmp_path / 'test.jsonl'}"]
    return {
        "doctor": (
            ["doctor", *corpus, *rate],
            "doctor: train: 30 of 61 utterances, ",
        ),
        "evaluate": (
            ["evaluate", checkpoint, *scored, "batch_seconds=1"],
            r"evaluate: 0\.\d of 0\.1 min of audio, ",
        ),
        "transcribe": (
            ["transcribe", checkpoint, tones.folder / "wav"],
            "transcribe: 30 of 85 files, ",
        ),
        "average": (
            ["average", *copies, f"output={tmp_path / 'average.ckpt'}"],
            "average: 1 of 3 checkpoints, ",
        ),
        "lm": (
            ["lm", *corpus, f"output={tmp_path / 'a.arpa'}"],
            "lm: counting: 30 of 61 sentences, ",
        ),
    }


@pytest.mark.parametrize("name", ["doctor", "evaluate", "transcribe", "average", "lm"])
def test_long_work_is_told_on_standard_error_and_short_work_not_at_all(
    commands, call, monkeypatch, name, tmp_path
):
    command, said = commands[name]
    code, short_out, short_err = call(*command)
    assert (code, short_err) == (0, "")
    (tmp_path / "average.ckpt").unlink(missing_ok=True)
    monkeypatch.setattr(progress.Pace, "is_due", lambda *_: True)
    code, out, err = call(*command)
    assert code == 0
    assert out == short_out
    assert re.search(f"^{said}", err, re.MULTILINE), err


def test_the_report_tells_how_many_recordings_it_has_taken(
    commands, call, checkpoint, monkeypatch, tmp_path
):
    command, _ = commands["evaluate"]
    call(*command)
    monkeypatch.setattr(progress.Pace, "is_due", lambda *_: True)
    page = tmp_path / "page.html"
    options = ["worst=3", "levels=false", f"output={page}"]
    code, _, err = call("report", tmp_path / "test.jsonl", *options)
    assert code == 0
    assert [line.partition(",")[0] for line in err.splitlines()] == [
        "report: 1 of 3 recordings",
        "report: 2 of 3 recordings",
    ]


def test_failures_among_many_files_are_told_in_order(call, checkpoint, tones, tmp_path):
    (tmp_path / "bad.wav").write_bytes(b"no audio")
    good = tones.folder / "wav" / "test-000.wav"
    code, out, err = call("transcribe", checkpoint, tmp_path / "bad.wav", good)
    assert code == 1
    assert len(out.splitlines()) == 1
    assert "bad.wav" in err.splitlines()[0]
