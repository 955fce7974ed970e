"""What all recurrent encoders share: whole utterances, streams, and their contract."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from speechgru.features.padding import ValidFrames
from speechgru.model.dropout import FrameDraws
from speechgru.model.encoders.arrangement import Arrangement
from speechgru.model.encoders.stack import RecurrentStack
from speechgru.scratch import Rows, Scratch


class StreamState(NamedTuple):
    """What an encoder remembers between two chunks.

    Attributes:
        layers: (1, B, S) for each layer; S is the size of its state.
        pending: (B, T, H) frames that still wait for those ahead of them.
    """

    layers: tuple[Tensor, ...]
    pending: Tensor


class RecurrentEncoder(RecurrentStack):
    """Encode feature frames with a stack of recurrent layers.

    Padding frames never influence valid ones: the backward direction reads
    each utterance reversed within its own length, so that both directions
    start at a valid frame and have seen no padding when they reach the last.

    Bidirectional, every output frame hears the whole utterance.
    Unidirectional, it hears the frames up to its own and `lookahead` more,
    and the encoder can `stream`.

    The arguments are those of RecurrentStack. It offers all that
    `encoders/contract.py` lists, but for gates to watch.
    """

    def output_lengths(self, input_lengths: Tensor) -> Tensor:
        """Every input frame gets an output frame."""
        return input_lengths

    def forward(self, features: Tensor, input_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode a padded batch.

        Args:
            features: (B, T, F) float, padded on the right.
            input_lengths: (B,) int64, frames, each in [1, T]; on the host.

        Returns:
            encoded: (B, T, D x H) float, zero beyond each length.
            output_lengths: (B,) int64, frames; equal to input_lengths.

        Raises:
            ValueError: a length lies outside [1, T].
        """
        arranged = self.arrange(features, input_lengths)
        encoded = self.run_stack(arranged)
        return self.finish(arranged.restore(encoded)), input_lengths

    def run_stack(self, arranged: Arrangement) -> Tensor:
        """What leaves the last layer, as arranged."""
        encoded = arranged.frames
        for _, encoded in self._walk(arranged):  # noqa: B007
            pass
        return encoded

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
        arranged, valid = _all_valid(chunk)
        before = [None] * len(self.layers) if state is None else state.layers
        after = []
        encoded = chunk
        for index, layer in enumerate(self.layers):
            encoded = self._condition(index, encoded, arranged)
            inputs = self._between(index, encoded, arranged)
            output, layer_state = self.run(
                layer,
                inputs.transpose(0, 1)[None],
                valid,
                before[index],
            )
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

    def encode_rows(self, features: Rows, scratch: Scratch, block: int) -> Rows:
        """Encode one recording as `forward` does; see `contract.LongEncoder`.

        Every direction of a layer reads block by block, in its own order, and carries
        its state along.

        Raises:
            ValueError: the encoder is in training.
        """
        if self.training:
            raise ValueError("the encoder is in training, expected eval()")
        if not self.bidirectional:
            return self._stream_rows(features, scratch, block)
        for index in range(len(self.layers)):
            encoded = scratch.rows(self.hidden_size, self.hidden_size)
            self._run_rows(index, features, encoded, block)
            features.close()
            features = encoded
        return features

    def _stream_rows(self, features: Rows, scratch: Scratch, block: int) -> Rows:
        rows, state = scratch.rows(self.output_size), None
        for chunk in features.blocks(block):
            encoded, state = self.stream(chunk, state)
            rows.append(encoded[0])
        if state is not None:
            rows.append(self.flush(state)[0])
        features.close()
        return rows

    def _run_rows(self, index: int, before: Rows, after: Rows, block: int) -> None:
        """Run both directions of layer `index`, which meet in the middle."""
        num_rows, state = len(before), None
        for start in range(0, num_rows, block):
            stop = min(start + block, num_rows)
            backward = before.read(num_rows - stop, num_rows - start).flip(0)
            encoded = torch.stack([before.read(start, stop), backward])
            arranged, _ = _all_valid(encoded)
            encoded = self._condition(index, encoded, arranged)
            inputs = self._between(index, encoded, arranged)
            # Two utterances become the two directions of one.
            _, valid = _all_valid(encoded[:1])
            output, state = self.run(
                self.layers[index], inputs[:, :, None], valid, state
            )
            size = self.hidden_size
            ahead = self._add(index, encoded[0, :, :size], output[0, :, 0])
            back = self._add(index, encoded[1, :, -size:], output[1, :, 0])
            after.write(start, ahead, part=0)
            after.write(num_rows - stop, back.flip(0), part=1)

    @property
    def hears_future(self) -> bool:
        """Whether an output frame depends on later input frames."""
        return self.bidirectional or self.lookahead is not None

    def weight_blocks(self) -> Mapping[nn.Parameter, tuple[int, int]]:
        """Rows and columns of a gate of one direction, in each matrix of a layer."""
        return {
            parameter: (self.hidden_size, parameter.size(-1))
            for parameter in self.layers.parameters()
            if parameter.dim() > 1
        }

    def states_of(self, index: int, frames: Tensor) -> list[Tensor]:
        """The state of layer `index` after each of (T, ...) frames.

        Returns:
            T tensors (D, 1, S), the forward direction first; each is computed
            from the one before.
        """
        aligned = frames[:, None].expand(2 if self.bidirectional else 1, -1, 1, -1)
        valid = ValidFrames(torch.ones(1).long(), 1, frames.device, time_first=True)
        states: list[Tensor] = []
        state = None
        for t in range(len(frames)):
            _, state = self.run(self.layers[index], aligned[:, t : t + 1], valid, state)
            states.append(state)
        return states

    def output_of(self, state: Tensor) -> Tensor:
        """(..., H) that a layer gives out, of its (..., S) state: all of it."""
        return state


def _all_valid(chunk: Tensor) -> tuple[Arrangement, ValidFrames]:
    """(B, T, F) frames as they are, and that all are valid, with the time first."""
    num_utterances, num_frames, _ = chunk.shape
    lengths = torch.full((num_utterances,), num_frames)
    valid = ValidFrames(lengths, num_frames, chunk.device)
    draws = FrameDraws(lengths, num_frames, chunk.device)  # nothing: it is in eval
    arranged = Arrangement(chunk, valid, draws, lambda encoded: encoded)
    return arranged, valid.with_time_first
