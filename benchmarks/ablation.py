"""Train, score and compare the rows of a grid, such as recipes/an4/ablation.yaml.

    python benchmarks/ablation.py GRID [NAME ...] [--fold 1/4]

Takes every row that is not done, or those named. Each trains on all speakers of the
splits train and dev but those of the fold, and its last epoch is scored on these.
Run again after an interruption, it goes on where it was stopped.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from grid import Grid, Row, read_grid

from speechgru.files import replace_file
from speechgru.interfaces import InputError


def main(arguments: Sequence[str]) -> int:
    """Run what is not done; print each row's score and its comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("grid", type=Path, help="YAML; see grid.py")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of a row")
    parser.add_argument("--fold", default="1/4", help="whose speakers are held out")
    options = parser.parse_intermixed_args(arguments)
    try:
        grid = read_grid(options.grid)
        rows = grid.choose(options.names)
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        run("prepare", *grid.corpus)
        for row in rows:
            perform(grid, row, options.fold)
    except subprocess.CalledProcessError as error:
        return error.returncode  # it has said why
    return 0


def perform(grid: Grid, row: Row, fold: str) -> None:
    """Train and score a row, unless that is done; compare it with the first row.

    Raises:
        CalledProcessError: a command failed.
    """
    folder = run_folder(grid, row.name, fold)
    results, scores = folder / "results.jsonl", folder / "score.txt"
    if not (results.exists() and scores.exists()):
        run("train", *train_arguments(grid, row, fold))
        said = hear("evaluate", *evaluate_arguments(grid, row, fold))
        replace_file(scores, said.encode())
    rate = scores.read_text().splitlines()[1]
    print(f"== {row.name}: {' '.join(row.options)} {rate}", flush=True)
    first = next(iter(grid.rows))
    if row.name != first:
        base = run_folder(grid, first, fold) / "results.jsonl"
        compared = hear("compare", str(base), str(results), "resample=speaker")
        lines = [line for line in compared.splitlines() if line.startswith("B - A")]
        print("\n".join(lines), flush=True)


def run_folder(grid: Grid, name: str, fold: str) -> Path:
    """Where a row's run lies."""
    return grid.folder / f"fold{fold.partition('/')[0]}" / name


def train_arguments(grid: Grid, row: Row, fold: str) -> list[str]:
    """What `speechgru train` is told, to begin a run or to go on with it."""
    folder = run_folder(grid, row.name, fold)
    if (folder / "last.ckpt").exists():
        return [f"resume={folder}"]
    return [
        f"recipe={grid.recipe}",
        f"data.fold={fold}",
        f"trainer.max_epochs={row.epochs}",
        f"callbacks.keep_every={row.epochs}",
        "logger.tensorboard=false",
        f"hydra.run.dir={folder}",
        *grid.options,
        *row.options,
    ]


def evaluate_arguments(grid: Grid, row: Row, fold: str) -> list[str]:
    """What `speechgru evaluate` is told, to score the last epoch."""
    folder = run_folder(grid, row.name, fold)
    return [
        str(folder / f"epoch-{row.epochs:04d}.ckpt"),
        *grid.corpus,
        f"fold={fold}",
        f"output={folder / 'results.jsonl'}",
    ]


def run(*arguments: str) -> None:
    """Run a command of speechgru. Raises CalledProcessError: it failed."""
    subprocess.run(["speechgru", *arguments], check=True)


def hear(*arguments: str) -> str:
    """Run a command of speechgru; what it printed. Raises CalledProcessError."""
    command = ["speechgru", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
