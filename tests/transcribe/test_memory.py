"""What will not fit into memory is an error before it is loaded."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import SMALL_MODEL
from torch import nn

from speechgru import process_memory
from speechgru.audio import AudioInfo
from speechgru.checkpoint.models import build_model
from speechgru.decode.greedy import GreedyDecoder
from speechgru.interfaces import InputError
from speechgru.process_memory import free_memory
from speechgru.text.tokenizer import CharacterTokenizer
from speechgru.transcribe import memory
from speechgru.transcribe.memory import measure_model, needed_to_decode
from speechgru.transcribe.transcriber import Failure, Transcriber, Transcript

RATE = 8000
TOKENIZER = CharacterTokenizer(" ABC")


class OwnEncoder(nn.Module):
    """One of a user's own, which can only hear the whole."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.output_size = encoder.output_size
        self.inner = encoder

    def output_lengths(self, lengths):
        return lengths

    def forward(self, features, lengths):
        return self.inner(features, lengths)


@pytest.fixture(scope="module")
def model():
    model = build_model(SMALL_MODEL, len(TOKENIZER.tokens)).eval()
    model.encoder = OwnEncoder(model.encoder)
    return model


def write_long(path: Path, hours: float) -> Path:
    """A WAV of zeros that takes no room on the disk."""
    num_bytes = int(3600 * hours * RATE) * 2
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    data = b"WAVE" + form + struct.pack("<4sI", b"data", num_bytes)
    with path.open("wb") as file:
        file.write(struct.pack("<4sI", b"RIFF", len(data) + num_bytes) + data)
        file.truncate(file.tell() + num_bytes)
    return path


@pytest.fixture
def mixed(tmp_path) -> list[Path]:
    """A good file, one of 26 hours, and a good one."""
    good = tmp_path / "good.wav"
    noise = np.random.default_rng(1).standard_normal(RATE)
    soundfile.write(good, 0.1 * noise, RATE)
    return [good, write_long(tmp_path / "long.wav", 26), good]


def test_a_recording_that_will_not_fit_is_its_own_error_and_is_not_loaded(
    model, mixed, monkeypatch
):
    from speechgru.transcribe import recording

    loaded, load_audio = [], recording.load_audio
    monkeypatch.setattr(
        recording,
        "load_audio",
        lambda source, *rest, **options: (
            loaded.append(source) or load_audio(source, *rest, **options)
        ),
    )
    monkeypatch.setattr(memory, "free_memory", lambda: 700_000_000)
    transcriber = Transcriber(model, TOKENIZER, GreedyDecoder(), segment="none")
    first, failure, last = transcriber.transcribe_many(mixed)
    assert isinstance(first, Transcript)
    assert isinstance(last, Transcript)
    # Alone and in a batch: the texts agree, and what is behind them within 1e-4.
    assert first.text == last.text
    assert first.score == pytest.approx(last.score, abs=1e-4)
    assert isinstance(failure, Failure)
    assert failure.message.startswith(f"{mixed[1]}: 1560.0 minutes would take some ")
    assert "expected at most 0.70, which is free; cut it into parts" in failure.message
    assert str(mixed[1]) not in loaded
    with pytest.raises(InputError, match=r"long\.wav: 1560\.0 minutes would take"):
        transcriber.transcribe(mixed[1])
    with pytest.raises(InputError, match=r"long\.wav: 1560\.0 minutes would take"):
        transcriber.align(mixed[1], "A")


def test_the_limit_can_be_set(model, mixed):
    strict = Transcriber(
        model, TOKENIZER, GreedyDecoder(), max_memory=0.0001, segment="none"
    )
    [failure] = strict.transcribe_many(mixed[:1])
    assert "0.00, which max_memory allows" in failure.message
    for bad in (0, -1.0, float("nan")):
        with pytest.raises(InputError, match="expected more than 0 GB"):
            Transcriber(model, TOKENIZER, GreedyDecoder(), max_memory=bad)


def test_short_recordings_cost_no_measurement(model, mixed, monkeypatch):
    monkeypatch.setattr(memory, "measure_model", pytest.fail)
    Transcriber(model, TOKENIZER, GreedyDecoder()).transcribe(mixed[0])


def test_a_batch_is_no_longer_than_what_fits(model, monkeypatch):
    limit = memory.MemoryLimit(model, None)
    monkeypatch.setattr(memory, "free_memory", lambda: 10_000_000_000)
    assert limit.shorten(60.0) == 60.0
    fitting = limit.shorten(1e9)
    assert fitting * limit.bytes_per_second == pytest.approx(1e10)
    monkeypatch.setattr(memory, "free_memory", lambda: None)
    assert limit.shorten(1e9) == 1e9


def test_a_model_is_measured_by_the_tensors_that_it_holds(model):
    # Its features alone hold the waveform, padded, and the spectrum of each frame.
    least = RATE * 4 + (RATE / 80) * (200 // 2 + 1) * 8
    assert least < measure_model(model) < 20 * least


def test_decoding_holds_mixed_blocks_and_the_whole():
    info = AudioInfo(sample_rate=16000, num_samples=16000, num_channels=2)
    assert needed_to_decode(info, 8000) == 8 * (16000 + 8000)


def test_the_least_of_machine_limit_and_groups_is_free(tmp_path, monkeypatch):
    def write(name: str, content: object) -> None:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{content}\n")

    real = process_memory._read
    files = {
        "/proc/meminfo": "MemTotal: 9 kB\nMemAvailable: 4000000 kB\n",
        "/proc/self/cgroup": "5:cpu:/x\n4:memory:/job/step\n0::/job\n",
    }
    monkeypatch.setattr(process_memory, "_GROUPS", tmp_path)
    monkeypatch.setattr(process_memory, "_read", lambda p: files.get(str(p)) or real(p))
    assert free_memory() == 4_096_000_000
    write("job/memory.max", "max")
    write("job/memory.current", 5)
    assert free_memory() == 4_096_000_000
    write("job/memory.max", 2_000_000_000)
    write("job/memory.current", 700_000_000)
    write("job/memory.stat", "anon 7\ninactive_file 100000000")
    assert free_memory() == 1_400_000_000
    # The first version, and a limit of a group above.
    write("memory/job/memory.limit_in_bytes", 1_000_000_000)
    write("memory/job/memory.usage_in_bytes", 900_000_000)
    assert free_memory() == 100_000_000
