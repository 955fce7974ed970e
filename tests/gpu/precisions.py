"""Precisions of a device, and how far apart their numbers may be from float32's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch


class Precision(NamedTuple):
    """How products are rounded.

    Attributes:
        autocast: type that autocast rounds to; None: no autocast.
        tf32: whether a GPU may round the factors of float32 products.
        value: largest difference of an encoder's outputs, which lie in [-1, 1].
        gradient: largest difference of a gradient, relative to its norm.
    """

    autocast: torch.dtype | None
    tf32: bool
    value: float
    gradient: float


PRECISIONS = {
    "fp32": Precision(None, False, 1e-4, 1e-4),
    # 11 bits of a factor are left, 8 of bfloat16's: 2^-11 and 2^-8 of a number, and
    # some ten times that after three layers.
    "tf32": Precision(None, True, 1e-2, 2e-2),
    "fp16": Precision(torch.float16, False, 1e-2, 2e-2),
    "bf16": Precision(torch.bfloat16, False, 5e-2, 1e-1),
}


@contextmanager
def computing_in(precision: Precision, device: torch.device) -> Iterator[None]:
    """Round as the precision says."""
    cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
    before = products.allow_tf32
    products.allow_tf32 = precision.tf32
    try:
        with (
            cudnn.flags(enabled=True, allow_tf32=precision.tf32),
            torch.autocast(
                device.type,
                precision.autocast or torch.bfloat16,
                enabled=precision.autocast is not None,
            ),
        ):
            yield
    finally:
        products.allow_tf32 = before
