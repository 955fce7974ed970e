"""Building a model that a stranger describes, in no more memory than it can need."""

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from speechgru.interfaces import InputError

SPARE_BYTES = 64 << 20
"""For what is computed on the way to a model, e.g. its filters."""

SPARE_STEPS = 5000
"""Of building a model."""

LARGEST_ELEMENT = 8  # bytes

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
        16 * num_bytes + SPARE_BYTES, STEPS_PER_WEIGHT * len(weights) + SPARE_STEPS
    ):
        yield


class _Budget(TorchDispatchMode):
    def __init__(self, num_bytes: float, num_steps: int) -> None:
        super().__init__()
        self.num_bytes, self.num_steps = num_bytes, num_steps

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Else torch imports its compiler, a second of every command.
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        self.num_steps -= 1
        # What works in place, or looks at a tensor in another way, takes no memory.
        if not func._schema.is_mutable and not func.is_view:
            self.num_bytes -= _foresee_bytes(tree_leaves([args, kwargs], _is_shape))
        if self.num_bytes < 0 or self.num_steps < 0:
            raise InputError(
                "its description asks for a model that is much larger than its weights"
            )
        return func(*args, **kwargs)


def _is_shape(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(type(n) is int for n in value)


def _foresee_bytes(values: Sequence[Any]) -> float:
    """The most that an operation's result may take, from what it is given.

    Torch's own way, a trial on the device "meta", imports its compiler, too.
    """
    tensors = [value for value in values if isinstance(value, Tensor)]
    if tensors:  # as large as all of them broadcast
        shapes = [reversed(tensor.shape) for tensor in tensors]
        largest = [max(sizes) for sizes in zip_longest(*shapes, fillvalue=1)]
        return math.prod(largest) * max(tensor.element_size() for tensor in tensors)
    shapes = [math.prod(value) for value in values if _is_shape(value)]
    # A count, as of arange; torch refuses those that are no numbers.
    counts = [abs(value) for value in values if type(value) in (int, float)]
    return max([0, *shapes, *counts]) * LARGEST_ELEMENT
