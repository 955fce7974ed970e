"""The rival: torch's recurrent layer, CTC and AdamW, and nothing else.

Its features lie packed in the device's memory. No audio is loaded, no feature
computed, nothing masked, dropped out, clipped or logged, and nobody asks whether a
loss is finite: no training of this model with these layers can be faster.
"""

import time
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from rounding import AUTOCAST
from steps import Shape, Window, wait_for
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence, pad_packed_sequence


class BareLoop:
    """Train a stack of bidirectional GRU layers on random frames.

    Args:
        input_size: of a frame.
        hidden_size, num_layers: of the stack.
        num_tokens: the blank included.
        precision: see `rounding.py`.
        device: "cuda" or "cpu".
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        num_tokens: int,
        precision: str,
        device: str,
    ) -> None:
        self._input_size = input_size
        self._num_tokens = num_tokens
        self._device = device
        self._autocast = AUTOCAST.get(precision)
        self._stack = nn.GRU(
            input_size, hidden_size, num_layers, batch_first=True, bidirectional=True
        ).to(device)
        self._head = nn.Linear(2 * hidden_size, num_tokens).to(device)
        parameters = [*self._stack.parameters(), *self._head.parameters()]
        self._optimizer = torch.optim.AdamW(parameters, 1e-4)
        self._scaler = torch.amp.GradScaler(device, enabled=precision == "16-mixed")

    def time(self, windows: Sequence[Window]) -> list[float]:
        """Seconds that steps of the same shapes take, window by window."""
        prepared = [
            [self._prepare(shape) for shape in window.shapes] for window in windows
        ]
        for batch in prepared[0]:
            self._step(*batch)
        seconds = []
        for batches in prepared:
            wait_for(self._device)
            began_at = time.perf_counter()
            for batch in batches:
                self._step(*batch)
            wait_for(self._device)
            seconds.append(time.perf_counter() - began_at)
        return seconds

    def _prepare(self, shape: Shape) -> tuple[PackedSequence, Tensor, Tensor]:
        """Frames, targets, and how many of these are valid."""
        frames = [
            torch.randn(length, self._input_size, device=self._device)
            for length in shape.input_lengths.tolist()
        ]
        size = len(frames), int(shape.target_lengths.max())
        targets = torch.randint(1, self._num_tokens, size, device=self._device)
        return pack_sequence(frames, enforce_sorted=False), targets, shape[1]

    def _step(
        self, frames: PackedSequence, targets: Tensor, target_lengths: Tensor
    ) -> None:
        dtype = self._autocast or torch.bfloat16
        enabled = self._autocast is not None
        with torch.autocast(self._device, dtype, enabled=enabled):
            encoded, lengths = pad_packed_sequence(
                self._stack(frames)[0], batch_first=True
            )
            log_probs = self._head(encoded).float().log_softmax(-1)
        loss = F.ctc_loss(
            log_probs.transpose(0, 1),
            targets,
            lengths,
            target_lengths,
            reduction="sum",
            zero_infinity=True,
        )
        self._optimizer.zero_grad()
        self._scaler.scale(loss / len(targets)).backward()
        self._scaler.step(self._optimizer)
        self._scaler.update()
