"""The part `host`: what the processors, the memory and the disk have to give.

It needs no GPU. Everything is measured on one thread, in CPU seconds for an hour of
audio: so much of a core each hour of audio takes that GPUs are to hear.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from record import Record
from sizes import Sizes
from speech import SAMPLE_RATE, repeat, write_recordings
from steps import plain_options

from speechgru.checkpoint.models import build_model
from speechgru.checkpoint.storage import describe, write_checkpoint
from speechgru.data.batch import Example, collate
from speechgru.data.dataset import SpeechDataset
from speechgru.data.inventory import record_utterances
from speechgru.data.manifest import read_manifest, write_manifest
from speechgru.data.plan import BatchPlan, PlannedBatch
from speechgru.data.segments import SegmentReader
from speechgru.factory import build_augment
from speechgru.interfaces import Utterance
from speechgru.options import choose
from speechgru.text.tokenizer import CharacterTokenizer

TOKENIZER = CharacterTokenizer(" ABCDEFGHIJKLMNOPQRSTUVWXYZ")
AUGMENTATIONS = ("speed", "gain", "noise", "reverb", "silence")
BATCH = 12  # utterances
TIMES = 5


def measure_host(record: Record, sizes: Sizes) -> None:
    """Measure loading, planning and checkpoints."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        files = {}
        for extension in ("flac", "wav"):
            folder = Path(name, extension)
            folder.mkdir()
            count = min(BATCH, sizes.num_files)
            files[extension] = write_recordings(folder, sizes.longest, count, extension)
        for stage, work, seconds in list_stages(files, sizes):
            cost = cpu_seconds_per_hour(work, seconds, sizes.host_seconds)
            record.add(kind="loading", stage=stage, **cost)
        for extension, utterances in files.items():
            record.add(kind="storage", format=extension, **measure_files(utterances))
        planned = measure_plan(Path(name), files["flac"], sizes.num_lines)
        record.add(kind="plan", **planned)
        for hidden_size in sizes.hidden_sizes:
            found = measure_checkpoint(Path(name, "a.ckpt"), hidden_size, sizes)
            record.add(kind="checkpoint", hidden_size=hidden_size, **found)
    record.end()


def list_stages(
    files: dict[str, list[Utterance]], sizes: Sizes
) -> list[tuple[str, Callable[[], Any], float]]:
    """Name, work, and s of audio of each stage of loading, and of features."""
    reader = SegmentReader()
    utterances = files["flac"]
    audio = sum(utterance.duration for utterance in utterances)
    waveforms = [reader.read(utterance)[0] for utterance in utterances]
    planned = PlannedBatch(tuple(range(len(utterances))), 0, 0, 0, len(utterances))
    examples = [
        Example(utterance.id, waveform, torch.ones(200, dtype=torch.long), "")
        for utterance, waveform in zip(utterances, waveforms, strict=True)
    ]

    def read(extension: str) -> Callable[[], Any]:
        return lambda: [reader.read(each) for each in files[extension]]

    def change(name: str) -> Callable[[], Any]:
        component = choose("augment", name)
        if "probability" in component.options:
            component = component.replace(probability=1.0)
        if "factors" in component.options:
            component = component.replace(factors=[0.9, 1.1])
        chain = build_augment({name: component}, (), SAMPLE_RATE)
        return lambda: [
            chain(waveform, 0, utterance.id, 0)
            for utterance, waveform in zip(utterances, waveforms, strict=True)
        ]

    plain = SpeechDataset(utterances, TOKENIZER, SAMPLE_RATE)
    speed = build_augment({"speed": choose("augment", "speed")}, (), SAMPLE_RATE)
    changed = SpeechDataset(utterances, TOKENIZER, SAMPLE_RATE, augment=speed)
    model = make_model(sizes.hidden_sizes[0], sizes)
    batch = collate([examples], planned)

    def compute_features() -> None:
        with torch.no_grad():
            features, lengths = model.features(batch.waveforms, batch.waveform_lengths)
            model.normalize(features, lengths)

    return [
        ("read FLAC", read("flac"), audio),
        ("read WAV", read("wav"), audio),
        *((f"augment: {name}", change(name), audio) for name in AUGMENTATIONS),
        ("collate", lambda: collate([examples], planned), audio),
        ("load a batch, FLAC", lambda: plain[planned], audio),
        ("load a batch, FLAC, speed 0.9, 1 or 1.1", lambda: changed[planned], audio),
        ("features, on the device in training", compute_features, audio),
    ]


