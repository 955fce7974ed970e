"""The part `speed`: training, decoding and transcription, in hours of audio an hour."""

import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from bare import BareLoop
from decoding import time_decoders, time_transcription
from largest import find_largest, free_memory
from record import NOT_MEASURED, Record
from rounding import rounding
from shares import Shares
from sizes import Sizes
from speech import MEAN, repeat, write_recordings
from steps import (
    End,
    Stopwatch,
    Window,
    plain_options,
    recipe_options,
    train_a_while,
)

from speechgru.interfaces import Utterance
from speechgru.options import TrainOptions

RECIPE = "an4/bigru"
ON_DEVICE = ("noise_on_device", "reverb_on_device")
"""What the GPU can take over from the processes that load."""

RECIPE_LONGEST = 0.4
"""Of the longest utterance of the others: AN4's have 6.6 s at most."""

LEAST_SECONDS = 20.0
"""Without so much time left no cell is begun."""


@dataclass(frozen=True)
class Cell:
    """One training to be timed.

    Attributes:
        encoder: name of the choice.
        hidden_size: units per direction.
        batch_seconds: of a step.
        precision: see `rounding.py`.
        recipe: whose options are taken; None: the defaults.
        augment: choices of waveform augmentation, beside a recipe's.
    """

    encoder: str
    hidden_size: int
    batch_seconds: float
    precision: str
    recipe: str | None = None
    augment: tuple[str, ...] = ()

    def options(self, sizes: Sizes) -> TrainOptions:
        """Of its training."""
        if self.recipe is not None:
            return recipe_options(sizes, self.recipe, self.precision)
        return plain_options(
            sizes,
            self.encoder,
            self.hidden_size,
            self.batch_seconds,
            self.precision,
            self.augment,
        )


def first_cells(sizes: Sizes) -> list[Cell]:
    """The most telling: batches of the middle size, AN4's recipe, other encoders."""
    middle, largest = sizes.middle_batch, sizes.hidden_sizes[-1]
    options = recipe_options(sizes, RECIPE, "fp32")
    units = options.encoder.options["hidden_size"]
    recipe_batch = options.data.batch_seconds
    return [
        *_plain_cells(sizes, middle),
        *(
            Cell("gru", units, recipe_batch, precision, RECIPE)
            for precision in sizes.precisions
        ),
        *(
            Cell(encoder, largest, middle, sizes.half_precision)
            for encoder in ("mingru", "ligru")
        ),
        Cell("gru", largest, middle, sizes.half_precision, augment=ON_DEVICE),
    ]


def last_cells(sizes: Sizes) -> list[Cell]:
    """Smaller and larger batches."""
    return [
        cell
        for batch in sizes.batches
        if batch != sizes.middle_batch
        for cell in _plain_cells(sizes, batch)
    ]


def _plain_cells(sizes: Sizes, batch_seconds: float) -> list[Cell]:
    return [
        Cell("gru", hidden_size, batch_seconds, precision)
        for hidden_size in reversed(sizes.hidden_sizes)
        for precision in sizes.precisions
    ]


def measure_speed(record: Record, sizes: Sizes) -> None:
    """Measure everything, as long as there is time."""
    with tempfile.TemporaryDirectory() as name:
        recordings = {}
        for key, share in (("long", 1.0), ("short", RECIPE_LONGEST)):
            folder = Path(name, key)
            folder.mkdir()
            longest = share * sizes.longest
            recordings[key] = write_recordings(folder, longest, sizes.num_files)
        for cell in first_cells(sizes):
            _measure_in_time(record, sizes, cell, recordings)
        for row in time_decoders(sizes):
            record.add(kind="decoding", **row)
        record.add(
            kind="transcription", **time_transcription(sizes, recordings["long"])
        )
        for precision in (sizes.half_precision, sizes.precisions[0]):
            budget = min(40.0, record.seconds_left / 3)
            record.add(kind="largest", **find_largest(sizes, precision, budget))
        for cell in last_cells(sizes):
            _measure_in_time(record, sizes, cell, recordings)
    record.end()


