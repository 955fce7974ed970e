"""Measure what a training pass of each encoder costs, and write the tables.

Every table compares variants of one computation. They run in one process and
in turns, round after round, so that whatever else the machine does hits them
alike. The output and gradients of each one's first pass are compared with
those of its reference: a wrong variant is refused, its time would mean nothing.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path

import torch
from measure import SLOW, Variant, measure, run_once
from plan import MIDDLE, NUM_LAYERS, SOME_BATCHES, SOME_FRAMES, Plan
from readme import describe_machine, split_at_report, write_report
from rivals import ENCODERS, Stacked, gru_step, plain_loop, run_loop, with_run
from rows import LOOP, OURS, PACKED, Row, format_table, judge

from speechgru.model.encoders.gru import GRUEncoder
from speechgru.model.encoders.ligru import LiGRUEncoder
from speechgru.model.encoders.torch_recurrent import TorchRecurrentEncoder
from speechgru.provenance import find_commit

IN_BF16 = (0.02, 0.1)
"""Tolerances of a variant that rounds to eight bits; TF32 has eleven."""


def measure_rows(
    plan: Plan, variants: Mapping[str, Variant], sizes: Sequence[tuple[int, int]]
) -> list[Row]:
    """CPU seconds of variants at sizes (T, B); on several threads wall, too."""
    rows = []
    for size in sizes:
        costs = measure(variants, plan.make_batch(*size), plan.seconds)
        seconds = {}
        for name, variant in variants.items():
            seconds[name] = [cost.cpu for cost in costs[name]]
            if variant.num_threads > 1:
                seconds[f"{name}, wall"] = [cost.wall for cost in costs[name]]
        rows.append(Row(size, seconds))
    return rows


def measure_gru(plan: Plan) -> list[Row]:
    """The GRU against its rivals."""
    encoder = plan.make(GRUEncoder)
    per_direction = partial(TorchRecurrentEncoder.run, encoder)
    variants = {
        PACKED: Variant(Stacked(encoder)),
        LOOP: Variant(plain_loop(encoder), PACKED),
        "torch.gru per direction": Variant(with_run(encoder, per_direction), PACKED),
        OURS: Variant(encoder, PACKED),
    }
    return measure_rows(plan, variants, plan.sizes())


def measure_settings(plan: Plan) -> tuple[list[Row], str]:
    """The GRU in bf16 and on two threads, the plain loop compiled; a remark."""
    encoder = plan.make(GRUEncoder)
    variants = {
        OURS: Variant(encoder),
        "ours, bf16 autocast": Variant(encoder, OURS, *IN_BF16, bf16=True),
        "ours, 2 threads": Variant(encoder, OURS, num_threads=2),
        LOOP: Variant(plain_loop(encoder), OURS),
    }
    sizes = [size for size in plan.some_sizes() if size[1] == MIDDLE]
    remark = "torch.compile was not measured: it needs a C++ compiler, none was found."
    if sizes and shutil.which(os.environ.get("CXX", "g++")):
        run = partial(run_loop, torch.compile(gru_step), encoder.hidden_size)
        compiled = Variant(with_run(encoder, run), OURS)
        with tempfile.TemporaryDirectory() as folder:
            # In the usual folder it would find what an earlier run compiled.
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
            first, _ = run_once(compiled, plan.make_batch(*sizes[0]))
            del os.environ["TORCHINDUCTOR_CACHE_DIR"]
        variants["plain loop, step compiled"] = compiled
        remark = (
            f"Compiling took {first.wall:.0f} s of wall time, which is not counted."
        )
    return measure_rows(plan, variants, sizes), remark


def measure_encoders(plan: Plan) -> list[Row]:
    """The other encoders against their rivals and against the GRU."""
    gru = "our GRU"
    variants = {gru: Variant(plan.make(GRUEncoder))}
    others = {kind.__name__.removesuffix("Encoder"): kind for kind in ENCODERS}
    del others["GRU"]
    for name, kind in others.items():
        encoder = plan.make(kind)
        variants[f"{name} {LOOP}"] = Variant(plain_loop(encoder))
        ours = Variant(encoder, f"{name} {LOOP}")
        if kind is LiGRUEncoder:
            # At the kink of a ReLU rounding decides where the gradient goes.
            ours = ours._replace(gradient_tolerance=0.3)
        variants[f"{name} {OURS}"] = ours
        if isinstance(encoder, TorchRecurrentEncoder):
            variants[f"{name} {PACKED}"] = Variant(Stacked(encoder), f"{name} {OURS}")
    rows = []
    for size, seconds in measure_rows(plan, variants, plan.some_sizes()):
        for name in others:
            columns = {
                column: seconds[f"{name} {column}"]
                for column in (PACKED, LOOP, OURS)
                if f"{name} {column}" in seconds
            }
            rows.append(Row((name, *size), {**columns, gru: seconds[gru]}))
    return rows


def measure_gpu(plan: Plan, device: str) -> list[Row]:
    """The GRU in cuDNN, by wall seconds."""
    encoder = plan.make(GRUEncoder).to(device)
    packed = Stacked(encoder).to(device)
    padded = Stacked(encoder, packed=False).to(device)
    exact = f"{PACKED}, fp32"
    variants = {}
    for precision, (tolerances, options) in {
        "fp32": ((), {}),
        "tf32": (IN_BF16, {"tf32": True}),
        "bf16": (IN_BF16, {"bf16": True}),
    }.items():
        same = Variant(packed, exact, *tolerances, **options)
        variants[f"{PACKED}, {precision}"] = same
        wrong = Variant(padded, **options)
        variants[f"padded (wrong), {precision}"] = wrong
        variants[f"{OURS}, {precision}"] = same._replace(module=encoder)
    rows = []
    for size in plan.sizes():
        costs = measure(variants, plan.make_batch(*size, device), plan.seconds)
        walls = {name: [cost.wall for cost in costs[name]] for name in costs}
        rows.append(Row(size, walls))
    return rows


def report(plan: Plan) -> tuple[str, bool]:
    """Measure everything.

    Returns:
        The report in Markdown, and whether every promise is kept.
    """
    load = os.getloadavg()[0]
    commit = find_commit("speechgru", "benchmarks/speed/*.py") or "unknown"
    # A process is slow at first.
    run_once(Variant(plan.make(GRUEncoder)), plan.make_batch(*plan.sizes()[0]))
    gru = measure_gru(plan)
    settings, remark = measure_settings(plan)
    encoders = measure_encoders(plan)
    gpu = "Not measured: torch finds no CUDA device on this machine."
    if torch.cuda.is_available():
        name, rows = torch.cuda.get_device_name(), measure_gpu(plan, "cuda")
        table = format_table(("T", "B"), rows, f"{OURS}, fp32")
        gpu = f"Wall seconds on one {name}.\n\n{table}"
    judgements = judge(gru)
    left_out = [
        f"T = {num_frames} with B = {batch}"
        for num_frames in plan.lengths
        for batch in plan.batches
        if (num_frames, batch) not in plan.sizes()
    ]
    if not plan.everything:
        batches = " and ".join(map(str, SOME_BATCHES))
        left_out.append(
            f"from the second table on T > {SOME_FRAMES} and B other than {batches}"
        )
    parts = [
        f"Forward and backward pass of a {NUM_LAYERS}x{plan.hidden_size} bidirectional "
        f"stack over {plan.hidden_size} features; B utterances of T/2 to T frames, one "
        "thread unless a column says otherwise. Cells are median CPU seconds ± half "
        "the interquartile range, and the ratio of the medians to the column without "
        f'one; "once" is a single pass, of more than {SLOW:g} s. Left out, because '
        f"packing costs the square of the length: {'; '.join(left_out) or 'nothing'}.",
        f"{date.today()}, commit {commit}, {describe_machine()}; load average "
        f"{load:.1f} before and {os.getloadavg()[0]:.1f} after, "
        f"{time.process_time() / 60:.1f} CPU-minutes in all.",
        "### The GRU",
        format_table(("T", "B"), gru, OURS),
        "### Half precision, two threads, compilation",
        format_table(("T", "B"), settings, OURS),
        remark,
        "### The other encoders",
        format_table(("encoder", "T", "B"), encoders, OURS),
        "### On a GPU",
        gpu,
        "### The contract",
        "\n".join(f"- {text}" for _, text in judgements),
    ]
    return "\n\n".join(parts), all(kept for kept, _ in judgements)


def main(arguments: Sequence[str]) -> int:
    """Measure, write, print; 1 if a promise is broken or a variant is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--lengths", type=int, nargs="+", default=[18, 73, 146, 292, 584])
    add("--batches", type=int, nargs="+", default=[1, 4, 16, 32])
    add("--hidden-size", type=int, default=256)
    add("--seconds", type=float, default=1.0, help="for each cell of a table")
    add("--output", type=Path, default=Path(__file__).with_name("README.md"))
    add("--everything", action="store_true", help="also what takes very long")
    options = vars(parser.parse_args(arguments))
    output = options.pop("output")
    plan = Plan(**options)
    if not plan.sizes():
        parser.error("all of these sizes take minutes to pack; add --everything")
    torch.manual_seed(0)
    try:
        split_at_report(output)  # find out before the work, not after it
        text, kept = report(plan)
        write_report(text, output)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(text)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
