"""`speechgru runs`: what was tried, and how well it went."""

import sys
from collections.abc import Sequence
from pathlib import Path

from speechgru.cli.config import read_command_line
from speechgru.cli.main import UsageError
from speechgru.files import printable, replace_file, to_json
from speechgru.options import RunsOptions

PICTURE = "sweep.png"

USAGE = """
usage: speechgru runs [FOLDER ...] [KEY=VALUE ...]

List the runs below runs_dir, or below the folders given: the seed, how far they
got, CPU time, the lowest WER on dev, whether they train just now, the WERs that
`evaluate` found, and by what each configuration differs from what most runs have.

Of the folder of a sweep (train -m) the table has a column for each option that
was swept, and the score against each is drawn into sweep.png in the folder.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(RunsOptions, arguments, USAGE, (0, 1000))
    from speechgru.report.runs import list_runs
    from speechgru.report.runs_table import format_runs
    from speechgru.report.sweep import read_sweep

    options = line.options
    roots = [Path(name) for name in line.positional] or [options.runs_dir]
    sweeps = [root for root in roots if read_sweep(root)]
    if sweeps and len(sweeps) < len(roots):
        other = next(root for root in roots if root not in sweeps)
        raise UsageError(
            f"{other} holds no sweep, as {sweeps[0]} does; list them by themselves"
        )
    if sweeps:
        return _show_sweeps(sweeps, options.format)
    listed = list_runs(roots, options.ignore)
    if options.format == "json":
        print(to_json(listed.to_records(), indent=2).decode())
    elif listed.runs:
        print(format_runs(listed))
    for why in listed.damaged:
        print(printable(f"left out: {why}"), file=sys.stderr)
    return 1 if listed.damaged else 0


def _show_sweeps(folders: Sequence[Path], format: str) -> int:
    from speechgru.report.sweep import read_sweep, to_records
    from speechgru.report.sweep_picture import draw_sweep
    from speechgru.report.sweep_table import format_sweep

    records = []
    for folder in folders:
        runs = read_sweep(folder)
        picture = folder / PICTURE
        replace_file(picture, draw_sweep(runs, str(folder)))
        records += to_records(folder, runs)
        if format == "text":
            print(format_sweep(folder, runs))
            print(f"picture: {printable(str(picture))}")
    if format == "json":
        print(to_json(records, indent=2).decode())
    return 0