def cpu_seconds_per_hour(
    work: Callable[[], Any], audio: float, least: float
) -> dict[str, float]:
    """CPU seconds of an hour of audio: median, lowest and highest of several.

    Args:
        work: on some audio.
        audio: s of it.
        least: CPU seconds to spend.
    """
    work()
    costs: list[float] = []
    began_at = time.process_time()
    while len(costs) < TIMES or time.process_time() - began_at < least:
        before = time.process_time()
        work()
        costs.append((time.process_time() - before) / audio * 3600)
    return {
        "cpu_seconds_per_audio_hour": round(statistics.median(costs), 2),
        "lowest": round(min(costs), 2),
        "highest": round(max(costs), 2),
    }


def measure_files(utterances: Sequence[Utterance]) -> dict[str, float]:
    """Size on the disk."""
    size = sum(utterance.audio_path.stat().st_size for utterance in utterances)
    audio = sum(utterance.duration for utterance in utterances)
    return {"megabytes_per_audio_hour": round(size / audio * 3600 / 1e6, 1)}


def measure_plan(
    folder: Path, recordings: Sequence[Utterance], num_lines: int
) -> dict[str, float | int | None]:
    """What a manifest of so many lines costs before the first step."""
    path = folder / "many.jsonl"
    per_line = sum(each.duration for each in recordings) / len(recordings)
    write_manifest(path, repeat(recordings, num_lines * per_line))
    before, began_at = resident_bytes(), time.process_time()
    utterances = read_manifest(path)
    read_at, after = time.process_time(), resident_bytes()
    record_utterances(utterances, None)
    recorded_at = time.process_time()
    plan = BatchPlan([u.duration for u in utterances], 1000.0, 8, shuffle=True)
    planned_at = time.process_time()
    num_batches = sum(1 for _ in plan)
    dealt_at = time.process_time()
    memory = None if before is None or after is None else after - before
    return {
        "num_utterances": len(utterances),
        "num_batches": num_batches,
        "read_seconds": round(read_at - began_at, 2),
        "record_seconds": round(recorded_at - read_at, 2),
        "plan_seconds": round(planned_at - recorded_at, 2),
        "deal_epoch_seconds": round(dealt_at - planned_at, 2),
        "manifest_megabytes": round(path.stat().st_size / 1e6, 1),
        "memory_megabytes": None if memory is None else round(memory / 1e6, 1),
    }


def resident_bytes() -> int | None:
    """Memory of this process; None where it cannot be read."""
    path = Path("/proc/self/status")
    if not path.exists():
        return None
    for line in path.read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return None


def make_model(hidden_size: int, sizes: Sizes) -> Any:
    """The default model with so many units."""
    options = plain_options(sizes, "gru", hidden_size, 1000.0, "fp32")
    parts = ("features", "normalize", "spec_augment", "subsampling", "encoder")
    config = {name: getattr(options, name).to_plain() for name in parts}
    return build_model(config, len(TOKENIZER.tokens))


def measure_checkpoint(path: Path, hidden_size: int, sizes: Sizes) -> dict[str, Any]:
    """What last.ckpt holds of a model and AdamW, and how long writing takes."""
    model = make_model(hidden_size, sizes)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    weights = {f"model.{name}": value for name, value in model.state_dict().items()}
    content = {
        **describe({}, TOKENIZER.config(), {}),
        "state_dict": weights,
        "optimizer_states": [optimizer.state_dict()],
    }
    walls = []
    for _ in range(3):
        began_at = time.perf_counter()
        write_checkpoint(content, path)
        walls.append(time.perf_counter() - began_at)
    return {
        "num_layers": sizes.num_layers,
        "num_parameters": model.num_parameters,
        "megabytes": round(path.stat().st_size / 1e6, 1),
        "wall_seconds": round(statistics.median(walls), 2),
    }
