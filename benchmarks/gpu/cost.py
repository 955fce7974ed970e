"""What training costs, from measured figures: fills docs/explanation/cost.md.

`run.sh page` writes it anew. What was not measured stays so; nothing is extrapolated
but in proportion to hours, epochs and GPUs.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from record import read_records
from results_page import find_row, table
from sizes import GPU
from speed_part import Cell

DOC = Path(__file__).parents[2] / "docs/explanation/cost.md"
BEGIN, END = "<!-- cost: begin, written by cost.py -->", "<!-- cost: end -->"

CORPORA = {"LibriSpeech 100 h": 100.6, "LibriSpeech 960 h": 960.9, "10,000 h": 10000.0}
"""Hours of audio."""

EPOCHS = {"LibriSpeech 100 h": 50, "LibriSpeech 960 h": 30, "10,000 h": 10}
"""Assumed, for the table; costs are in proportion to them."""

NUM_GPUS = (1, 8, 64)
SECONDS_PER_UTTERANCE = 12.3  # mean of LibriSpeech
BYTES_PER_PARAMETER = 16
"""float32 weight, gradient and two moments of AdamW."""

UNIT = 1000.0
"""Audio-hours per hour, for which loading is told where no GPU was measured."""

Records = Mapping[str, Mapping[str, Any]]


def gpu_hours(hours: float, epochs: int, speed: float | None) -> float | None:
    """GPU-hours of a training.

    Args:
        hours: of audio.
        epochs: passes over it.
        speed: audio-hours per hour on one GPU; None: not measured.
    """
    return None if speed is None else hours * epochs / speed


def bytes_of_step(num_parameters: int, num_gpus: int) -> float:
    """Bytes that each GPU sends in a step: a ring of float32 gradients."""
    return 2 * (num_gpus - 1) / num_gpus * 4 * num_parameters


def bandwidth_to_hide(
    num_parameters: int, num_gpus: int, step_seconds: float | None
) -> float | None:
    """GB/s at which the gradients are sent while the step goes backward.

    Args:
        num_parameters: of the model.
        num_gpus: that add up.
        step_seconds: of one GPU alone, two thirds of which are the way back.
    """
    if step_seconds is None:
        return None
    return bytes_of_step(num_parameters, num_gpus) / (2 / 3 * step_seconds) / 1e9


def cores_for(speed: float, cpu_seconds: float) -> float:
    """Cores that load as fast as is trained.

    Args:
        speed: audio-hours per hour.
        cpu_seconds: of an hour of audio.
    """
    return speed * cpu_seconds / 3600


def render(records: Records) -> str:
    """The tables."""
    return "\n\n".join(
        [
            "### GPU-hours",
            *(_cost_table(records, hidden) for hidden in GPU.hidden_sizes),
            "### Memory of a GPU",
            _memory_table(records),
            "### What has to keep up",
            _loading_table(records),
            "### The network",
            _network_table(records),
            "### Before the first step, and at every checkpoint",
            _start_table(records),
        ]
    )


def _find(records: Records, hidden_size: int) -> dict[str, Any]:
    cell = Cell("gru", hidden_size, GPU.middle_batch, GPU.half_precision)
    rows = records.get("speed", {}).get("rows", [])
    return find_row([row for row in rows if row["kind"] == "training"], cell)


def _name(hidden_size: int) -> str:
    return f"{GPU.num_layers}x{hidden_size}"


def _host(records: Records, kind: str) -> list[dict[str, Any]]:
    rows = records.get("host", {}).get("rows", [])
    return [row for row in rows if row["kind"] == kind]


def _cost_table(records: Records, hidden_size: int) -> str:
    speed = _find(records, hidden_size).get("audio_hours_per_hour")
    body: list[Sequence[Any]] = []
    for name, hours in CORPORA.items():
        cost = gpu_hours(hours, EPOCHS[name], speed)
        days = [None if cost is None else cost / count for count in NUM_GPUS]
        body.append([name, EPOCHS[name], cost, *days])
    heads = ["corpus", "epochs", "GPU-hours"]
    heads += [f"hours on {count}" for count in NUM_GPUS]
    title = f"{_name(hidden_size)} bi-GRU, {GPU.half_precision}, "
    title += f"steps of {GPU.middle_batch:g} s on each GPU:"
    return f"{title}\n\n{table(heads, body)}"


def _memory_table(records: Records) -> str:
    body = []
    for row in _host(records, "checkpoint"):
        fixed = BYTES_PER_PARAMETER * row["num_parameters"] / 1e9
        peak = _find(records, row["hidden_size"]).get("peak_memory_gb")
        name = _name(row["hidden_size"])
        body.append([name, row["num_parameters"], fixed, peak])
    heads = ["model", "parameters", "weights, gradients and AdamW, GB"]
    heads.append(f"peak with {GPU.middle_batch:g} s, GB")
    return table(heads, body or [[None] * len(heads)])


def _loading_table(records: Records) -> str:
    costs = {
        row["stage"]: row["cpu_seconds_per_audio_hour"]
        for row in _host(records, "loading")
    }
    sizes = {
        row["format"]: row["megabytes_per_audio_hour"]
        for row in _host(records, "storage")
    }
    speeds = {f"{UNIT:,.0f} audio-hours per hour": UNIT}
    for hidden_size in GPU.hidden_sizes:
        measured = _find(records, hidden_size).get("audio_hours_per_hour")
        speeds[f"one GPU with {_name(hidden_size)}"] = measured
    load = costs.get("load a batch, FLAC")
    extra = {
        "speed": costs.get("augment: speed"),
        "noise": costs.get("augment: noise"),
        "reverb": costs.get("augment: reverb"),
    }
    body: list[Sequence[Any]] = []
    for name, speed in speeds.items():
        if speed is None or load is None:
            body.append([name, *[None] * 5])
            continue
        cores = [cores_for(speed, load)]
        cores += [
            None if more is None else cores_for(speed, load + more)
            for more in extra.values()
        ]
        flac = sizes.get("flac")
        disk = None if flac is None else flac * speed / 3600
        body.append([name, disk, *cores])
    heads = ["for", "FLAC from the disk, MB/s", "cores to load"]
    heads += [f"and {name} for each utterance" for name in extra]
    return table(heads, body)


def _network_table(records: Records) -> str:
    body = []
    for row in _host(records, "checkpoint"):
        step = _find(records, row["hidden_size"]).get("step_seconds")
        parameters = row["num_parameters"]
        for count in NUM_GPUS[1:]:
            body.append(
                [
                    _name(row["hidden_size"]),
                    count,
                    bytes_of_step(parameters, count) / 1e6,
                    bandwidth_to_hide(parameters, count, step),
                ]
            )
    heads = ["model", "GPUs", "sent by each in a step, MB", "GB/s that hide it"]
    return table(heads, body or [[None] * len(heads)])


def _start_table(records: Records) -> str:
    plans, checkpoints = _host(records, "plan"), _host(records, "checkpoint")
    heads = ["what", "utterances", "CPU s", "memory, MB"]
    if not plans:
        return table(heads, [[None] * len(heads)])
    plan = plans[-1]
    seconds = sum(
        plan[key] for key in ("read_seconds", "record_seconds", "plan_seconds")
    )
    body: list[Sequence[Any]] = []
    for name, hours in CORPORA.items():
        count = round(hours * 3600 / SECONDS_PER_UTTERANCE)
        share = count / plan["num_utterances"]
        memory = plan["memory_megabytes"]
        needed = None if memory is None else share * memory
        title = f"reading and planning {name}"
        body.append([title, count, share * seconds, needed])
    stalls = [
        [_name(row["hidden_size"]), row["megabytes"], row["wall_seconds"]]
        for row in checkpoints
    ]
    return (
        f"{table(heads, body)}\n\n"
        f"{table(['last.ckpt of', 'MB', 'writing, s of the clock'], stalls)}"
    )


def fill(text: str, tables: str) -> str:
    """Put tables between the markers of a page.

    Raises:
        ValueError: it has no markers.
    """
    before, begun, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError(f"the page lacks {BEGIN!r} or, behind it, {END!r}; add them")
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


def write_doc(folder: Path) -> None:
    """Write the tables of the page, from the results of a folder."""
    DOC.write_text(fill(DOC.read_text(), render(read_records(folder))))
