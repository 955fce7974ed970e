"""Measure what a training pass of each encoder costs, and write the tables.

Every table compares variants of one computation. They run in one process and
in turns, round after round, so that whatever else the machine does hits them
alike. The output and gradients of each one's first pass are compared with
those of its reference: a wrong variant is refused, its time would mean nothing.
"""

import argparse
import copy
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from speechgru.model.gru import GRUEncoder
from speechgru.model.ligru import LiGRUEncoder
from speechgru.model.lstm import LSTMEncoder
from speechgru.model.mingru import MinGRUEncoder
from speechgru.model.recurrent import RecurrentEncoder
from speechgru.model.rnn import RNNEncoder
from speechgru.model.torch_recurrent import (
    TorchRecurrentEncoder,
    directions,
    run_packed,
)

NUM_LAYERS = 3
LARGEST = 16 * 584**2
"""Utterances x frames^2; the time of packed layers is proportional to it."""
SLOW = 5.0
"""CPU seconds; a pass that takes longer is not repeated."""
MIN_PASSES, MAX_PASSES = 3, 15
SHORT = 73
"""Frames; up to here we promise only that nothing is lost against packed."""
BEGIN, END = "<!-- speed: begin, written by run.sh -->", "<!-- speed: end -->"
PACKED, LOOP, OURS, COPY = "packed", "plain loop", "ours", "ours, copied"
MIDDLE = 16
"""Utterances; a batch as most training has it."""
SOME_FRAMES, SOME_BATCHES = 292, (1, MIDDLE)
"""Most frames, and the batches, of the tables after the first."""
IN_BF16 = (0.02, 0.1)
"""Tolerances of a variant that rounds to eight bits; TF32 has eleven."""
IDEA_SIZES = [(73, 1), (73, 16), (292, 16)]
"""(T, B) of the ablation."""


# The plain loop: input products for all frames at once, then frame by frame.


def gru_step(
    frame: Tensor, state: tuple[Tensor, ...], weight: Tensor, bias: Tensor
) -> tuple[Tensor]:
    """Hear one frame; `frame` (B, 3H) is its part of the gates."""
    before = state[0]
    frame_r, frame_z, frame_n = frame.chunk(3, dim=1)
    state_r, state_z, state_n = F.linear(before, weight, bias).chunk(3, dim=1)
    reset = torch.sigmoid(frame_r + state_r)
    update = torch.sigmoid(frame_z + state_z)
    new = torch.tanh(frame_n + reset * state_n)
    return (new + update * (before - new),)


