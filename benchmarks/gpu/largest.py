"""The largest batch that a device can train on."""

import gc
import time
from collections.abc import Callable
from typing import Any

import torch
from rounding import AUTOCAST, rounding
from sizes import Sizes
from speech import LETTERS_PER_SECOND, SAMPLE_RATE
from steps import plain_options, wait_for

from speechgru.checkpoint.models import build_model
from speechgru.interfaces import Batch
from speechgru.model.acoustic import AcousticModel
from speechgru.training.losses import ctc_losses

NUM_TOKENS = 28
FINE = 1.1
"""The search ends when the bounds are so near to each other."""

MOST_DRY = 32.0
"""s; a dry run would fill the memory of the machine."""


def bisect(
    fits: Callable[[float], bool], first: float, seconds: float
) -> tuple[float | None, float | None]:
    """Find the largest size that fits, as far as time allows.

    Args:
        fits: whether a size does.
        first: size that is tried first; it is doubled until one does not fit.
        seconds: after which no further size is tried.

    Returns:
        The largest size that fitted, and the smallest that did not; None: none was
        found.
    """
    ends_at = time.monotonic() + seconds
    low: float | None = None
    high: float | None = None
    size = first
    while True:
        if fits(size):
            low = size
        else:
            high = size
        if low is not None and high is not None and high / low <= FINE:
            return low, high
        if time.monotonic() >= ends_at or (low is None and size < 1):
            return low, high
        if high is None:
            size = 2 * size
        elif low is None:
            size = size / 2
        else:
            size = (low + high) / 2


def free_memory(device: str) -> None:
    """Give back what nobody uses any more."""
    gc.collect()  # trainers and tasks know each other
    if device == "cuda":
        torch.cuda.empty_cache()


def find_largest(sizes: Sizes, precision: str, seconds: float) -> dict[str, Any]:
    """Try steps of the largest stack until the memory is full."""
    hidden_size = sizes.hidden_sizes[-1]
    options = plain_options(sizes, "gru", hidden_size, sizes.middle_batch, precision)
    parts = ("features", "normalize", "spec_augment", "subsampling", "encoder")
    config = {name: getattr(options, name).to_plain() for name in parts}
    model = build_model(config, NUM_TOKENS).to(sizes.device).train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4)
    stopped_by: list[str] = []

    def fits(size: float) -> bool:
        if sizes.is_dry_run and size > MOST_DRY:
            return False
        try:
            with rounding(precision):
                _step(model, optimizer, size, precision, sizes)
        except RuntimeError as error:
            # No memory, or more than a library's kernel can count.
            stopped_by.append(str(error).strip().splitlines()[0])
        else:
            return True
        # Here, where the error no longer holds the tensors of the step.
        optimizer.zero_grad()
        free_memory(sizes.device)
        return False

    fitted, did_not = bisect(fits, sizes.first_batch, seconds)
    return {
        "hidden_size": hidden_size,
        "num_layers": sizes.num_layers,
        "precision": precision,
        "fits_seconds": fitted,
        "does_not_fit_seconds": did_not,
        "stopped_by": stopped_by[-1] if stopped_by else None,
    }


def _step(
    model: AcousticModel,
    optimizer: torch.optim.Optimizer,
    batch_seconds: float,
    precision: str,
    sizes: Sizes,
) -> None:
    """One step on utterances of the greatest length."""
    count = max(1, round(batch_seconds / sizes.longest))
    num_samples = round(sizes.longest * SAMPLE_RATE)
    num_letters = int(sizes.longest * LETTERS_PER_SECOND)
    batch = Batch(
        ids=[str(index) for index in range(count)],
        waveforms=0.01 * torch.randn(count, num_samples, device=sizes.device),
        waveform_lengths=torch.full((count,), num_samples),
        targets=torch.randint(1, NUM_TOKENS, (count, num_letters), device=sizes.device),
        target_lengths=torch.full((count,), num_letters),
        references=[""] * count,
        num_views=1,
        step_size=count,
        key=(0, 0, 0),
    )
    dtype = AUTOCAST.get(precision)
    with torch.autocast(
        sizes.device, dtype or torch.bfloat16, enabled=dtype is not None
    ):
        log_probs, lengths = model(batch.waveforms, batch.waveform_lengths)
    ctc_losses(log_probs, lengths, batch).mean().backward()
    optimizer.step()
    optimizer.zero_grad()
    wait_for(sizes.device)
