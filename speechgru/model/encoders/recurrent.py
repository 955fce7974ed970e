"""What all recurrent encoders share: the stack, its directions and its state."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from speechgru.features.padding import valid_frames
from speechgru.model.encoders.lookahead import LookaheadConvolution
from speechgru.model.encoders.truncation import cut, draw_longest
from speechgru.model.masked_norm import NORMS
from speechgru.ranges import DROPOUT, SIZE, check, check_pair, whole

DEPTH = whole(1, 1000)  # layers
FRAMES = whole(0, 10_000)  # of the future
PIECE = whole(1, 1_000_000)  # frames


class StreamState(NamedTuple):
    """What an encoder remembers between two chunks.

    Attributes:
        layers: (1, B, S) for each layer; S is the size of its state.
        pending: (B, T, H) frames that still wait for those ahead of them.
    """

    layers: tuple[Tensor, ...]
    pending: Tensor


class RecurrentEncoder(nn.Module):
    """Encode feature frames with a stack of recurrent layers.

    Padding frames never influence valid ones: the backward direction reads
    each utterance reversed within its own length, so that both directions
    start at a valid frame and have seen no padding when they reach the last.

    Bidirectional, every output frame hears the whole utterance.
    Unidirectional, it hears the frames up to its own and `lookahead` more,
    and the encoder can `stream`.

    Dimensions: B utterances, T frames, F features, H hidden units,
    D directions (1 or 2).

    Args:
        input_size: F.
        hidden_size: H, units per direction.
        num_layers: depth of the stack.
        dropout: probability, between layers.
        variational: drop the same units at every frame of an utterance.
        input_dropout: probability, of the inputs of the first layer.
        output_dropout: probability, of the output of the last.
        weight_dropout: probability, of the recurrent weights, for a whole batch.
        piece_range: in training, cut utterances into pieces that do not hear each
            other, of a length, drawn for each batch, between these two, in frames.
        bidirectional: read every utterance backwards, too, and concatenate.
        norm: "batch", "layer" or None; between layers, before dropout.
        residual: add the input of every layer but the first to its output.
        lookahead: frames of the future that a unidirectional stack hears.

    Source:
        Dropout of the same units: arXiv:1512.05287; of weights: arXiv:1708.02182.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        dropout: float = 0.0,
        bidirectional: bool = True,
        norm: str | None = None,
        residual: bool = False,
        lookahead: int = 0,
        variational: bool = False,
        input_dropout: float = 0.0,
        output_dropout: float = 0.0,
        weight_dropout: float = 0.0,
        piece_range: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        check("hidden_size", hidden_size, SIZE)
        check("num_layers", num_layers, DEPTH)
        check("dropout", dropout, DROPOUT)
        check("input_dropout", input_dropout, DROPOUT)
        check("output_dropout", output_dropout, DROPOUT)
        check("weight_dropout", weight_dropout, DROPOUT)
        check("lookahead", lookahead, FRAMES)
        if norm not in (None, *NORMS):
            raise ValueError(f"norm is {norm!r}, expected null, {', '.join(NORMS)}")
        if lookahead and bidirectional:
            raise ValueError(
                f"lookahead is {lookahead} and bidirectional {bidirectional}, expected "
                "0 with bidirectional=true, which hears the whole future; set "
                "bidirectional=false or lookahead=0"
            )
        if piece_range is not None:
            check_pair("piece_range", piece_range, PIECE)
        self.piece_range = piece_range
        self.hidden_size = hidden_size
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.variational = variational
        self.input_dropout = input_dropout
        self.output_dropout = output_dropout
        self.weight_dropout = weight_dropout
        self.residual = residual
        self.output_size = hidden_size * (2 if bidirectional else 1)
        self.layers = nn.ModuleList(
            self.make_layer(size)
            for size in [input_size, *[self.output_size] * (num_layers - 1)]
        )
        self.norms = nn.ModuleList(
            NORMS[norm](self.output_size) for _ in self.layers[1:] if norm is not None
        )
        self.lookahead = (
            LookaheadConvolution(hidden_size, lookahead) if lookahead else None
        )

    @abstractmethod
    def make_layer(self, input_size: int) -> nn.Module:
        """One layer of all directions; `run` knows how to run it."""

    @abstractmethod
    def run(
        self, layer: nn.Module, aligned: Tensor, valid: Tensor, state: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Run every direction of a layer from its first frame on.

        Args:
            layer: made by `make_layer`.
            aligned: (D, T, B, F), each direction in its own order of reading.
            valid: (T, B) bool; padding comes last in every direction.
            state: (D, B, S) before the first frame; None is silence.

        Returns:
            encoded: (D, T, B, H), anything at padding.
            state: (D, B, S) after the last frame, padding included.
        """

    def output_lengths(self, input_lengths: Tensor) -> Tensor:
        """Every input frame gets an output frame."""
        return input_lengths

    def forward(self, features: Tensor, input_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode a padded batch.

        Args:
            features: (B, T, F) float, padded on the right.
            input_lengths: (B,) int64, frames, each in [1, T].

        Returns:
            encoded: (B, T, D x H) float, zero beyond each length.
            output_lengths: (B,) int64, frames; equal to input_lengths.

        Raises:
            ValueError: a length lies outside [1, T].
        """
        encoded = features
        for _, encoded in self.walk(features, input_lengths):  # noqa: B007
            pass
        return self.finish(encoded), input_lengths

    def walk(
        self, features: Tensor, input_lengths: Tensor
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Go through the stack, as `forward` does.

        Yields:
            inputs: (B, T, ...) what enters a layer.
            encoded: (B, T, D x H) what leaves it, residual connection included.
        """
        num_frames = features.size(1)
        shortest, longest = input_lengths.min().item(), input_lengths.max().item()
        if shortest < 1 or longest > num_frames:
            raise ValueError(
                f"input_lengths span {shortest} to {longest} frames, "
                f"expected 1 to {num_frames}"
            )
        if self.piece_range is None or not self.training:
            yield from self._walk(features, input_lengths)
        else:
            pieces = cut(features, input_lengths, draw_longest(*self.piece_range))
            for inputs, encoded in self._walk(pieces.frames, pieces.lengths):
                yield pieces.join(inputs), pieces.join(encoded)

    def _walk(
        self, features: Tensor, input_lengths: Tensor
    ) -> Iterator[tuple[Tensor, Tensor]]:
        valid = valid_frames(input_lengths, features.size(1))
        encoded = features
        for index, layer in enumerate(self.layers):
            inputs = self._between(index, encoded, valid)
            output = self.run_padded(layer, inputs, input_lengths, valid)
            encoded = self._add(index, encoded, output)
            yield inputs, encoded

    def finish(self, encoded: Tensor) -> Tensor:
        """What the encoder makes of the last layer's output, zero in padding."""
        if self.lookahead is not None:
            encoded = self.lookahead(encoded)
        return self._drop(encoded, self.output_dropout)

    def stream(
        self, chunk: Tensor, state: StreamState | None = None
    ) -> tuple[Tensor, StreamState]:
        """Encode utterances chunk by chunk, as `forward` encodes them whole.

        Args:
            chunk: (B, T, F), the next frames of B utterances, all valid.
            state: what the previous chunk returned; None begins an utterance.

        Returns:
            encoded: (B, T', H); with lookahead, its frames come late, and
                the last ones by `flush`.
            state: for the next chunk.

        Raises:
            ValueError: the encoder is bidirectional or in training, the chunk
                is empty, or the state is that of other utterances.
        """
        num_utterances, num_frames, _ = chunk.shape
        if self.bidirectional or self.training or num_frames < 1:
            raise ValueError(
                f"bidirectional is {self.bidirectional}, training {self.training}, "
                f"the chunk has {num_frames} frames; expected a unidirectional "
                "encoder in eval() and at least 1 frame"
            )
        if state is not None and len(state.pending) != num_utterances:
            raise ValueError(
                f"the chunk has {num_utterances} utterances, expected "
                f"{len(state.pending)} as in the chunk before; keep a state for each"
            )
        valid = chunk.new_ones(num_frames, num_utterances, dtype=torch.bool)
        before = [None] * len(self.layers) if state is None else state.layers
        after = []
        encoded = chunk
        for index, layer in enumerate(self.layers):
            aligned = self._between(index, encoded, valid.t()).transpose(0, 1)[None]
            output, layer_state = self.run(layer, aligned, valid, before[index])
            after.append(layer_state)
            encoded = self._add(index, encoded, output[0].transpose(0, 1))
        if state is not None:
            encoded = torch.cat([state.pending, encoded], dim=1)
        context = 0 if self.lookahead is None else self.lookahead.context
        complete = max(0, encoded.size(1) - context)
        pending = encoded[:, complete:]
        return self.finish(encoded)[:, :complete], StreamState(tuple(after), pending)

    def flush(self, state: StreamState) -> Tensor:
        """Encode the frames that wait for others when there are none to come.

        Returns:
            (B, T, H), empty without lookahead.
        """
        return self.finish(state.pending)

    def _between(self, index: int, encoded: Tensor, valid: Tensor) -> Tensor:
        """Normalise and drop out (B, T, ...) on the way into a layer."""
        if index == 0:
            return self._drop(encoded, self.input_dropout)
        if self.norms:
            encoded = self.norms[index - 1](encoded, valid)
        return self._drop(encoded, self.dropout)

    def _drop(self, encoded: Tensor, probability: float) -> Tensor:
        """Drop out units of (B, T, ...)."""
        if not self.variational:
            return F.dropout(encoded, probability, self.training)
        kept = F.dropout(torch.ones_like(encoded[:, :1]), probability, self.training)
        return encoded * kept

    def drop_weights(self, weight: Tensor) -> Tensor:
        """Drop out recurrent weights."""
        return F.dropout(weight, self.weight_dropout, self.training)

    def _add(self, index: int, encoded: Tensor, output: Tensor) -> Tensor:
        """Connect a layer's input to its output."""
        return encoded + output if self.residual and index > 0 else output

    def run_padded(
        self, layer: nn.Module, frames: Tensor, lengths: Tensor, valid: Tensor
    ) -> Tensor:
        """Run one layer over padded utterances.

        Args:
            layer: made by `make_layer`.
            frames: (B, T, F).
            lengths: (B,) int64, frames.
            valid: (B, T) bool, true within each length.

        Returns:
            encoded: (B, T, D x H), zero beyond each length.
        """
        frames = frames.transpose(0, 1)
        valid = valid.t()
        if not self.bidirectional:
            encoded, _ = self.run(layer, frames[None], valid, None)
            encoded = encoded[0]
        else:
            mirror = _mirror(lengths, valid)
            aligned = torch.stack([frames, _reorder(frames, mirror)])
            (forward, backward), _ = self.run(layer, aligned, valid, None)
            encoded = torch.cat([forward, _reorder(backward, mirror)], dim=2)
        return (encoded * valid[..., None]).transpose(0, 1)


def _mirror(lengths: Tensor, valid: Tensor) -> Tensor:
    """(T, B): where each frame lies when utterances are reversed.

    Frame t <-> frame length-1-t within each utterance; padding stays behind.
    The order is its own inverse.
    """
    positions = torch.arange(valid.size(0), device=valid.device)[:, None]
    return torch.where(valid, lengths - 1 - positions, positions)


def _reorder(frames: Tensor, order: Tensor) -> Tensor:
    """Take (T, B, F) frames in a (T, B) order over time."""
    num_utterances = order.size(1)
    rows = order * num_utterances + torch.arange(num_utterances, device=order.device)
    return frames.flatten(0, 1)[rows.flatten()].view_as(frames)
