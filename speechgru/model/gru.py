"""The bidirectional GRU encoder."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from speechgru.features.padding import valid_frames


class GRUEncoder(nn.Module):
    """Encode feature frames with stacked bidirectional GRU layers.

    Every output frame sees the whole utterance, so this encoder cannot
    stream. Padding frames never influence valid ones.

    On a GPU each layer runs packed, in cuDNN. On a CPU, where a packed layer
    costs the square of the length, the backward direction reads each
    utterance reversed within its own length: the same numbers, in time linear
    in the length. Both share the parameters of `nn.GRU`.

    Dimensions: B utterances, T frames, F features, H hidden units.

    Args:
        input_size: F.
        hidden_size: H, units per direction.
        num_layers: depth of the stack.
        dropout: probability, between layers only.

    Source:
        "Learning Phrase Representations using RNN Encoder-Decoder",
        arXiv:1406.1078; stacked over speech as in "Deep Speech 2",
        arXiv:1512.02595, section 3, whose two directions are summed; here
        they are concatenated.
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if num_layers < 1 or not 0 <= dropout < 1:
            raise ValueError(
                f"num_layers is {num_layers} and dropout {dropout}, expected at "
                "least 1 layer and a probability below 1"
            )
        self.output_size = 2 * hidden_size
        self.dropout = dropout
        self.layers = nn.ModuleList(
            nn.GRU(size, hidden_size, batch_first=True, bidirectional=True)
            for size in [input_size, *[self.output_size] * (num_layers - 1)]
        )

    def output_lengths(self, input_lengths: Tensor) -> Tensor:
        """Every input frame gets an output frame."""
        return input_lengths

    def forward(self, features: Tensor, input_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode a padded batch.

        Args:
            features: (B, T, F) float, padded on the right.
            input_lengths: (B,) int64, frames, each in [1, T].

        Returns:
            encoded: (B, T, 2H) float, zero beyond each length.
            output_lengths: (B,) int64, frames; equal to input_lengths.

        Raises:
            ValueError: a length lies outside [1, T].
        """
        num_frames = features.size(1)
        shortest, longest = input_lengths.min().item(), input_lengths.max().item()
        if shortest < 1 or longest > num_frames:
            raise ValueError(
                f"input_lengths span {shortest} to {longest} frames, "
                f"expected 1 to {num_frames}"
            )
        run = _run_reversed if features.device.type == "cpu" else _run_packed
        encoded = features
        for index, layer in enumerate(self.layers):
            if index > 0:
                encoded = F.dropout(encoded, self.dropout, self.training)
            encoded = run(layer, encoded, input_lengths)
        return encoded, input_lengths


def _run_packed(layer: nn.GRU, frames: Tensor, lengths: Tensor) -> Tensor:
    """Run one bidirectional layer over packed utterances."""
    packed = pack_padded_sequence(
        frames,
        lengths.cpu(),  # packing accepts no other device
        batch_first=True,
        enforce_sorted=False,
    )
    # Without total_length the output shrinks to the longest utterance
    # and stops matching the caller's (B, T) mask.
    return pad_packed_sequence(
        layer(packed)[0], batch_first=True, total_length=frames.size(1)
    )[0]


def _run_reversed(layer: nn.GRU, frames: Tensor, lengths: Tensor) -> Tensor:
    """Run one bidirectional layer, each direction over padded utterances.

    A direction that starts at an utterance's first frame has seen none of
    the padding when it reaches the last, so no packing is needed.
    """
    valid = valid_frames(lengths, frames.size(1))
    positions = torch.arange(frames.size(1), device=frames.device)
    # Frame t <-> frame length-1-t within the utterance; padding stays behind.
    mirror = torch.where(valid, lengths[:, None] - 1 - positions, positions)[..., None]
    forward = _run_direction(layer, frames, "")
    backward = _run_direction(
        layer, frames.gather(1, mirror.expand_as(frames)), "_reverse"
    )
    backward = backward.gather(1, mirror.expand_as(backward))
    return torch.cat([forward, backward], dim=2) * valid[..., None]


def _run_direction(layer: nn.GRU, frames: Tensor, suffix: str) -> Tensor:
    """Run one direction of a layer over (B, T, F) from the first frame on."""
    parameters = [
        getattr(layer, f"{name}_l0{suffix}")
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ]
    state = frames.new_zeros(1, frames.size(0), layer.hidden_size)
    # has_biases, num_layers, dropout, train, bidirectional, batch_first
    return torch.gru(
        frames, state, parameters, True, 1, 0.0, layer.training, False, True
    )[0]
