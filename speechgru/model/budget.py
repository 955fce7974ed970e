"""Building a model that a stranger describes, in no more memory than it can need."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only

from speechgru.interfaces import InputError

SPARE_BYTES = 64 << 20
"""For what is computed on the way to a model, e.g. its filters."""

SPARE_STEPS = 5000
"""Of building a model."""

STEPS_PER_WEIGHT = 200
"""More than any initialisation takes."""


@contextlib.contextmanager
def within_budget(weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Let no more be built than such weights suggest.

    A description can ask for layers of a million units, or for a million layers,
    whatever weights it comes with. Whether they fit is known only when the model is
    built; so what is built is counted, before the memory is there.

    Raises:
        InputError: within the block, when the budget is spent.
    """
    num_bytes = sum(weight.nbytes for weight in weights.values())
    with _Budget(
        8 * num_bytes + SPARE_BYTES, STEPS_PER_WEIGHT * len(weights) + SPARE_STEPS
    ):
        yield


class _Budget(TorchDispatchMode):
    def __init__(self, num_bytes: int, num_steps: int) -> None:
        super().__init__()
        self.num_bytes, self.num_steps = num_bytes, num_steps

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        self.num_steps -= 1
        if not func._schema.is_mutable:  # what works in place takes no memory
            self.num_bytes -= _foresee_bytes(func, args, kwargs)
        if self.num_bytes < 0 or self.num_steps < 0:
            raise InputError(
                "its description asks for a model that is much larger than its weights"
            )
        return func(*args, **kwargs)


def _foresee_bytes(func: Any, args: tuple, kwargs: dict) -> int:
    """Memory of an operation's result, by trying it without any memory."""
    args, kwargs = tree_map_only(Tensor, lambda t: t.to("meta"), (args, kwargs))
    if any(argument.name == "device" for argument in func._schema.arguments):
        kwargs = {**kwargs, "device": torch.device("meta")}
    try:
        results, _ = tree_flatten(func(*args, **kwargs))
    except (NotImplementedError, RuntimeError):
        return 0  # of a value, not of tensors; or the operation itself will say why
    return sum(result.nbytes for result in results if isinstance(result, Tensor))
