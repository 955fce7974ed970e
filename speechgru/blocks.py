"""Going through a recording block by block, with what it would be as a whole.

A stage that can do so makes a `BlockStream` for each recording. What enters and
leaves has the utterances first and the time second, (B, T, ...); all is valid.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


class BlockStream(Protocol):
    """The way of one recording, or of several side by side, through a stage."""

    def push(self, block: Tensor) -> Tensor | None:
        """Take the next block in.

        Args:
            block: (B, N, ...), of any length but 0.

        Returns:
            (B, M, ...) what can be told by now; None: nothing new.
        """

    def finish(self) -> Tensor | None:
        """What is left when nothing follows; None: nothing. No block may follow."""

    def copy(self) -> "BlockStream":
        """Another of the same recording, which goes on from here by itself."""


@runtime_checkable
class BlockStage(Protocol):
    """A stage of a model that can hear a recording block by block, as it comes."""

    def by_blocks(self) -> BlockStream:
        """A stream for a new recording; all its blocks give what the whole gives."""


def agrees(stage: object, method: str) -> bool:
    """Whether `method` belongs to the `forward` of a stage.

    A class of the user's own may have changed `forward` alone; what it has inherited
    beside it would give other results.
    """
    for each in type(stage).__mro__:
        if "forward" in vars(each) or method in vars(each):
            return method in vars(each)
    return False


class Windows:
    """A stage whose outputs hear windows that slide over the input.

    Args:
        function: of (B, (n - 1) x step + window, ...), makes (B, n, ...).
        window: inputs that an output hears.
        step: inputs between the windows of two outputs.
        before: zeros in front of the recording.
        after: zeros behind it.
    """

    def __init__(
        self,
        function: Callable[[Tensor], Tensor],
        window: int,
        step: int = 1,
        before: int = 0,
        after: int = 0,
    ) -> None:
        self._function = function
        self._window = window
        self._step = step
        self._before = before
        self._after = after
        self._held: Tensor | None = None
        self._num_skipped = 0  # of what comes, where windows leave gaps

    def push(self, block: Tensor) -> Tensor | None:
        """See `BlockStream`."""
        if self._held is None:
            held = torch.cat([_zeros(block, self._before), block], dim=1)
        else:
            held = torch.cat([self._held, block], dim=1)
        skipped = min(self._num_skipped, held.size(1))
        self._num_skipped -= skipped
        held = held[:, skipped:]
        count = max(0, (held.size(1) - self._window) // self._step + 1)
        next_start = count * self._step
        self._num_skipped += max(0, next_start - held.size(1))
        # A copy: a view would keep all of the block.
        self._held = held[:, next_start:].clone()
        if not count:
            return None
        return self._function(held[:, : next_start - self._step + self._window])

    def finish(self) -> Tensor | None:
        """See `BlockStream`."""
        if self._held is None or not self._after:
            return None
        return self.push(_zeros(self._held, self._after))

    def copy(self) -> "Windows":
        """See `BlockStream`."""
        return copy.copy(self)  # what it holds is replaced, never changed


class Each:
    """A stage that changes every frame by itself.

    Args:
        function: of (B, T, ...), makes (B, T, ...).
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        self._function = function

    def push(self, block: Tensor) -> Tensor | None:
        """See `BlockStream`."""
        return self._function(block)

    def finish(self) -> Tensor | None:
        """See `BlockStream`."""
        return None

    def copy(self) -> "Each":
        """See `BlockStream`."""
        return self


class Chain:
    """Stages, one behind another.

    Args:
        streams: through each of them.
    """

    def __init__(self, streams: Sequence[BlockStream]) -> None:
        self._streams = tuple(streams)

    def push(self, block: Tensor) -> Tensor | None:
        """See `BlockStream`."""
        return _push_through(self._streams, block)

    def finish(self) -> Tensor | None:
        """See `BlockStream`."""
        rest = [
            _push_through(self._streams[index + 1 :], stream.finish())
            for index, stream in enumerate(self._streams)
        ]
        return _join(rest)

    def copy(self) -> "Chain":
        """See `BlockStream`."""
        return Chain([stream.copy() for stream in self._streams])


def run_through(stream: BlockStream, blocks: Iterable[Tensor]) -> Iterator[Tensor]:
    """All that leaves a stream, given all that enters it."""
    for block in blocks:
        if block.size(1):
            left = stream.push(block)
            if left is not None:
                yield left
    rest = stream.finish()
    if rest is not None:
        yield rest


def _push_through(
    streams: Sequence[BlockStream], block: Tensor | None
) -> Tensor | None:
    for stream in streams:
        if block is None:
            return None
        block = stream.push(block)
    return block


def _join(blocks: Iterable[Tensor | None]) -> Tensor | None:
    present = [block for block in blocks if block is not None]
    return torch.cat(present, dim=1) if present else None


def _zeros(like: Tensor, count: int) -> Tensor:
    return like.new_zeros(like.size(0), count, *like.shape[2:])
