"""Log-mel filterbank energies."""

import torch
from torch import Tensor, nn
from torchaudio.functional import spectrogram
from torchaudio.transforms import MelSpectrogram

from speechgru.blocks import Windows
from speechgru.features.keyed_draws import draw, utterance_keys
from speechgru.features.padding import send, zero_padding
from speechgru.features.vocal_tract import warp_spectra
from speechgru.ranges import SAMPLE_RATE, Range, check, whole

VOCAL_TRACT = Range(0, 0.5)

AT_ONCE = 64
"""Utterances, whose warps are as large as the square of a spectrum."""


class LogMel(nn.Module):
    """Turn waveforms into log-mel energies, in float32 at any precision.

    Frames are centred on multiples of `hop_length` and an utterance is framed
    as if zeros surrounded it, so padding never changes a valid frame.

    Dimensions: B utterances, S samples, T frames, F = n_mels.

    Args:
        sample_rate: Hz.
        n_fft: samples, FFT size.
        win_length: samples, Hann window; n_fft if None.
        hop_length: samples between frames.
        n_mels: number of mel bands (HTK scale).
        f_min: Hz, lowest edge.
        f_max: Hz, highest edge; half the sample rate if None.
        floor: energies are raised to this before the logarithm.
        vocal_tract: in training, scale the frequencies of each utterance, and of each
            of its views, by a factor that is uniform between 1 less this and 1 more,
            as longer and shorter vocal tracts do; see `vocal_tract.py`.

    Source:
        Davis and Mermelstein (1980), doi:10.1109/TASSP.1980.1163420;
        torchaudio.transforms.MelSpectrogram.
    """

    gives_log_energies = True

    def __init__(
        self,
        sample_rate: int,
        n_fft: int,
        hop_length: int,
        n_mels: int,
        win_length: int | None = None,
        f_min: float = 20.0,
        f_max: float | None = None,
        floor: float = 1e-8,
        vocal_tract: float = 0.0,
    ) -> None:
        super().__init__()
        check("sample_rate", sample_rate, SAMPLE_RATE)
        check("n_fft", n_fft, whole(2, 65_536))
        check("hop_length", hop_length, whole(1, 65_536))
        check("n_mels", n_mels, whole(1, n_fft))
        if win_length is not None:
            check("win_length", win_length, whole(1, n_fft))
        check("f_min", f_min, Range(0, sample_rate / 2, below=True))
        if f_max is not None:
            check("f_max", f_max, Range(f_min, sample_rate / 2, above=True))
        check("floor", floor, Range(0, 1, above=True, below=True))
        check("vocal_tract", vocal_tract, VOCAL_TRACT)
        self.vocal_tract = vocal_tract
        self.sample_rate = sample_rate
        self.hop_length = hop_length
        self.output_size = n_mels
        self.n_fft = n_fft
        self.floor = floor
        self.mel = MelSpectrogram(
            sample_rate=sample_rate,
            n_fft=n_fft,
            win_length=win_length,
            hop_length=hop_length,
            f_min=f_min,
            f_max=f_max,
            n_mels=n_mels,
            # Reflection would make the last frames depend on the padding.
            pad_mode="constant",
        )

    def output_lengths(self, waveform_lengths: Tensor) -> Tensor:
        """Frames for each number of samples: one per whole hop, and one."""
        # Half an odd n_fft, rounded down, surrounds the utterance on each side.
        return (waveform_lengths - self.n_fft % 2) // self.hop_length + 1

    def forward(
        self, waveforms: Tensor, waveform_lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Frame a padded batch.

        Args:
            waveforms: (B, S) float in [-1, 1].
            waveform_lengths: (B,) int64, samples, each in [1, S].

        Returns:
            features: (B, T, F) float32, natural log, zero beyond each length.
            output_lengths: (B,) int64, frames.
        """
        lengths = self.output_lengths(waveform_lengths)
        with torch.autocast(waveforms.device.type, enabled=False):
            waveforms = zero_padding(waveforms.float(), waveform_lengths)
            if self.training and self.vocal_tract:
                energies = self._hear_other_vocal_tracts(waveforms)
            else:
                energies = self.mel(waveforms)
            features = energies.clamp(min=self.floor).log().transpose(1, 2)
        return zero_padding(features, lengths), lengths

    def by_blocks(self) -> Windows:
        """A stream of (B, S) samples to (B, T, F); see `blocks.BlockStage`."""
        half = self.n_fft // 2
        return Windows(self._hear, self.n_fft, self.hop_length, half, half)

    def _hear(self, waveforms: Tensor) -> Tensor:
        """Features (B, T, F) of (B, S), which nothing surrounds."""
        transform = self.mel.spectrogram
        with torch.autocast(waveforms.device.type, enabled=False):
            spectra = spectrogram(
                waveforms.float(), 0, transform.window, self.n_fft, self.hop_length,
                transform.win_length, transform.power, transform.normalized,
                center=False,
            )  # fmt: skip
            energies = self.mel.mel_scale(spectra)
            return energies.clamp(min=self.floor).log().transpose(1, 2)

    def _hear_other_vocal_tracts(self, waveforms: Tensor) -> Tensor:
        """(B, F, T) energies of (B, S), each of a vocal tract of its own."""
        spectra = self.mel.spectrogram(waveforms)
        numbers = draw(utterance_keys(len(waveforms)), "vocal tract", 1)[:, 0]
        factors = 1 + (2 * numbers - 1) * self.vocal_tract
        # The bank is warped instead of the spectra: it is the smaller of the two.
        banks = torch.cat(
            [
                warp_spectra(some, spectra.size(1)) @ self.mel.mel_scale.fb
                for some in send(factors, waveforms.device).split(AT_ONCE)
            ]
        )
        return (spectra.transpose(1, 2) @ banks).transpose(1, 2)
