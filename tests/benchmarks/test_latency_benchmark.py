"""The benchmark of streams measures what there is to wait for."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLE_RATE, make_tones
from transcribe.online.tone_model import speak, teach_tones, write_live

PATH = Path(__file__).parents[2] / "benchmarks/transcribe/latency.py"


@pytest.fixture(scope="module")
def latency():
    spec = importlib.util.spec_from_file_location("stream_latency", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_words_come_behind_the_wait_of_the_model_and_finals_behind_the_silence(
    latency, monkeypatch
):
    monkeypatch.setattr(latency.time, "process_time", lambda: 0.0)
    speech = speak(0.7, "AB CD", 2.0, "D CA", 2.0)
    delays, waits = latency.measure(teach_tones(), speech, 0.1)
    assert len(delays.words) >= 3
    assert len(delays.finals) == 2
    assert delays.sound == len(speech) / SAMPLE_RATE
    assert all(waits - 0.1 < each < waits + 0.2 for each in delays.words)
    assert all(1.2 + waits - 0.1 < each < 1.2 + waits + 0.2 for each in delays.finals)


def test_it_prints_a_row_for_each_step(latency, tmp_path, capsys, monkeypatch, threads):
    monkeypatch.setattr(latency, "SILENCE", 2)
    monkeypatch.setattr(latency, "NOISE", 0.01)  # as this model knows it
    checkpoint = write_live(teach_tones(), tmp_path / "live.ckpt")
    manifest = make_tones(tmp_path, "test", 2)
    latency.main([str(checkpoint), str(manifest), "0.1", "0.3"])
    rows = capsys.readouterr().out.splitlines()
    assert [row[:8] for row in rows[2:]] == ["| 0.1 s ", "| 0.3 s "]
    assert not any("nothing heard" in row for row in rows)


def test_utterances_are_joined_by_silence(latency):
    import torch

    joined = latency.join([torch.ones(10), torch.ones(5)], 100)
    assert len(joined) == 10 + 200 + 5 + 200
    assert np.abs(joined[10:210]).max() < 0.01
