"""Mel-frequency cepstral coefficients."""

import torch
from torch import Tensor, nn
from torchaudio.functional import create_dct

from speechgru.blocks import Chain, Each
from speechgru.features.log_mel import LogMel
from speechgru.features.padding import zero_padding
from speechgru.ranges import check, whole


class MFCC(nn.Module):
    """Decorrelate log-mel energies by an orthonormal cosine transform.

    Built on LogMel rather than torchaudio.transforms.MFCC, which by default
    clips at 80 dB below the maximum of the whole batch.

    Args:
        n_mfcc: number of coefficients, at most n_mels.
        others: as in LogMel.

    Source:
        Davis and Mermelstein (1980), doi:10.1109/TASSP.1980.1163420.
    """

    def __init__(
        self,
        sample_rate: int,
        n_fft: int,
        hop_length: int,
        n_mels: int,
        n_mfcc: int,
        win_length: int | None = None,
        f_min: float = 20.0,
        f_max: float | None = None,
        vocal_tract: float = 0.0,
    ) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.hop_length = hop_length
        self.output_size = n_mfcc
        self.log_mel = LogMel(
            sample_rate,
            n_fft,
            hop_length,
            n_mels,
            win_length,
            f_min,
            f_max,
            vocal_tract=vocal_tract,
        )
        check("n_mfcc", n_mfcc, whole(1, n_mels))
        self.register_buffer("dct", create_dct(n_mfcc, n_mels, norm="ortho"))

    def output_lengths(self, waveform_lengths: Tensor) -> Tensor:
        """Frames for each number of samples."""
        return self.log_mel.output_lengths(waveform_lengths)

    def forward(
        self, waveforms: Tensor, waveform_lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Frame a padded batch; as LogMel.forward, with F = n_mfcc."""
        log_mel, lengths = self.log_mel(waveforms, waveform_lengths)
        return zero_padding(self._transform(log_mel), lengths), lengths

    def by_blocks(self) -> Chain:
        """A stream of (B, S) samples to (B, T, F); see `blocks.BlockStage`."""
        return Chain([self.log_mel.by_blocks(), Each(self._transform)])

    def _transform(self, log_mel: Tensor) -> Tensor:
        """Coefficients (..., F) of (..., n_mels) log energies."""
        with torch.autocast(log_mel.device.type, enabled=False):
            return log_mel @ self.dct
