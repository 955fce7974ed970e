"""Running variants of one computation in turns, and refusing wrong ones."""

import sys
import time
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

SLOW = 5.0
"""CPU seconds; a pass that takes longer is not repeated."""
MIN_PASSES, MAX_PASSES = 3, 15


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
