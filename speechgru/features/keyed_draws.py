"""Random numbers of a forward pass, keyed by utterance, frame and unit.

What dropout hides of an utterance depends on the run's seed, the epoch, the utterance
and its frame alone: not on the other utterances of its batch, nor on the process or
the device that computes it. So the same steps are taken on one process or many.

Within `keyed_by`, numbers come from the keys that it is given; elsewhere keys
are drawn from torch's generator. A number is a hash of its key, its place (which
layer draws) and where in the layer it is used.

Source:
    The hash is the finaliser of MurmurHash3, once or twice; Salmon et al., "Parallel
    random numbers: as easy as 1, 2, 3", SC 2011, for random numbers by hashing.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import lru_cache

import torch
from torch import Tensor

from speechgru.features.padding import send

_Keys = tuple[tuple[int, ...], int, tuple[int, ...]]
_keys: ContextVar[_Keys | None] = ContextVar("_keys", default=None)

_MOST = 2**62


@contextmanager
def keyed_by(
    utterances: Sequence[int], step: int, shared: Sequence[int] | None = None
) -> Iterator[None]:
    """Draw by these keys.

    Args:
        utterances: 63-bit keys of the items of the batch.
        step: the key of what all items of an optimiser step have in common.
        shared: keys of the items that are the same for all views of an utterance;
            None: there is one view of each.
    """
    own = tuple(utterances)
    token = _keys.set((own, step, own if shared is None else tuple(shared)))
    try:
        yield
    finally:
        _keys.reset(token)


def same_keys() -> AbstractContextManager[None]:
    """Draw by the keys of this moment, later."""
    keys = _keys.get()
    return nullcontext() if keys is None else keyed_by(*keys)


def utterance_keys(count: int, shared: bool = False) -> Tensor:
    """(count,) int64, on the host: the keys of the items of the batch.

    Args:
        count: of items.
        shared: whether all views of an utterance have the same key.
    """
    keys = _keys.get()
    if keys is None:
        return torch.randint(_MOST, (count,))
    utterances = keys[2 if shared else 0]
    if len(utterances) != count:
        raise ValueError(
            f"a batch of {count} items is drawn for by the keys of {len(utterances)}; "
            "give keyed_by as many as there are items"
        )
    return torch.tensor(utterances)


def step_key() -> Tensor:
    """(1,) int64, on the host: the key of what a whole step has in common."""
    keys = _keys.get()
    return torch.randint(_MOST, (1,)) if keys is None else torch.tensor([keys[1]])


def draw(keys: Tensor, place: str, *shape: int) -> Tensor:
    """Draw a few numbers for each item, on the host.

    Args:
        keys: (B,) int64, from `utterance_keys` or `step_key`.
        place: names what they are drawn for, apart from all else in the model.
        shape: of the numbers of an item.

    Returns:
        (B, *shape) float32, uniform in [0, 1).
    """
    counts = torch.arange(torch.Size(shape).numel()) + _hash(place)
    numbers = _mix64(_mix64(keys)[:, None] + _mix64(counts))
    return ((numbers >> 40) & 0xFFFFFF).float().view(len(keys), *shape) / 0x1000000


def frame_keys(
    keys: Tensor, num_frames: int, place: str, device: torch.device
) -> Tensor:
    """A key for each frame of each item.

    Args:
        keys: (B,) int64, from `utterance_keys`.
        num_frames: T.
        place: as in `draw`.
        device: of the result.

    Returns:
        (B, T) int32.
    """
    # The place is mixed in with the items, of which there are few.
    items = send(_mix64(keys + _hash(place)), device)
    frames = torch.arange(num_frames, device=device)
    return (_mix64(items[:, None] + frames) >> 32).int()


def normal(keys: Tensor, count: int, place: str, device: torch.device) -> Tensor:
    """Draw many numbers for each item.

    Args:
        keys: (B,) int64, from `utterance_keys`.
        count: of numbers; those of an item begin alike, however many there are.
        place: as in `draw`.
        device: of the result.

    Returns:
        (B, count) float32, normally distributed.

    Source:
        Box and Muller, "A note on the generation of random normal deviates", 1958.
    """
    first, second = (
        (frame_keys(keys, count, f"{place} {part}", device).float() + 2.0**31) / 2.0**32
        for part in ("radius", "angle")
    )
    return (-2 * first.clamp(min=2.0**-33).log()).sqrt() * (2 * math.pi * second).cos()


def keep_units(frame_keys: Tensor, num_units: int, probability: float) -> Tensor:
    """Draw which units of frames are kept.

    Args:
        frame_keys: (...,) int32.
        num_units: H.
        probability: of a unit to be dropped, in [0, 1).

    Returns:
        (..., H) bool, True where a unit is kept.
    """
    units = _unit_keys(num_units, frame_keys.device)
    numbers = frame_keys[..., None] * units
    # In place: of a large batch, each copy would take as much memory as a layer.
    numbers ^= (numbers >> 15) & 0x1FFFF
    numbers *= -2048144789
    return numbers >= round(probability * 2**32) - 2**31


def _unit_keys(num_units: int, device: torch.device) -> Tensor:
    """(H,) int32, odd."""
    return send(_unit_keys_on_host(num_units), device)


@lru_cache(64)
def _unit_keys_on_host(num_units: int) -> Tensor:
    return (_mix64(torch.arange(1, num_units + 1)) >> 32).int() | 1


@lru_cache(1024)
def _hash(place: str) -> int:
    digest = hashlib.blake2b(place.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 2


def _mix64(numbers: Tensor) -> Tensor:
    """Hash int64; products wrap."""
    for factor in (-49064778989728563, -4265267296055464877):
        numbers = (numbers ^ ((numbers >> 33) & 0x7FFFFFFF)) * factor
    return numbers ^ ((numbers >> 33) & 0x7FFFFFFF)
