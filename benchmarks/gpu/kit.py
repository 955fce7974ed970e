"""Prove on a GPU what is said of it: the parts, one after the other; see README.md."""

import argparse
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from machine import find_missing
from record import PARTS, Record
from sizes import DRY_RUN, GPU, Sizes

HERE = Path(__file__).parent
RESULTS = HERE / "results"
AN4_RUN = HERE.parents[1] / "runs/gpu_kit_an4"

SECONDS = {"tests": 80.0, "speed": 235.0, "waits": 40.0, "an4": 115.0, "host": 50.0}
"""Of each part, where all of them run: under 9 minutes in all."""


def share_time(parts: Sequence[str], seconds: float) -> dict[str, float]:
    """Deal out the time among parts."""
    whole = sum(SECONDS[part] for part in parts)
    return {part: seconds * SECONDS[part] / whole for part in parts}


def run_part(part: str, record: Record, sizes: Sizes, folder: Path) -> None:
    """Run one part; imported here, so that a fault of one is none of the others."""
    if part == "tests":
        from tests_part import run_tests

        run_tests(record, sizes)
    elif part == "speed":
        from speed_part import measure_speed

        measure_speed(record, sizes)
    elif part == "waits":
        from waits_part import measure_waits

        measure_waits(record, sizes)
    elif part == "an4":
        from an4_part import train_an4

        train_an4(record, sizes, AN4_RUN if folder == RESULTS else folder / "an4_run")
    else:
        from host_part import measure_host

        measure_host(record, sizes)


def choose_sizes(dry_run: bool, parts: Sequence[str]) -> Sizes:
    """How much to measure on this machine.

    Raises:
        ValueError: it has no GPU, and one is needed.
    """
    import torch

    if dry_run:
        return DRY_RUN
    if torch.cuda.is_available():
        return GPU
    if set(parts) <= {"host"}:
        return replace(GPU, device="cpu")
    raise ValueError(
        "torch finds no CUDA device, expected one; run.sh host needs none, and "
        "run.sh cpu is a dry run"
    )


def write_pages(folder: Path) -> Path:
    """Write the tables of results, of the kit's own folder the cost model, too.

    Returns:
        The page.
    """
    from cost import write_doc
    from results_page import write_page

    page = (HERE if folder == RESULTS else folder) / "RESULTS.md"
    write_page(folder, page)
    if folder == RESULTS:
        write_doc(folder)
    return page


def main(arguments: Sequence[str]) -> int:
    """Run parts; 1 if one failed or cannot run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("parts", nargs="*", metavar="cpu | page | PART", help=", ".join(PARTS))
    add("--output", type=Path, help="folder of the results")
    add("--seconds", type=float, default=sum(SECONDS.values()), help="of all parts")
    options = parser.parse_args(arguments)
    words = list(options.parts)
    dry_run, page_only = words[:1] == ["cpu"], words == ["page"]
    parts = words[1:] if dry_run else words
    for word in parts:
        if word not in PARTS and not page_only:
            parser.error(f"unknown part {word!r}, expected: {', '.join(PARTS)}")
    missing = find_missing()
    if missing:
        print(
            f"missing here: {', '.join(missing)}; carry their wheels, as "
            "benchmarks/gpu/README.md says",
            file=sys.stderr,
        )
        return 1

    folder = options.output
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="gpu-kit-")) if dry_run else RESULTS
    if page_only:
        write_pages(folder)
        return 0
    try:
        sizes = choose_sizes(dry_run, parts or PARTS)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    failed = []
    for part, seconds in share_time(parts or PARTS, options.seconds).items():
        print(f"== {part}, at most {seconds:.0f} s", flush=True)
        record = Record(folder, part, sizes, seconds)
        try:
            run_part(part, record, sizes, folder)
        except Exception as error:  # the other parts shall run all the same
            traceback.print_exc()
            record.end(f"{type(error).__name__}: {error}")
            failed.append(part)
        page = write_pages(folder)
    print(f"results: {folder}, table: {page}")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
