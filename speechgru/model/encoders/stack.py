"""The stack of recurrent layers, and how padded utterances go through it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from speechgru.features.keyed_draws import frame_keys, step_key, utterance_keys
from speechgru.features.padding import ValidFrames
from speechgru.model.dropout import FrameDraws, drop_units
from speechgru.model.encoders.arrangement import Arrangement
from speechgru.model.encoders.directions import mirror, reorder
from speechgru.model.encoders.gradient_checkpointing import compute_twice
from speechgru.model.encoders.lookahead import LookaheadConvolution
from speechgru.model.encoders.self_conditioning import SelfConditioning
from speechgru.model.encoders.truncation import draw_longest, plan_pieces
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
        gradient_checkpointing: in training, keep only what enters each layer, and run
            it again for its gradient: less memory, more time.
        self_conditioned: give what every layer but the last has heard, as the
            probabilities of tokens, to the next one; see `self_conditioning.py`.
        num_tokens: of the model, the blank included, where it is self-conditioned.

    Attributes:
        conditioning: whose head a self-conditioned model shares; None: it is not.

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
        gradient_checkpointing: bool = False,
        self_conditioned: bool = False,
        num_tokens: int | None = None,
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
        if self_conditioned and (num_tokens is None or num_layers == 1):
            raise ValueError(
                f"self_conditioned is true, with num_layers={num_layers}, expected "
                "false: it is for acoustic models of several layers"
            )
        if piece_range is not None:
            check_pair("piece_range", piece_range, PIECE)
        self.piece_range = piece_range
        self.gradient_checkpointing = gradient_checkpointing
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
        self.conditioning = None
        if self_conditioned and num_tokens is not None:
            self.conditioning = SelfConditioning(self.output_size, num_tokens)

    @abstractmethod
    def make_layer(self, input_size: int) -> nn.Module:
        """One layer of all directions, in the constructor; `run` can run it."""

    @abstractmethod
    def run(
        self,
        layer: nn.Module,
        aligned: Tensor,
        valid: ValidFrames,
        state: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Run every direction of a layer from its first frame on.

        Args:
            layer: made by `make_layer`.
            aligned: (D, T, B, F), each direction in its own order of reading.
            valid: with the time first; padding comes last in every direction.
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
            inputs: (B, T, ...) what enters a layer, anything in padding.
            encoded: (B, T, D x H) what leaves it, residual connection included.
        """
        arranged = self.arrange(features, input_lengths)
        for inputs, encoded in self._walk(arranged):
            yield arranged.restore(inputs), arranged.restore(encoded)

    def arrange(self, features: Tensor, input_lengths: Tensor) -> Arrangement:
        """Bring (B, T, F) features into the order in which the layers read them.

        Raises:
            ValueError: a length lies outside [1, T].
        """
        num_frames, device = features.size(1), features.device
        lengths = input_lengths.cpu()  # where they should be already
        least, most = lengths.min().item(), lengths.max().item()
        if least < 1 or most > num_frames:
            raise ValueError(
                f"input_lengths span {least} to {most} frames, "
                f"expected 1 to {num_frames}"
            )
        keys = utterance_keys(len(lengths)) if self.training else lengths
        draws = FrameDraws(keys, num_frames, device)
        if self.piece_range is None or not self.training:
            valid = ValidFrames(lengths, num_frames, device)
            return Arrangement(features, valid, draws, lambda encoded: encoded)
        shortest, longest = self.piece_range
        size = draw_longest(shortest, longest, step_key())
        pieces = plan_pieces(lengths, num_frames, size, keys, device)
        return Arrangement(
            pieces.cut(features), pieces.valid, draws.arranged(pieces.cut), pieces.join
        )

    def _walk(self, arranged: Arrangement) -> Iterator[tuple[Tensor, Tensor]]:
        """What enters and leaves each layer, as arranged."""
        encoded = arranged.frames
        for index, layer in enumerate(self.layers):
            encoded = self._condition(index, encoded, arranged)
            inputs = self._between(index, encoded, arranged)
            if self.gradient_checkpointing and self.training:
                output = compute_twice(self.run_layer, layer, inputs, arranged)
            else:
                output = self.run_layer(layer, inputs, arranged)
            encoded = self._add(index, encoded, output)
            yield inputs, encoded

    def finish(self, encoded: Tensor) -> Tensor:
        """What the encoder makes of the last layer's output, zero in padding."""
        if self.lookahead is not None:
            encoded = self.lookahead(encoded)
        if not self.training or not self.output_dropout:
            return encoded
        draws = FrameDraws(
            utterance_keys(len(encoded)), encoded.size(1), encoded.device
        )
        return self._drop(encoded, self.output_dropout, "output", draws)

    def _condition(self, index: int, encoded: Tensor, arranged: Arrangement) -> Tensor:
        """Add what was heard below layer `index` to what it receives."""
        if self.conditioning is None or index == 0:
            return encoded
        valid = arranged.valid
        return self.conditioning(encoded, None if valid is None else valid.mask)

    def _between(self, index: int, encoded: Tensor, arranged: Arrangement) -> Tensor:
        """Normalise and drop out (..., H) on the way into a layer."""
        if index == 0:
            return self._drop(encoded, self.input_dropout, "input", arranged.draws)
        if self.norms:
            encoded = self.norms[index - 1](encoded, arranged.valid)
        return self._drop(encoded, self.dropout, f"layer {index}", arranged.draws)

    def _drop(
        self, encoded: Tensor, probability: float, place: str, draws: FrameDraws
    ) -> Tensor:
        """Drop out units of (..., H)."""
        if not self.training or not probability:
            return encoded
        place = f"encoder {place}"
        return draws.drop(encoded, probability, place, self.variational)

    def drop_weights(self, layer: nn.Module, weights: Sequence[Tensor]) -> list[Tensor]:
        """Drop out recurrent weights of a layer, the same for a whole step.

        Args:
            layer: one of `layers`.
            weights: (..., H) of its directions.
        """
        if not self.training or not self.weight_dropout:
            return list(weights)
        index = next(i for i, each in enumerate(self.layers) if each is layer)
        dropped = []
        for direction, weight in enumerate(weights):
            place = f"weights of direction {direction} of layer {index}"
            num_rows = weight[..., 0].numel()
            keys = frame_keys(step_key(), num_rows, place, weight.device)
            keys = keys.view(weight.shape[:-1])
            dropped.append(drop_units(weight, self.weight_dropout, keys))
        return dropped

    def _add(self, index: int, encoded: Tensor, output: Tensor) -> Tensor:
        """Connect a layer's input to its output."""
        return encoded + output if self.residual and index > 0 else output

    def run_layer(
        self, layer: nn.Module, frames: Tensor, arranged: Arrangement
    ) -> Tensor:
        """Run one layer over padded utterances.

        Args:
            layer: made by `make_layer`.
            frames: (B, T, F), as arranged.
            arranged: says which of them are valid.

        Returns:
            encoded: (B, T, D x H), zero beyond each length.
        """
        frames = frames.transpose(0, 1)
        valid = arranged.valid.with_time_first
        if not self.bidirectional:
            encoded, _ = self.run(layer, frames[None], valid, None)
            encoded = encoded[0]
        else:
            reverse = mirror(valid)
            aligned = torch.stack([frames, reorder(frames, reverse)])
            (forward, backward), _ = self.run(layer, aligned, valid, None)
            encoded = torch.cat([forward, reorder(backward, reverse)], dim=2)
        return (encoded * valid.mask[..., None]).transpose(0, 1)
