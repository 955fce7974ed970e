"""Keeping less of the forward pass, and computing it again for the gradient."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from torch import Tensor
from torch.utils.checkpoint import checkpoint

from speechgru.features.keyed_draws import same_keys

_again: ContextVar[bool] = ContextVar("_again", default=False)


def is_computed_again() -> bool:
    """Whether this is the second time: running statistics know of it already."""
    return _again.get()


def compute_twice(function: Callable[..., Tensor], *arguments: Any) -> Tensor:
    """Call a function of which only the arguments are kept until its gradient.

    The second time it draws what it drew the first.

    Source:
        Chen et al., "Training deep nets with sublinear memory cost",
        arXiv:1604.06174.
    """

    def contexts() -> tuple[AbstractContextManager, AbstractContextManager]:
        return nullcontext(), _second_time(same_keys())

    return checkpoint(function, *arguments, use_reentrant=False, context_fn=contexts)


@contextmanager
def _second_time(keys: AbstractContextManager) -> Iterator[None]:
    token = _again.set(True)
    try:
        with keys:
            yield
    finally:
        _again.reset(token)
