"""Recordings that are heard whole, several at a time."""

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from speechgru.interfaces import InputError
from speechgru.model.acoustic import AcousticModel
from speechgru.model.device import device_of
from speechgru.transcribe.long import refuse_nan
from speechgru.transcribe.recording import Recording


class BatchScoring:
    """Waveforms in padded batches to log-probabilities.

    Args:
        model: in eval mode.
    """

    def __init__(self, model: AcousticModel) -> None:
        self._model = model

    def load(self, recording: Recording) -> Tensor:
        """(S,) float32 at the model's rate.

        Raises:
            InputError: it cannot be read, or is too short for one output frame.
        """
        model = self._model
        waveform = recording.load(model.sample_rate)
        length = torch.tensor([len(waveform)])
        if len(waveform) < 1 or model.output_lengths(length).item() < 1:
            raise InputError(
                f"{recording.title}: {len(waveform)} samples at {model.sample_rate} "
                "Hz, expected enough for one output frame "
                f"({model.seconds_per_frame:.3g} s); record more"
            )
        return waveform

    @torch.inference_mode()
    def score(self, names: list[str], waveforms: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Run the model on a padded batch.

        Args:
            names: of the waveforms, for messages.
            waveforms: (S,) each.

        Returns:
            log_probs: (B, T, C) float32, natural log.
            output_lengths: (B,) int64, frames.

        Raises:
            InputError: the model finds NaN in one.
        """
        lengths = torch.tensor([len(waveform) for waveform in waveforms])
        padded = pad_sequence(waveforms, batch_first=True)
        log_probs, output_lengths = self._model(
            padded.to(device_of(self._model)), lengths
        )
        for name, scores, length in zip(
            names, log_probs, output_lengths.tolist(), strict=True
        ):
            refuse_nan(name, scores[:length])
        return log_probs, output_lengths
