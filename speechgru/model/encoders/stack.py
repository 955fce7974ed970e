"""The stack of recurrent layers, and how padded utterances go through it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from speechgru.features.padding import valid_frames
from speechgru.model.encoders.directions import mirror, reorder
from speechgru.model.encoders.dropout import drop_units
from speechgru.model.encoders.lookahead import LookaheadConvolution
from speechgru.model.encoders.truncation import cut, draw_longest
from speechgru.model.masked_norm import make_norms
from speechgru.ranges import DROPOUT, SIZE, check, check_pair, whole

DEPTH = whole(1, 1000)  # layers
FRAMES = whole(0, 10_000)  # of the future
PIECE = whole(1, 1_000_000)  # frames


class RecurrentStack(nn.Module, ABC):
    """Recurrent layers, with what lies between them.

    A member of the family subclasses `RecurrentEncoder` and says how a layer is
    made and run; where the state of a layer is more than its output, also
    `output_of`. If it has an option of its own, its constructor keeps that
    before it hands the others on, for the layers are made there.

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

    has_recurrent_weights: ClassVar[bool] = True
    """Whether there are any that `drop_weights` could drop out."""

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
        if lookahead and bidirectional:
            raise ValueError(
                f"lookahead is {lookahead} and bidirectional {bidirectional}, expected "
                "0 with bidirectional=true, which hears the whole future; set "
                "bidirectional=false or lookahead=0"
            )
        if weight_dropout and not self.has_recurrent_weights:
            raise ValueError(
                f"weight_dropout is {weight_dropout}, expected 0: a "
                f"{type(self).__name__} has no recurrent weights"
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
        self.norms = make_norms(norm, self.output_size, num_layers - 1)
        self.lookahead = (
            LookaheadConvolution(hidden_size, lookahead) if lookahead else None
        )

    @abstractmethod
    def make_layer(self, input_size: int) -> nn.Module:
        """One layer of all directions, in the constructor; `run` can run it."""

    @abstractmethod
    def run(
        self, layer: nn.Module, aligned: Tensor, valid: Tensor, state: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Run every direction of a layer from its first frame on.

        Args:
            layer: made by `make_layer`.
            aligned: (D, T, B, F), each direction in its own order of reading.
            valid: (T, B) bool; padding comes last in every direction.
            state: (D, B, S) before the first frame; None is silence. It holds
                whatever a layer needs to go on, and what it has given out.

        Returns:
            encoded: (D, T, B, H), anything at padding.
            state: (D, B, S) after the last frame, padding included.
        """

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

    def _between(self, index: int, encoded: Tensor, valid: Tensor) -> Tensor:
        """Normalise and drop out (B, T, ...) on the way into a layer."""
        if index == 0:
            return self._drop(encoded, self.input_dropout)
        if self.norms:
            encoded = self.norms[index - 1](encoded, valid)
        return self._drop(encoded, self.dropout)

    def _drop(self, encoded: Tensor, probability: float) -> Tensor:
        """Drop out units of (B, T, ...)."""
        return drop_units(encoded, probability, self.training, self.variational)

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
            reverse = mirror(lengths, valid)
            aligned = torch.stack([frames, reorder(frames, reverse)])
            (forward, backward), _ = self.run(layer, aligned, valid, None)
            encoded = torch.cat([forward, reorder(backward, reverse)], dim=2)
        return (encoded * valid[..., None]).transpose(0, 1)