def _measure_in_time(
    record: Record, sizes: Sizes, cell: Cell, recordings: dict[str, list[Utterance]]
) -> None:
    head = {
        "kind": "training",
        "encoder": cell.encoder,
        "recipe": cell.recipe,
        "hidden_size": cell.hidden_size,
        "batch_seconds": cell.batch_seconds,
        "precision": cell.precision,
        "augment": "+".join(cell.augment),
    }
    if record.seconds_left < LEAST_SECONDS and not sizes.is_dry_run:
        record.add(**head, **{NOT_MEASURED: "the time was up"})
        return
    key = "long" if cell.recipe is None else "short"
    try:
        record.add(**head, **measure_cell(sizes, cell, recordings[key]))
    except (torch.OutOfMemoryError, RuntimeError) as error:
        first = str(error).strip().splitlines()[:1]
        record.add(**head, **{NOT_MEASURED: f"{type(error).__name__}: {first}"})
    free_memory(sizes.device)


def measure_cell(
    sizes: Sizes, cell: Cell, recordings: list[Utterance]
) -> dict[str, Any]:
    """Train a while, then let the bare loop take the same steps."""
    options = cell.options(sizes)
    # Batches are filled to less than their size, and buckets need whole ones.
    seconds = 1.5 * sizes.num_steps * cell.batch_seconds + 8 * sizes.longest * MEAN
    stopwatch, shares = Stopwatch(sizes), Shares(sizes)
    on_gpu = sizes.device == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    with rounding(cell.precision):
        task = train_a_while(
            options,
            repeat(recordings, seconds),
            [stopwatch, shares, End(sizes.num_steps)],
        )
        peak = torch.cuda.max_memory_allocated() / 1e9 if on_gpu else None
        windows = stopwatch.windows
        model = task.model
        bare = None
        if cell.encoder == "gru":
            loop = BareLoop(
                model.subsampling.output_size,
                cell.hidden_size,
                options.encoder.options["num_layers"],
                len(task.tokenizer.tokens),
                cell.precision,
                sizes.device,
            )
            bare = loop.time(windows)
    return {
        "num_layers": options.encoder.options["num_layers"],
        "num_parameters": model.num_parameters,
        **summarise(windows, bare, sizes.window),
        "peak_memory_gb": None if peak is None else round(peak, 2),
        "shares": share_out(shares.seconds, step_seconds(windows, sizes.window)),
    }


def step_seconds(windows: list[Window], window: int) -> float:
    """The median of a step."""
    return statistics.median(each.seconds for each in windows) / window


def summarise(
    windows: list[Window], bare: list[float] | None, window: int
) -> dict[str, float | None]:
    """Medians over windows; a ratio is that of the same steps.

    Args:
        windows: of the project's training.
        bare: s that the bare loop took for each.
        window: steps in each.
    """
    speeds = [each.audio / each.seconds for each in windows]
    found: dict[str, float | None] = {
        "audio_hours_per_hour": round(statistics.median(speeds), 1),
        "lowest": round(min(speeds), 1),
        "highest": round(max(speeds), 1),
        "step_seconds": round(step_seconds(windows, window), 4),
        "bare_audio_hours_per_hour": None,
        "ratio": None,
    }
    if bare is not None:
        pairs = list(zip(windows, bare, strict=True))
        found["bare_audio_hours_per_hour"] = round(
            statistics.median(each.audio / seconds for each, seconds in pairs), 1
        )
        found["ratio"] = round(
            statistics.median(seconds / each.seconds for each, seconds in pairs), 3
        )
    return found


def share_out(parts: dict[str, float], whole: float) -> dict[str, float]:
    """Shares of a step; what no part accounts for is waiting.

    Args:
        parts: s of a step that the device computes, by what.
        whole: s of a step, when nobody takes it apart.
    """
    shares = {name: round(seconds / whole, 4) for name, seconds in parts.items()}
    return {**shares, "waiting": round(max(0.0, 1 - sum(shares.values())), 4)}
