"""The command that hears standard input while it comes."""

import io
import json
import os
import signal
import sys
import time

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE
from transcribe.online.tone_model import speak, teach_tones, write_live

from speechgru.terminal import fit_tail

SPEECH = speak(0.7, "AB", 2.0, "D CA", 1.7)

pytestmark = pytest.mark.usefixtures("threads")


@pytest.fixture(scope="module")
def live_checkpoint(tmp_path_factory):
    return write_live(teach_tones(), tmp_path_factory.mktemp("live") / "live.ckpt")


def to_bytes(speech: np.ndarray) -> bytes:
    return np.round(speech * 2**15).astype("<i2").tobytes()


@pytest.fixture
def stream(call, live_checkpoint, monkeypatch):
    """Run the command on what comes through a pipe."""

    def run(content: bytes, *arguments: str, checkpoint=live_checkpoint):
        stdin = io.TextIOWrapper(io.BytesIO(content))
        monkeypatch.setattr(sys, "stdin", stdin)
        return call("stream", checkpoint, *arguments)

    return run


def test_utterances_are_lines_and_what_else_is_said_goes_to_standard_error(stream):
    code, out, err = stream(to_bytes(SPEECH))
    assert code == 0
    assert [line.replace(" ", "") for line in out.splitlines()] == ["AB", "DCA"]
    latency, hearing = err.splitlines()
    assert latency.startswith("speechgru stream: latency 0.082 to 0.182 s and the time")
    assert latency.endswith("a final result waits for 1.2 s of silence")
    assert hearing == (
        f"speechgru stream: hearing raw sound: s16le, 1 channel, {SAMPLE_RATE} Hz"
    )


def test_a_wav_is_heard_as_its_header_says(stream):
    wav = io.BytesIO()
    stereo = np.stack([np.repeat(SPEECH, 2)] * 2, axis=1)
    soundfile.write(wav, stereo, 2 * SAMPLE_RATE, format="WAV", subtype="FLOAT")
    code, out, err = stream(wav.getvalue(), "encoding=u8", "channels=7")
    assert code == 0
    assert len(out.splitlines()) == 2
    assert f"hearing WAV: f32le, 2 channels, {2 * SAMPLE_RATE} Hz" in err


def test_raw_sound_is_heard_as_the_options_say(stream):
    stereo = np.repeat(np.round(128 + SPEECH * 128).astype(np.uint8), 2).tobytes()
    code, out, _ = stream(stereo, "encoding=u8", "channels=2")
    assert code == 0
    assert [line.replace(" ", "") for line in out.splitlines()] == ["AB", "DCA"]
    halved = to_bytes(SPEECH[::2])
    _, out, err = stream(halved, f"sample_rate={SAMPLE_RATE // 2}")
    assert f"{SAMPLE_RATE // 2} Hz" in err
    assert len(out.splitlines()) == 2


def test_json_has_partial_and_final_results_with_times_of_the_stream(stream):
    code, out, _ = stream(to_bytes(SPEECH), "format=json", "silence_after=0.6")
    assert code == 0
    records = [json.loads(line) for line in out.splitlines()]
    assert {record["type"] for record in records} == {"partial", "final"}
    last = [record for record in records if record["type"] == "final"][-1]
    assert 1 < last["start"] < 2.9 < last["words"][0]["start"] < last["end"]
    assert last["words"][-1]["end"] < len(SPEECH) / SAMPLE_RATE
    assert 0 < last["confidence"] <= 1
    partial = records[0]
    assert set(partial) == {"type", "start", "end", "text"}


def test_a_beam_gives_its_alternatives(stream):
    _, out, _ = stream(
        to_bytes(SPEECH), "format=json", "decoder=prefix_beam",
        "decoder.beam_size=8", "decoder.num_best=2",
    )  # fmt: skip
    assert "alternatives" in json.loads(out.splitlines()[-1])


def test_on_a_terminal_partial_results_are_rewritten(stream, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "5")
    _, out, _ = stream(to_bytes(speak(0.5, "ABCDABCD", 1.5)))
    shown = out.split("\r")
    assert shown[1] == "A\x1b[K"
    assert max(len(each.removesuffix("\x1b[K")) for each in shown[1:-1]) == 4
    assert any(each.startswith("…") for each in shown)
    assert shown[-1].startswith("\x1b[K")
    assert shown[-1].endswith("D\n")
    monkeypatch.setenv("TERM", "dumb")
    _, out, _ = stream(to_bytes(SPEECH))
    assert "\r" not in out


def test_what_is_wrong_with_the_sound_is_told(stream):
    code, out, err = stream(to_bytes(SPEECH) + b"x")
    assert code == 0
    assert len(out.splitlines()) == 2
    assert "ended in the middle of a sample frame" in err
    floats = speak(1.6, "AB", 0.2).astype("<f4").tobytes()
    broken = floats + np.full(100, np.nan, "<f4").tobytes()
    code, out, err = stream(broken, "encoding=f32le")
    assert (code, out) == (1, "AB\n")  # what was heard before is not lost
    assert "holds NaN" in err
    code, _, err = stream(b"")
    assert code == 1
    assert "standard input held no sound" in err
    code, _, err = stream(b"fLaC" + bytes(100))
    assert code == 1
    assert "is FLAC, expected raw sound or WAV" in err


def test_a_model_that_cannot_stream_says_why_before_any_sound(stream, checkpoint):
    code, out, err = stream(b"", checkpoint=checkpoint)
    assert (code, out) == (1, "")
    assert "its encoder is bidirectional" in err
    assert "recipe=an4/unigru" in err


def test_a_terminal_is_no_sound(call, live_checkpoint, monkeypatch):
    stdin = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", stdin)
    code, _, err = call("stream", live_checkpoint)
    assert code == 2
    assert "arecord" in err


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)]
)
def test_a_signal_ends_with_the_last_final_result(
    number, status, call, live_checkpoint, monkeypatch
):
    """The pipe stays open, and the utterance was not over."""
    end, start = os.pipe()
    speech = to_bytes(speak(0.5, "AB"))
    heard = []
    before = signal.getsignal(number)

    class Recorder(io.BytesIO):
        def read1(self, size=-1):
            if not heard:
                heard.append(speech)
                return speech
            while signal.getsignal(number) is before:  # the model is being loaded
                time.sleep(0.01)
            os.kill(os.getpid(), number)
            return os.read(end, size)

        def fileno(self):
            raise io.UnsupportedOperation

    stdin = io.TextIOWrapper(Recorder())
    monkeypatch.setattr(sys, "stdin", stdin)
    code, out, _ = call("stream", live_checkpoint)
    os.close(start)
    os.close(end)
    assert code == status
    assert out == "AB\n"


def test_the_end_of_a_line_is_shown_where_not_all_of_it_fits():
    assert fit_tail("one two three", 13) == "one two three"
    assert fit_tail("one two three", 8) == "…o three"
    assert fit_tail("日本語テキスト", 7) == "…キスト"
    assert fit_tail("", 1) == ""
