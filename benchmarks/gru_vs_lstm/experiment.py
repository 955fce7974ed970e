"""Train, score and measure every encoder of the comparison, run by run.

Each finished run is one line of results.jsonl, and is not run again; a run
that was interrupted goes on where it was. `report.py` makes the table.
"""

import argparse
import fcntl
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import torch
from planned import RESULTS, RUNS, Run, finished, planned_runs, wer
from reach import measure_reach

from speechgru.checkpoint.load import load_checkpoint
from speechgru.score.learning import read_learning_curves
from speechgru.score.results import read_results


def perform(run: Run) -> dict[str, Any]:
    """Train, score and measure; what results.jsonl says of a run."""
    run.folder.mkdir(parents=True, exist_ok=True)
    peak_memory = train(run)
    loaded = load_checkpoint(run.folder / "best.ckpt")
    learning = [
        row for row in read_learning_curves(run.folder) if "train/cpu_seconds" in row
    ]
    # Apart, since Linux counts a parent's memory as its children's peak.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        reach = process.submit(measure_reach, run).result()
    return {
        **asdict(run),
        "num_parameters": loaded.model.num_parameters,
        "best_epoch": loaded.metadata["epoch"],
        "cpu_seconds_per_epoch": round(seconds_per_epoch(learning), 2),
        "cpu_seconds": round(learning[-1]["train/cpu_seconds"], 1),
        "peak_memory_mib": peak_memory,
        "dev_wer_by_epoch": [round(row["val/wer"], 5) for row in learning],
        "dev": score(run, "dev"),
        "test": score(run, "test"),
        "gradient_reach": reach,
        "commit": loaded.metadata["commit"],
        "machine": machine(),
    }


def perform_and_keep(run: Run) -> None:
    """Perform a run and write its line, whole or not at all."""
    result = perform(run)
    with RESULTS.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps(result) + "\n")
    print(f"{run.folder}: test WER {100 * wer(result, 'test'):.2f} %", flush=True)


def train(run: Run) -> int:
    """Train to the end, or go on; MiB of memory at the peak."""
    usage = run.folder / "peak_memory_mib"
    if (run.folder / "last.ckpt").exists():
        arguments = [f"resume={run.folder}"]
    else:
        arguments = [*run.overrides, f"hydra.run.dir={run.folder}"]
    peak = speechgru("train", *arguments, log=run.folder / "experiment.log")
    # A run that was interrupted has an earlier peak.
    before = int(usage.read_text()) if usage.exists() else 0
    usage.write_text(str(max(before, peak)))
    return max(before, peak)


def speechgru(command: str, *arguments: str, log: Path) -> int:
    """Run a command; MiB of memory at its peak."""
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "speechgru", command, *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(
            f"speechgru {command} {' '.join(arguments)}: exit status "
            f"{process.returncode}, expected 0; see {log}"
        )
    return usage.ru_maxrss // 1024


def seconds_per_epoch(learning: Sequence[dict[str, float]]) -> float:
    """The median over epochs: training and validation, without the start."""
    behind = [row["train/cpu_seconds"] for row in learning]
    return median(after - before for before, after in pairwise(behind))


def score(run: Run, split: str) -> dict[str, list[int]]:
    """Edits and words of each utterance of a split, in its order."""
    output = run.folder / f"{split}.jsonl"
    speechgru(
        "evaluate",
        str(run.folder / "best.ckpt"),
        *run.corpus_overrides,
        f"split={split}",
        f"output={output}",
        log=run.folder / "experiment.log",
    )
    counts = [result.word_errors for result in read_results(output)]
    return {
        "edits": [count.edits for count in counts],
        "words": [count.reference_length for count in counts],
    }


def machine() -> str:
    """The processor's name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor()


def main() -> None:
    """Perform what is not finished yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--only", default="", help="runs whose folder contains this")
    parser.add_argument("--list", action="store_true", help="list the runs, and end")
    options = parser.parse_args()
    torch.set_num_threads(1)
    runs = [run for run in planned_runs() if options.only in str(run.folder)]
    done = finished(RESULTS)
    if options.list:
        for run in runs:
            print("done" if run in done else "    ", run.folder)
        return
    RUNS.mkdir(parents=True, exist_ok=True)
    lock = (RUNS / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"{RUNS}: the experiment is running already; use --jobs for more")
    with ThreadPoolExecutor(options.jobs) as pool:
        for _ in pool.map(perform_and_keep, [run for run in runs if run not in done]):
            pass


if __name__ == "__main__":
    main()
