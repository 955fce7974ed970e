"""The benchmark of memory hears the same in both of its ways."""

import importlib.util
from pathlib import Path

import pytest
import soundfile

PATH = Path(__file__).parents[2] / "benchmarks/transcribe/memory.py"


@pytest.mark.usefixtures("threads")
def test_both_ways_hear_the_same(tmp_path):
    spec = importlib.util.spec_from_file_location("memory_benchmark", PATH)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    path = benchmark.write_noise(tmp_path / "a.wav", 1)
    samples, rate = soundfile.read(path, frames=5 * benchmark.RATE)
    soundfile.write(path, samples, rate)
    (peak, seconds, whole), (*_, blocks) = (
        benchmark.hear(way, path) for way in ("whole", "blocks")
    )
    assert whole.split("/")[1] == blocks.split("/")[1]
    assert float(whole.split("/")[0]) == pytest.approx(
        float(blocks.split("/")[0]), abs=1e-2
    )
    assert float(peak) > 50
    assert float(seconds) > 0
