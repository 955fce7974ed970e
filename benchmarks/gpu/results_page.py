"""What was measured, as a page of tables; what was not, says so."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from record import NOT_MEASURED, read_records
from shares import KINDS
from sizes import GPU
from speed_part import Cell, first_cells, last_cells

MISSING = "not measured"

Rows = list[dict[str, Any]]


def write_page(folder: Path, page: Path) -> None:
    """Write the page of the results of a folder."""
    page.write_text(render(read_records(folder)))


def render(records: Mapping[str, Mapping[str, Any]]) -> str:
    """The page.

    Args:
        records: by part; of those that are not there, nothing was measured.
    """
    sections = {
        "Tests": _tests(_rows(records, "tests")),
        "Training": _training(_rows(records, "speed", "training")),
        "Where a step goes": _shares(_rows(records, "speed", "training")),
        "Largest batch": _largest(_rows(records, "speed", "largest")),
        "Decoding and transcription": _decoding(records),
        "Waits of the host": _waits(_rows(records, "waits")),
        "AN4": _an4(_rows(records, "an4")),
        "The host": _host(records),
    }
    parts = {
        "Tests": "tests",
        "Training": "speed",
        "Waits of the host": "waits",
        "AN4": "an4",
        "The host": "host",
    }
    text = (
        "# Results of the GPU kit\n\nWritten by `run.sh`; no number is typed by hand. "
    )
    text += "[README](README.md) says what each one means.\n"
    for title, body in sections.items():
        text += f"\n## {title}\n\n"
        if title in parts:
            text += f"{_describe(records.get(parts[title]))}\n\n"
        text += f"{body}\n"
    return text


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; None is not measured."""
    lines = [
        heads,
        ["---"] * len(heads),
        *([show(cell) for cell in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def show(value: Any) -> str:
    """A cell."""
    if value is None:
        return MISSING
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def percent(value: float | None) -> str | None:
    """A share, or a rate."""
    return None if value is None else f"{100 * value:.1f} %"


def _rows(
    records: Mapping[str, Mapping[str, Any]], part: str, kind: str | None = None
) -> Rows:
    rows = records.get(part, {}).get("rows", [])
    return [row for row in rows if kind is None or row.get("kind") == kind]


def _describe(record: Mapping[str, Any] | None) -> str:
    if record is None:
        return f"Of this nothing was run: {MISSING}."
    machine = record["machine"]
    where = machine.get("gpu", "no GPU")
    text = (
        f"{record['date']}, commit {record['commit']}, {where}, {machine['cpu']} with "
        f"{machine['cores']} cores, torch {machine['torch']}, {record['seconds']:g} s."
    )
    why = record.get(NOT_MEASURED)
    return text if why is None else f"{text} **Not all was measured**: {why}."


def _tests(rows: Rows) -> str:
    outcomes = [row["outcome"] for row in rows]
    counts = [
        outcomes.count(name) if rows else None
        for name in ("passed", "failure", "error", "skipped")
    ]
    text = table(["passed", "failed", "errors", "skipped"], [counts])
    bad = [row["test"] for row in rows if row["outcome"] in ("failure", "error")]
    return text + "".join(f"\n- {name}" for name in bad)


def find_row(rows: Rows, cell: Cell) -> dict[str, Any]:
    """The last row of a cell; empty: there is none."""
    keys = ("recipe", "encoder", "hidden_size", "batch_seconds", "precision")
    found = [
        row
        for row in rows
        if all(row[key] == getattr(cell, key) for key in keys)
        and row["augment"] == "+".join(cell.augment)
    ]
    return found[-1] if found else {}


def name_cell(cell: Cell) -> tuple[str, str, str]:
    """What is trained, s of a step, precision."""
    model = cell.recipe or f"{GPU.num_layers}x{cell.hidden_size} {cell.encoder}"
    model = " + ".join([model, *cell.augment])
    return model, f"{cell.batch_seconds:g}", cell.precision


def _training(rows: Rows) -> str:
    body = []
    for cell in (*first_cells(GPU), *last_cells(GPU)):
        row = find_row(rows, cell)
        speed = row.get("audio_hours_per_hour")
        bare = row.get("bare_audio_hours_per_hour")
        spread = None
        if speed is not None:
            spread = f"{show(row['lowest'])} - {show(row['highest'])}"
        has_rival = cell.encoder == "gru"
        body.append([
            *name_cell(cell), speed, spread, bare if has_rival else "-",
            row.get("ratio") if has_rival else "-", row.get("peak_memory_gb"),
            row.get(NOT_MEASURED, ""),
        ])  # fmt: skip
    heads = [
        "model", "s of a step", "precision", "audio-hours per hour", "lowest - highest",
        "bare loop", "ratio", "peak memory, GB", "remark",
    ]  # fmt: skip
    return table(heads, body)


def _shares(rows: Rows) -> str:
    body = []
    for cell in (*first_cells(GPU), *last_cells(GPU)):
        shares = find_row(rows, cell).get("shares")
        if shares is not None:
            body.append([
                *name_cell(cell),
                *(percent(shares[kind]) for kind in (*KINDS, "waiting")),
            ])  # fmt: skip
    heads = ["model", "s of a step", "precision", *KINDS, "waiting"]
    return table(heads, body or [[None] * len(heads)])


def _largest(rows: Rows) -> str:
    heads = ["model", "precision", "fits, s of audio", "does not fit, s", "stopped by"]
    body = [
        [f"{row['num_layers']}x{row['hidden_size']} gru", row["precision"],
         row["fits_seconds"], row["does_not_fit_seconds"], row["stopped_by"] or "time"]
        for row in rows
    ]  # fmt: skip
    return table(heads, body or [[None] * len(heads)])


def _decoding(records: Mapping[str, Mapping[str, Any]]) -> str:
    rows = {row["decoder"]: row for row in _rows(records, "speed", "decoding")}
    body = [
        [name, rows.get(name, {}).get("audio_hours_per_hour"), "-"]
        for name in ("greedy", "prefix_beam")
    ]
    transcribed = [*_rows(records, "speed", "transcription"), {}][0]
    body.append([
        "transcription of files", transcribed.get("audio_hours_per_hour"),
        transcribed.get("real_time_factor"),
    ])  # fmt: skip
    return table(["what", "audio-hours per hour", "real-time factor"], body)


def _waits(rows: Rows) -> str:
    heads = ["model", "precision", "waits of a step, mean", "most", "lines"]
    body = []
    for row in rows:
        lines = ", ".join(f"{line} {count}x" for line, count in row["lines"].items())
        head = [row["model"], row["precision"], row["mean"], row["most"]]
        body.append([*head, lines or "none"])
    return table(heads, body or [[None] * len(heads)])


def _an4(rows: Rows) -> str:
    row = rows[-1] if rows else {}
    interval = None
    if "wer" in row:
        bounds = f"[{100 * row['wer_low']:.2f}, {100 * row['wer_high']:.2f}]"
        interval = f"{100 * row['wer']:.2f} {bounds}"
    heads = ["recipe", "precision", "epochs", "minutes", "test WER, %", "test CER, %"]
    cer = None if "cer" not in row else f"{100 * row['cer']:.2f}"
    body = ["an4/bigru", row.get("precision"), row.get("epochs"), row.get("minutes")]
    text = table(heads, [[*body, interval, cer]])
    return f"{text}\n\nThe CPU's rows: [recipes/an4](../../recipes/an4/README.md)."


def _host(records: Mapping[str, Mapping[str, Any]]) -> str:
    tables = [
        _table_of(
            _rows(records, "host", "loading"),
            {
                "stage": "stage",
                "CPU seconds of an hour of audio": "cpu_seconds_per_audio_hour",
                "lowest": "lowest",
                "highest": "highest",
            },
        ),
        _table_of(
            _rows(records, "host", "storage"),
            {"files": "format", "MB of an hour of audio": "megabytes_per_audio_hour"},
        ),
        _table_of(
            _rows(records, "host", "plan"),
            {
                "utterances": "num_utterances",
                "reading the manifest, CPU s": "read_seconds",
                "looking at every file, CPU s": "record_seconds",
                "planning, CPU s": "plan_seconds",
                "dealing out an epoch, CPU s": "deal_epoch_seconds",
                "manifest, MB": "manifest_megabytes",
                "memory, MB": "memory_megabytes",
            },
        ),
        _table_of(
            _rows(records, "host", "checkpoint"),
            {
                "units": "hidden_size",
                "layers": "num_layers",
                "parameters": "num_parameters",
                "last.ckpt, MB": "megabytes",
                "writing, s of the clock": "wall_seconds",
            },
        ),
    ]
    return "\n\n".join(tables)


def _table_of(rows: Rows, columns: Mapping[str, str]) -> str:
    """A table whose columns are keys of the rows."""
    body = [[row[key] for key in columns.values()] for row in rows]
    return table(list(columns), body or [[None] * len(columns)])
