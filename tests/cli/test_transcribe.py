"""The command that turns files into text."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechgru.transcribe.inputs import expand
from speechgru.transcribe.transcript import Failure

RATE = 8000

pytestmark = pytest.mark.usefixtures("threads")


@pytest.fixture
def recordings(tmp_path) -> Path:
    """A folder with two recordings that can be heard, and others that cannot."""
    folder = tmp_path / "recordings"
    noise = 0.1 * np.random.default_rng(1).standard_normal(RATE)
    (folder / "deep").mkdir(parents=True)
    soundfile.write(folder / "a.wav", noise, RATE)
    soundfile.write(folder / "deep/b.FLAC", noise, RATE)
    for name in ("c.m4a", "deep/d.webm"):
        (folder / name).write_bytes(b"\0\0\0\x20ftypM4A not for us")
    (folder / "._a.wav").write_bytes(b"\0\5\x16\7")
    (folder / "notes.txt").write_text("no recording")
    return folder


def complaints(err: str) -> list[str]:
    """Lines of standard error, but not those of progress on a slow machine."""
    return [line for line in err.splitlines() if not line.startswith("transcribe: ")]


def test_every_recording_of_a_folder_is_heard_or_named(call, checkpoint, recordings):
    code, out, err = call("transcribe", checkpoint, recordings)
    assert code == 1
    heard = [line.partition("\t")[0] for line in out.splitlines()]
    assert heard == [str(recordings / "a.wav"), str(recordings / "deep/b.FLAC")]
    lines = complaints(err)
    assert len(lines) == 3
    for line, name in zip(lines, ("c.m4a", "deep/d.webm"), strict=False):
        assert line.startswith(f"speechgru transcribe: {recordings / name}: ")
        assert "MPEG-4" in line
    listed = ", ".join(str(recordings / name) for name in ("c.m4a", "deep/d.webm"))
    assert lines[2] == f"speechgru transcribe: 2 of 4 not transcribed: {listed}"


def test_what_is_not_there_takes_nobody_elses_text(
    call, checkpoint, recordings, tmp_path
):
    (tmp_path / "empty").mkdir()
    bad = [tmp_path / "gone.wav", tmp_path / "empty", tmp_path / "*.opus"]
    good = recordings / "a.wav"
    code, out, err = call("transcribe", checkpoint, *bad, good, good)
    assert code == 1
    assert [line.partition("\t")[0] for line in out.splitlines()] == [str(good)]
    assert err.count("no audio found, expected") == 3
    assert f"{good}: named twice; transcribed once" in err
    assert "3 of 4 not transcribed" in err
    # Then the checkpoint is not even looked at.
    code, out, err = call("transcribe", "no.ckpt", *bad)
    assert (code, out) == (1, "")
    assert "3 of 3 not transcribed" in err


def test_a_file_that_is_named_is_always_tried(call, checkpoint, recordings, tmp_path):
    for name in ("odd.txt", "._odd", "no_ending"):
        shutil.copy(recordings / "a.wav", tmp_path / name)
        code, out, _ = call("transcribe", checkpoint, tmp_path / name, "format=json")
        assert code == 0
        assert json.loads(out)["source"] == str(tmp_path / name)


def test_globs_follow_links_reach_a_file_once_and_look_into_folders(recordings):
    (recordings / "deep" / "up").symlink_to(recordings)
    (recordings / "again").symlink_to(recordings / "deep")
    found = expand(str(recordings / "**"))
    names = [str(Path(each).relative_to(recordings)) for each in found]
    assert sorted(Path(name).name for name in names) == [
        *("a.wav", "b.FLAC", "c.m4a", "d.webm", "notes.txt")
    ]
    matched = expand(str(recordings / "d*"))
    assert [Path(each).name for each in matched] == [
        "b.FLAC",
        "d.webm",
        "a.wav",
        "c.m4a",
    ]
    [failure] = expand(str(recordings / "*.opus"))
    assert isinstance(failure, Failure)


def test_an_odd_name_stays_on_its_line(call, checkpoint, recordings, tmp_path):
    odd = tmp_path / "a\nb\tc\x1b[31m.wav"
    shutil.copy(recordings / "a.wav", odd)
    bad = tmp_path / "bad\n.wav"
    bad.write_bytes(b"nothing")
    code, out, err = call("transcribe", checkpoint, odd, bad)
    assert code == 1
    assert len(out.splitlines()) == 1
    assert out.startswith(f"{tmp_path}/a\\nb\\tc\\x1b[31m.wav\t")
    assert len(complaints(err)) == 2
    assert f"{tmp_path}/bad\\n.wav: " in err


def test_the_memory_that_a_recording_may_take_is_an_option(
    call, checkpoint, recordings
):
    good = recordings / "a.wav"
    code, out, err = call("transcribe", checkpoint, good, "max_memory=1e-6")
    assert (code, out) == (1, "")
    assert "which max_memory allows" in err
    assert call("transcribe", checkpoint, good, "max_memory=1")[0] == 0


def test_a_fault_of_the_decoder_is_told_once(call, checkpoint, recordings):
    good = recordings / "a.wav"
    options = ("decoder=prefix_beam", "decoder.lexicon=none.txt")
    other = recordings / "deep/b.FLAC"
    code, out, err = call("transcribe", checkpoint, good, other, *options)
    assert (code, out) == (1, "")
    assert len(complaints(err)) == 1
    assert "none.txt" in err


def test_a_folder_of_subtitles_is_written_and_never_replaced(
    call, checkpoint, recordings, tmp_path
):
    out = tmp_path / "subtitles"
    audio = recordings / "a.wav"
    code, printed, _ = call(
        "transcribe", checkpoint, audio, "format=vtt", f"output={out}/"
    )
    assert (code, printed) == (0, "")
    content = (out / "a.vtt").read_text()
    assert content.startswith("WEBVTT\n")
    code, _, err = call("transcribe", checkpoint, audio, "format=vtt", f"output={out}/")
    assert (code, err) == (0, "speechgru transcribe: 1 of 1 were transcribed before\n")
    code, _, err = call("transcribe", checkpoint, audio, "format=srt", f"output={out}/")
    (out / ".speechgru-transcribed.jsonl").unlink()
    code, _, err = call("transcribe", checkpoint, audio, "format=vtt", f"output={out}/")
    assert code == 1
    assert "a.vtt: exists already" in err
    assert (out / "a.vtt").read_text() == content


def test_an_alignment_is_written_in_several_formats(
    call, checkpoint, recordings, tmp_path
):
    out, audio = tmp_path / "out", recordings / "a.wav"
    words = ("align", checkpoint, audio, "AB CD", "format=[ctm,json]", f"output={out}")
    code, printed, _ = call(*words)
    assert code == 0
    assert printed.splitlines() == [
        f"alignment: {out}/a.{end}" for end in ("ctm", "json")
    ]
    assert json.loads((out / "a.json").read_text())["text"] == "AB CD"
    code, _, err = call(*words)
    assert code == 1
    assert "a.ctm: exists already" in err
    assert call(*words, "overwrite=true")[0] == 0


@pytest.mark.slow
def test_two_processes_give_what_one_gives(call, checkpoint, recordings):
    good = [recordings / "a.wav", recordings / "deep/b.FLAC"]
    _, alone, _ = call("transcribe", checkpoint, *good)
    code, out, _ = call("transcribe", checkpoint, *good, "processes=2")
    assert (code, out) == (0, alone)


def test_channels_and_excerpts_are_heard_as_asked_for(call, checkpoint, tmp_path):
    noise = 0.1 * np.random.default_rng(1).standard_normal((2 * RATE, 2))
    soundfile.write(tmp_path / "talk.wav", noise, RATE)
    code, out, err = call(
        *("transcribe", checkpoint, tmp_path / "talk.wav", "channel=each"),
        *("start=0:01", "end=1.5", "format=json", f"output={tmp_path}/out/"),
    )
    assert (code, out) == (0, ""), err
    for channel in (0, 1):
        path = tmp_path / "out" / f"talk.channel{channel}.json"
        record = json.loads(path.read_text())
        assert (record["channel"], record["start"]) == (channel, 1.0)
        assert record["duration"] == pytest.approx(0.5)
        assert all(1 <= word["start"] <= 1.5 for word in record["words"])
    code, _, err = call("transcribe", checkpoint, tmp_path / "talk.wav", "channel=2")
    assert code == 1
    assert "channel is 2, but there are channels 0 to 1" in err
