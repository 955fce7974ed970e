"""What an encoder may offer besides `interfaces.Encoder`, and who asks for it.

The recurrent encoders offer all of it. An encoder of your own works without;
an option that needs more says which of these it misses.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from speechgru.interfaces import Encoder
from speechgru.model.encoders.gru_cell import GRUTrace
from speechgru.scratch import Rows, Scratch


@runtime_checkable
class LayeredEncoder(Encoder, Protocol):
    """One that shows what leaves each layer, as intermediate CTC needs it."""

    def walk(
        self, features: Tensor, input_lengths: Tensor
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Go through the layers with the arguments of a call.

        Yields:
            inputs: (B, T', ...) what enters a layer.
            encoded: (B, T', output_size) what leaves it.
        """

    def finish(self, encoded: Tensor) -> Tensor:
        """What a call returns, of what leaves the last layer: both (B, T', ...)."""


@runtime_checkable
class DirectedEncoder(Encoder, Protocol):
    """One that says where it listens; a language model asks."""

    @property
    def hears_future(self) -> bool:
        """Whether an output frame depends on later input frames."""


@runtime_checkable
class LongEncoder(Encoder, Protocol):
    """One that encodes a recording of any length in memory that does not grow."""

    def encode_rows(self, features: Rows, scratch: Scratch, block: int) -> Rows:
        """Encode one recording as a call would.

        Args:
            features: (T, F), at least one frame; closed when it is not needed.
            scratch: makes what is returned, and rows in between; of all of them, no
                more than two of (T, output_size) are there at once.
            block: frames that are in memory together.

        Returns:
            (T', output_size) rows.
        """


@runtime_checkable
class LiveEncoder(Encoder, Protocol):
    """One that can hear an utterance while it is said, as `speechgru stream` does.

    Attributes:
        bidirectional: if so, it cannot.
    """

    bidirectional: bool

    def stream(self, chunk: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Encode the next (B, T, F) frames, all of them valid.

        Args:
            chunk: at least one frame.
            state: what the chunk before gave, which stays as it is; None begins.

        Returns:
            encoded: (B, T', output_size), those frames that are ready.
            state: for the next chunk.
        """

    def flush(self, state: Any) -> Tensor:
        """The (B, T', output_size) that are left when no chunk follows."""


@runtime_checkable
class BlockEncoder(Encoder, Protocol):
    """One that says what its weights consist of, as Muon needs it."""

    def weight_blocks(self) -> Mapping[nn.Parameter, tuple[int, int]]:
        """Rows and columns of the matrices, e.g. of gates, that a weight stacks."""


@runtime_checkable
class StatefulEncoder(LayeredEncoder, Protocol):
    """One whose layers carry a state over time; the gradient is followed back in it.

    Attributes:
        hidden_size: H, units of the forward direction, with which the output of
            a layer begins.
    """

    hidden_size: int

    def states_of(self, index: int, frames: Tensor) -> list[Tensor]:
        """The state of layer `index` after each of (T, ...) frames.

        Returns:
            T tensors (D, 1, S), the forward direction first; each is computed
            from the one before.
        """

    def output_of(self, state: Tensor) -> Tensor:
        """(..., H) that a layer gives out, of its (..., S) state."""


@runtime_checkable
class GatedEncoder(Encoder, Protocol):
    """One whose gates can be watched, as `speechgru gates` does."""

    def trace_gates(
        self, features: Tensor, input_lengths: Tensor
    ) -> list[list[GRUTrace]]:
        """What the gates of each layer and direction do, (B, T, H) each."""
