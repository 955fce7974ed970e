"""The precisions that are compared, and how torch is told of them."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

TRAINER = {
    "fp32": "32-true",
    "tf32": "32-true",
    "bf16-mixed": "bf16-mixed",
    "16-mixed": "16-mixed",
}
"""What `trainer.precision` is called for each."""

AUTOCAST = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
"""What autocast rounds to, where there is one."""


@contextmanager
def rounding(precision: str) -> Iterator[None]:
    """Let a GPU round the factors of float32 products to TF32, or not at all.

    By torch's default cuDNN does and cuBLAS does not; here both do, but in fp32.
    """
    cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.allow_tf32, products.allow_tf32
    cudnn.allow_tf32 = products.allow_tf32 = precision != "fp32"
    try:
        yield
    finally:
        cudnn.allow_tf32, products.allow_tf32 = before
