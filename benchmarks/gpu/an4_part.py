"""The part `an4`: AN4's recipe on the GPU, to its end, and its error rate."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from record import NOT_MEASURED, Record
from sizes import Sizes

from speechgru import evaluate
from speechgru.checkpoint.storage import read_checkpoint
from speechgru.interfaces import InputError
from speechgru.options import EvaluateOptions, choose
from speechgru.options.choices import default_data_dir

RECIPE = "an4/bigru"
FOR_SCORING = 20.0
"""s, of the part's time, that are left to score in."""

PATIENCE = 30.0
"""s in which a run that was told to end has to save."""


def why_not() -> str | None:
    """What is missing to prepare AN4, if anything is."""
    if (default_data_dir() / "an4" / "train.jsonl").is_file():
        return None
    file = choose("corpus", "an4").options["archives"][0]["file"]
    folder = os.environ.get("SPEECHGRU_ARCHIVES")
    if folder and Path(folder, file).is_file():
        return None
    return f"no {file}: SPEECHGRU_ARCHIVES names no folder with it"


def train_an4(record: Record, sizes: Sizes, folder: Path) -> None:
    """Prepare, train until the end or until time is up, score.

    Args:
        record: of the part.
        sizes: has the overrides.
        folder: of the run; if it holds one, that goes on.
    """
    missing = why_not()
    if missing is not None:
        record.end(missing)
        return
    began_at = time.monotonic()
    call([*SPEECHGRU, "prepare", "corpus=an4"], record.seconds_left)
    if (folder / "last.ckpt").exists():
        train = [*SPEECHGRU, "train", f"resume={folder}"]
    else:
        train = [
            *(*SPEECHGRU, "train", f"recipe={RECIPE}", "logger=none"),
            *(f"hydra.run.dir={folder}", *sizes.an4),
        ]
    whole = call(train, record.seconds_left - FOR_SCORING)
    minutes = round((time.monotonic() - began_at) / 60, 2)
    record.add(**describe_run(folder, sizes.device, minutes, whole))
    record.end(None if whole else "the time was up; start the part again to go on")


SPEECHGRU = (sys.executable, "-m", "speechgru")


def call(command: Sequence[str], seconds: float) -> bool:
    """Run a command, and tell it to end when time is up.

    Returns:
        Whether it came to its end.

    Raises:
        RuntimeError: it failed.
    """
    process = subprocess.Popen(command)
    try:
        status = process.wait(timeout=max(1.0, seconds))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return False
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {status}; see above")
    return True


def describe_run(
    folder: Path, device: str, minutes: float, whole: bool
) -> dict[str, Any]:
    """Epochs, time and error rates of a run.

    Args:
        folder: of the run.
        device: to score on.
        minutes: since the part began, with preparing and training.
        whole: whether it came to its end.
    """
    row: dict[str, Any] = {"recipe": RECIPE, "minutes": minutes, "finished": whole}
    try:
        loop = read_checkpoint(folder / "last.ckpt")["loops"]["fit_loop"]
        row["epochs"] = loop["epoch_progress"]["current"]["processed"]
        found = evaluate(
            folder / "best.ckpt",
            EvaluateOptions(
                corpus=choose("corpus", "an4", default_data_dir()), device=device
            ),
        )
    except InputError as error:
        return {**row, NOT_MEASURED: str(error)}
    words, characters = found.summary.words, found.summary.characters
    return {
        **row,
        "precision": found.metadata.get("precision"),
        "cpu_minutes": round(found.metadata.get("cpu_seconds", 0.0) / 60, 1),
        "wer": round(words.counts.rate, 5),
        "wer_low": round(words.low, 5),
        "wer_high": round(words.high, 5),
        "cer": round(characters.counts.rate, 5),
    }
