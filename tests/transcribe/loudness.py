"""A model whose text can be worked out by hand, and waveforms for it."""

from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor, nn

from speechgru.text.tokenizer import CharacterTokenizer

SAMPLE_RATE = 8000
FRAME = 80  # samples
TOKENIZER = CharacterTokenizer(" ABC")


class LoudnessModel(nn.Module):
    """Hear token n where the middle of a frame has the level n / 10.

    Padding frames hold noise, which nobody may read.
    """

    sample_rate = SAMPLE_RATE
    seconds_per_frame = FRAME / SAMPLE_RATE

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.9)
        self.batches: list[tuple[int, int]] = []

    def output_lengths(self, waveform_lengths: Tensor) -> Tensor:
        return waveform_lengths // FRAME

    def forward(self, waveforms: Tensor, waveform_lengths: Tensor):
        assert not torch.is_grad_enabled()
        self.batches.append(tuple(waveforms.shape))
        lengths = self.output_lengths(waveform_lengths)
        frames = self.dropout(waveforms).unfold(1, FRAME, FRAME)
        levels = frames[:, :, 20:60].mean(dim=2, keepdim=True)
        distances = (10 * levels - torch.arange(len(TOKENIZER.tokens))).abs()
        log_probs = (-10 * distances).log_softmax(dim=-1)
        padding = torch.arange(log_probs.size(1)) >= lengths[:, None]
        noise = torch.randn_like(log_probs).log_softmax(dim=-1)
        return torch.where(padding[..., None], noise, log_probs), lengths


def make_waveform(text: str, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """A frame of each character's level, and one of silence after it."""
    levels = [
        level for token_id in TOKENIZER.encode(text) for level in (token_id / 10, 0)
    ]
    frame = FRAME * sample_rate // SAMPLE_RATE
    return np.repeat(np.array(levels, dtype=np.float32), frame)


def write(path: Path, text: str, sample_rate: int = SAMPLE_RATE) -> Path:
    soundfile.write(path, make_waveform(text, sample_rate), sample_rate)
    return path