def lstm_step(
    frame: Tensor, state: tuple[Tensor, ...], weight: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """Hear one frame; the state is (h, c)."""
    before, cell = state
    gates = frame + F.linear(before, weight, bias)
    write, forget, new, output = gates.chunk(4, dim=1)
    cell = torch.sigmoid(forget) * cell + torch.sigmoid(write) * torch.tanh(new)
    return torch.sigmoid(output) * torch.tanh(cell), cell


def rnn_step(
    frame: Tensor, state: tuple[Tensor, ...], weight: Tensor, bias: Tensor
) -> tuple[Tensor]:
    """Hear one frame."""
    return (torch.tanh(frame + F.linear(state[0], weight, bias)),)


def ligru_step(
    frame: Tensor, state: tuple[Tensor, ...], weight: Tensor
) -> tuple[Tensor]:
    """Hear one frame."""
    before = state[0]
    update, candidate = (frame + F.linear(before, weight)).chunk(2, dim=1)
    candidate = torch.relu(candidate)
    return (candidate + torch.sigmoid(update) * (before - candidate),)


def mingru_step(frame: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor]:
    """Hear one frame."""
    update, candidate = frame.chunk(2, dim=1)
    return (state[0] + torch.sigmoid(update) * (candidate - state[0]),)


ENCODERS: dict[type[RecurrentEncoder], Callable[..., tuple[Tensor, ...]]] = {
    GRUEncoder: gru_step,
    LSTMEncoder: lstm_step,
    RNNEncoder: rnn_step,
    LiGRUEncoder: ligru_step,
    MinGRUEncoder: mingru_step,
}
"""What one frame does in each."""


def run_loop(
    step: Callable[..., tuple[Tensor, ...]],
    hidden_size: int,
    layer: nn.Module,
    aligned: Tensor,
    valid: Tensor,
    state: None,
) -> tuple[Tensor, Tensor]:
    """Run a layer in ordinary autograd operations; see RecurrentEncoder.run."""
    encoded = []
    for projected, parameters in _project(layer, aligned, valid):
        silence = projected.new_zeros(projected.size(1), hidden_size)
        after: tuple[Tensor, ...] = (silence, silence)  # h and, of an LSTM, c
        states = []
        for frame in projected.unbind(0):
            after = step(frame, after, *parameters)
            states.append(after[0])
        encoded.append(torch.stack(states))
    return torch.stack(encoded), torch.stack([states[-1] for states in encoded])


def _project(
    layer: nn.Module, aligned: Tensor, valid: Tensor
) -> Iterator[tuple[Tensor, tuple[Tensor, ...]]]:
    """For each direction, the gates' part of all frames, and a step's parameters."""
    if isinstance(layer, nn.RNNBase):
        for frames, weights in zip(aligned, directions(layer), strict=True):
            weight_ih, weight_hh, bias_ih, bias_hh = weights
            yield F.linear(frames, weight_ih, bias_ih), (weight_hh, bias_hh)
    elif isinstance(layer, nn.ModuleList):  # of the minimal GRU
        for frames, linear in zip(aligned, layer, strict=True):
            yield linear(frames), ()
    else:  # of the light GRU
        for frames, weight_ih, weight_hh, norm in zip(
            aligned, layer.weight_ih, layer.weight_hh, layer.norms, strict=True
        ):
            yield norm(F.linear(frames, weight_ih), valid), (weight_hh,)


def with_run(
    encoder: RecurrentEncoder, run: Callable[..., tuple[Tensor, Tensor]]
) -> RecurrentEncoder:
    """A copy of an encoder that runs its layers in another way."""
    twin = copy.deepcopy(encoder)
    twin.run = run
    return twin


def plain_loop(encoder: RecurrentEncoder) -> RecurrentEncoder:
    """A copy of an encoder that loops over frames."""
    run = partial(run_loop, ENCODERS[type(encoder)], encoder.hidden_size)
    return with_run(encoder, run)


class Stacked(nn.Module):
    """All layers of an encoder in one torch layer, as torch offers it.

    Args:
        encoder: whose weights to take.
        packed: if false, the backward direction begins on padding, which is
            wrong, and as fast as a GPU can be.
    """

    def __init__(self, encoder: TorchRecurrentEncoder, packed: bool = True) -> None:
        super().__init__()
        self.packed = packed
        self.stack = encoder.torch_layer(
            encoder.layers[0].input_size,
            encoder.hidden_size,
            len(encoder.layers),
            batch_first=True,
            bidirectional=True,
        )
        with torch.no_grad():
            for mine, theirs in zip(
                self.stack.parameters(), encoder.parameters(), strict=True
            ):
                mine.copy_(theirs)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode a padded batch, as every encoder."""
        if self.packed:
            return run_packed(self.stack, features, lengths), lengths
        return self.stack(features)[0], lengths


# The ablation: GRURecurrence, of which ideas can be left out.


class Ideas(NamedTuple):
    """What `speechgru/model/gru_cpu.py` does to be fast."""

    late_weights: bool = True
    joint_directions: bool = True
    transposed_weights: bool = True
    bias_products: bool = True


WITHOUT = {
    COPY: Ideas(),
    "weight gradients frame by frame": Ideas(late_weights=False),
    "a product for each direction": Ideas(joint_directions=False),
    "recurrent weights not transposed": Ideas(transposed_weights=False),
    "bias gradients by sum": Ideas(bias_products=False),
}


class AblatedRecurrence(torch.autograd.Function):
    """GRURecurrence with a choice of its ideas; see `model/gru_cpu.py`."""

    @staticmethod
    def forward(
        ctx: Any,
        ideas: Ideas,
        frames: Tensor,
        state: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias_ih: Tensor,
        bias_hh: Tensor,
    ) -> Tensor:
        """Run forward; shapes as in GRURecurrence."""
        num_directions, num_frames, batch, _ = frames.shape
        hidden = state.size(2)
        projected = torch.baddbmm(
            bias_ih[:, None], frames.flatten(1, 2), weight_ih.transpose(1, 2)
        ).unflatten(1, (num_frames, batch))
        weight = weight_hh.transpose(1, 2)
        if ideas.transposed_weights:
            weight = weight.contiguous()
        states = frames.new_empty(num_directions, num_frames + 1, batch, hidden)
        states[:, 0] = state
        gates = frames.new_empty(num_directions, num_frames, batch, 4 * hidden)
        reset, update, new, kept = (part.unbind(1) for part in gates.chunk(4, 3))
        sigmoids = gates[..., : 2 * hidden].unbind(1)
        inputs = [
            part.unbind(1) for part in projected.split([2 * hidden, hidden], dim=3)
        ]
        recurrent = frames.new_empty(num_directions, batch, 3 * hidden)
        sums, recurrent_new = recurrent.split([2 * hidden, hidden], dim=2)
        bias = bias_hh[:, None].expand_as(recurrent).contiguous()
        after = states[:, 1:].unbind(1)
        for t, before in enumerate(states[:, :-1].unbind(1)):
            torch.baddbmm(bias, before, weight, out=recurrent)
            torch.add(inputs[0][t], sums, out=sigmoids[t])
            sigmoids[t].sigmoid_()
            kept[t].copy_(recurrent_new)
            torch.addcmul(inputs[1][t], reset[t], recurrent_new, out=new[t])
            new[t].tanh_()
            torch.lerp(new[t], before, update[t], out=after[t])
        ctx.ideas = ideas
        ctx.save_for_backward(frames, states, gates, weight_ih, weight_hh)
        return states[:, 1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of `forward`'s arguments, given that of its result."""
        frames, states, gates, weight_ih, weight_hh = ctx.saved_tensors
        before, gradients = states[:, :-1].unbind(1), gradient.unbind(1)
        reset, update, new, kept = (part.unbind(1) for part in gates.chunk(4, 3))
        d_gates = torch.empty_like(gates[..., : weight_hh.size(1)])
        d_new = torch.empty_like(states[:, 1:])
        d_gates_t, d_new_t = d_gates.unbind(1), d_new.unbind(1)
        d_state = torch.zeros_like(states[:, 0])
        d_weight_hh = torch.zeros_like(weight_hh)
        for t in reversed(range(frames.size(1))):
            d_state += gradients[t]
            d_reset, d_update, d_kept = d_gates_t[t].chunk(3, 2)
            passed = d_state * update[t]
            taken = torch.sub(d_state, passed)
            torch.addcmul(taken, taken * new[t], new[t], value=-1, out=d_new_t[t])
            torch.mul(d_new_t[t], reset[t], out=d_kept)
            torch.mul(d_kept, kept[t], out=taken)
            torch.addcmul(taken, taken, reset[t], value=-1, out=d_reset)
            torch.sub(before[t], new[t], out=taken).mul_(passed)
            torch.addcmul(taken, taken, update[t], value=-1, out=d_update)
            d_state = torch.baddbmm(passed, d_gates_t[t], weight_hh)
            if not ctx.ideas.late_weights:
                d_weight_hh.baddbmm_(d_gates_t[t].transpose(1, 2), before[t])

        rows = d_gates.flatten(1, 2)
        if ctx.ideas.late_weights:
            past = states[:, :-1].flatten(1, 2)
            torch.bmm(rows.transpose(1, 2), past, out=d_weight_hh)
        d_bias_hh = _sum_rows(rows, ctx.ideas.bias_products)
        d_gates[..., -d_new.size(3) :] = d_new
        d_weight_ih = torch.bmm(rows.transpose(1, 2), frames.flatten(1, 2))
        d_bias_ih = _sum_rows(rows, ctx.ideas.bias_products)
        d_frames = torch.bmm(rows, weight_ih).view_as(frames)
        return None, d_frames, d_state, d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh


def _sum_rows(rows: Tensor, as_product: bool) -> Tensor:
    """Sum (D, N, 3H) over N."""
    if not as_product:
        return rows.sum(dim=1)
    ones = rows.new_ones(rows.size(1))
    return torch.stack([part.t() @ ones for part in rows])


def run_ablated(
    ideas: Ideas, layer: nn.GRU, aligned: Tensor, valid: Tensor, state: None
) -> tuple[Tensor, Tensor]:
    """Run a layer on AblatedRecurrence; see RecurrentEncoder.run."""
    weights = [torch.stack(part) for part in zip(*directions(layer), strict=True)]
    silence = aligned.new_zeros(len(aligned), aligned.size(2), layer.hidden_size)
    together = len(aligned) if ideas.joint_directions else 1
    parts = (whole.split(together) for whole in (aligned, silence, *weights))
    encoded = torch.cat(
        [AblatedRecurrence.apply(ideas, *part) for part in zip(*parts, strict=True)]
    )
    return encoded, encoded[:, -1]


# The measurement.


class Variant(NamedTuple):
    """One way to compute an encoder.

    Attributes:
        module: (features, lengths) to encoded and lengths.
        like: name of the variant that it must equal; None for no other.
        tolerance: of the output, absolute.
        gradient_tolerance: of every gradient, relative to its norm.
        bf16: run under autocast.
        tf32: let a GPU round the factors of products to TF32.
        num_threads: on the CPU.
    """

    module: nn.Module
    like: str | None = None
    tolerance: float = 1e-5
    gradient_tolerance: float = 1e-4
    bf16: bool = False
    tf32: bool = False
    num_threads: int = 1


class Batch(NamedTuple):
    """Utterances to encode, and the gradient that comes back.

    Attributes:
        features: (B, T, F).
        lengths: (B,) frames.
        upstream: (B, T, 2H).
    """

    features: Tensor
    lengths: Tensor
    upstream: Tensor


class Cost(NamedTuple):
    """Seconds of a forward and backward pass."""

    cpu: float
    wall: float


def run_once(variant: Variant, batch: Batch) -> tuple[Cost, list[Tensor]]:
    """Encode a batch and go back; return the output and all gradients, too."""
    module, device = variant.module, batch.features.device.type
    module.zero_grad()
    batch.features.grad = None
    torch.set_num_threads(variant.num_threads)
    wall, cpu = _wall_clock(device), time.process_time()
    with (
        torch.autocast(device, torch.bfloat16, enabled=variant.bf16),
        torch.backends.cudnn.flags(enabled=True, allow_tf32=variant.tf32),
    ):
        encoded, _ = module(batch.features, batch.lengths)
        encoded.float().backward(batch.upstream)
    cost = Cost(time.process_time() - cpu, _wall_clock(device) - wall)
    torch.set_num_threads(1)
    gradients = [leaf.grad for leaf in (batch.features, *module.parameters())]
    return cost, [encoded.detach().float(), *gradients]


def _wall_clock(device: str) -> float:
    """Seconds, with nothing left to do on a GPU."""
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def measure(
    variants: Mapping[str, Variant], batch: Batch, seconds: float
) -> dict[str, list[Cost]]:
    """Run variants in turns.

    Args:
        variants: by name, each after the one that it must equal.
        batch: what they all encode.
        seconds: CPU seconds to spend on each, unless MIN_PASSES need more.

    Raises:
        ValueError: a variant computes something else.
    """
    num_utterances, num_frames, _ = batch.features.shape
    size = f"{num_utterances} x {num_frames} frames"
    print(f"{size}, {len(variants)} variants", file=sys.stderr)
    costs, results = {}, {}
    for name, variant in variants.items():
        cost, results[name] = run_once(variant, batch)
        costs[name] = [cost]
        if variant.like is not None:
            title = f"{name}, {size}"
            check_equal(title, variant, results[name], results[variant.like])
    results.clear()
    repeated = [name for name in variants if costs[name][0].cpu <= SLOW]
    a_round = sum(costs[name][0].cpu for name in repeated)
    passes = int(seconds * len(repeated) / max(a_round, 1e-6))
    for _ in range(min(MAX_PASSES, max(MIN_PASSES, passes)) - 1):
        for name in repeated:
            costs[name].append(run_once(variants[name], batch)[0])
    return costs


def check_equal(
    title: str, variant: Variant, result: list[Tensor], expected: list[Tensor]
) -> None:
    """Refuse a variant whose output, or a gradient, is not as expected."""
    error = (result[0] - expected[0]).abs().max().item()
    off = max(
        ((mine - theirs).norm() / theirs.norm()).item()
        for mine, theirs in zip(result[1:], expected[1:], strict=True)
    )
    # Written so that NaN fails, too.
    if not (error <= variant.tolerance and off <= variant.gradient_tolerance):
        raise ValueError(
            f"{title}: the output is off by {error:.1e}, a gradient by {off:.1e} of "
            f"its norm, expected at most {variant.tolerance:.0e} and "
            f"{variant.gradient_tolerance:.0e}; correct the variant, its time would "
            "mean nothing"
        )


# What is measured.


class Plan(NamedTuple):
    """How much to measure.

    Attributes:
        lengths: T, frames.
        batches: B, utterances.
        hidden_size: H, which is also the number of features.
        seconds: CPU seconds for each cell of a table.
        everything: also what takes very long.
    """

    lengths: list[int]
    batches: list[int]
    hidden_size: int
    seconds: float
    everything: bool = False

    def sizes(self) -> list[tuple[int, int]]:
        """(T, B) of the first table."""
        return [
            (num_frames, batch)
            for num_frames in self.lengths
            for batch in self.batches
            if batch * num_frames**2 <= LARGEST or self.everything
        ]

    def some_sizes(self) -> list[tuple[int, int]]:
        """(T, B) of the others."""
        return [
            (num_frames, batch)
            for num_frames, batch in self.sizes()
            if (num_frames <= SOME_FRAMES and batch in SOME_BATCHES) or self.everything
        ]

    def make(self, encoder: type[RecurrentEncoder]) -> RecurrentEncoder:
        """A bidirectional stack."""
        return encoder(self.hidden_size, self.hidden_size, NUM_LAYERS)

    def make_batch(self, num_frames: int, batch: int, device: str = "cpu") -> Batch:
        """Random utterances whose lengths are spread from T down to T/2."""
        lengths = torch.linspace(num_frames, num_frames / 2, batch).ceil().long()
        shape = (batch, num_frames, self.hidden_size)
        return Batch(
            torch.randn(shape, device=device).requires_grad_(),
            lengths.to(device),
            torch.randn(batch, num_frames, 2 * self.hidden_size, device=device),
        )


class Row(NamedTuple):
    """A line of a table: what was run, and the seconds of every column."""

    heads: tuple[object, ...]
    seconds: dict[str, list[float]]


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


def measure_ideas(plan: Plan) -> list[Row]:
    """GRURecurrence without one of its ideas at a time."""
    encoder = plan.make(GRUEncoder)
    variants = {OURS: Variant(encoder)}
    for name, ideas in WITHOUT.items():
        twin = with_run(encoder, partial(run_ablated, ideas))
        variants[name] = Variant(twin, OURS)
    sizes = [size for size in plan.some_sizes() if size in IDEA_SIZES]
    # Small differences need more passes.
    return measure_rows(plan._replace(seconds=10 * plan.seconds), variants, sizes)


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


# What is written.


def judge(rows: Sequence[Row]) -> list[tuple[bool, str]]:
    """Hold `measure_gru` to what we promise: whether each promise is kept."""
    promises = [
        (f"{LOOP}, every length", LOOP, 0.95, lambda length, batch: True),
        (f"{PACKED}, T <= {SHORT}", PACKED, 1, lambda length, batch: length <= SHORT),
        (f"{PACKED}, T = 584, B = 16", PACKED, 3.5,
         lambda length, batch: (length, batch) == (584, 16)),
    ]  # fmt: skip
    judgements = []
    for title, rival, least, applies in promises:
        speeds = [
            (_ratio(row.seconds[rival], row.seconds[OURS]), *row.heads)
            for row in rows
            if applies(*row.heads)
        ]
        text = f"ours against {title}: at least {least} times as fast: "
        if not speeds:
            judgements.append((True, f"{text}not measured"))
            continue
        slowest, length, batch = min(speeds)
        kept = slowest >= least
        text += "kept" if kept else "broken"
        judgements.append((kept, f"{text}; {slowest:.2f} at T = {length}, B = {batch}"))
    return judgements


def _ratio(seconds: Sequence[float], base: Sequence[float]) -> float:
    return statistics.median(seconds) / statistics.median(base)


def format_table(heads: Sequence[str], rows: Sequence[Row], base: str) -> str:
    """A Markdown table; all columns are compared with the column `base`."""
    if not rows:
        return "Not measured: no size of this table was asked for."
    columns = list(dict.fromkeys(name for row in rows for name in row.seconds))
    lines = [[*heads, *columns], ["---"] * (len(heads) + len(columns))]
    for row in rows:
        cells = []
        for name in columns:
            cell = format_seconds(row.seconds[name]) if name in row.seconds else "-"
            if name in row.seconds and name != base:
                cell += f", {_ratio(row.seconds[name], row.seconds[base]):.2f}x"
            cells.append(cell)
        lines.append([*map(str, row.heads), *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def format_seconds(seconds: Sequence[float]) -> str:
    """The median and half the interquartile range."""
    median = statistics.median(seconds)
    if len(seconds) == 1:
        return f"{median:.3g} once"
    low, _, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return f"{median:.3g} ±{(high - low) / 2 / median:.0%}"


def describe_machine() -> str:
    """What the numbers depend on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = dict(re.split(r"\s*: ?", line, maxsplit=1) for line in lines if ":" in line)
    flags = cpu.get("flags", "").split()
    extensions = ", ".join(
        f"{name} {'yes' if name in flags else 'no'}"
        for name in ("avx512f", "avx512_bf16", "amx_bf16")
    )
    return (
        f"{cpu.get('model name', platform.machine())}, {os.cpu_count()} cores "
        f"({extensions}), torch {torch.__version__}, Python {platform.python_version()}"
    )


def find_commit() -> str:
    """The checkout's commit, marked if the package or this file differs."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", Path(__file__).parents[2], *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        return result.stdout.strip()

    try:
        commit = git("describe", "--always", "--abbrev=10")
        changes = git("status", "--porcelain", "--", "speechgru", __file__)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}-dirty" if changes else commit


def report(plan: Plan) -> tuple[str, bool]:
    """Measure everything.

    Returns:
        The report in Markdown, and whether every promise is kept.
    """
    load, commit = os.getloadavg()[0], find_commit()
    # A process is slow at first.
    run_once(Variant(plan.make(GRUEncoder)), plan.make_batch(*plan.sizes()[0]))
    gru = measure_gru(plan)
    settings, remark = measure_settings(plan)
    encoders = measure_encoders(plan)
    ideas = measure_ideas(plan)
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
        "### What each idea brings",
        f"`{OURS}` less one idea, against a copy with all of them.",
        format_table(("T", "B"), ideas, COPY),
        "### On a GPU",
        gpu,
        "### The contract",
        "\n".join(f"- {text}" for _, text in judgements),
    ]
    return "\n\n".join(parts), all(kept for kept, _ in judgements)


def write_report(text: str, output: Path) -> None:
    """Put a report between the markers of a file, or into a new file."""
    before, after = split_at_report(output)
    output.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def split_at_report(output: Path) -> tuple[str, str]:
    """What stands before and after the report of a file.

    Raises:
        ValueError: the file has no markers.
    """
    if not output.exists():
        return "", "\n"
    before, begun, rest = output.read_text().partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError(
            f"{output}: lacks {BEGIN!r} or, after it, {END!r}, expected both around "
            "the tables; add them, or name a new file"
        )
    return before, after


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
