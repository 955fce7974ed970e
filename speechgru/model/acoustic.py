"""The acoustic model: waveforms to log-probabilities of tokens."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from speechgru.features.normalize import GlobalNorm
from speechgru.interfaces import InputError


class AcousticModel(nn.Module):
    """Chain features, subsampling, encoder and a linear head.

    The features are a part of the model, so training and transcription can
    never compute them differently.

    Dimensions: B utterances, S samples, T output frames, C tokens.

    Args:
        features: waveforms to frames; publishes sample_rate, hop_length.
        normalize: frames to normalised frames; may say `needs_log_energies`,
            which the features must say that they give.
        spec_augment: masks frames in training; nn.Identity-like in eval.
        subsampling: fewer frames; publishes factor.
        encoder: an interfaces.Encoder; one that is self-conditioned hears its layers
            by the head of the model, its `conditioning.head`.
        num_tokens: C, the blank included.

    Raises:
        InputError: the features are not what the normalisation needs.
    """

    def __init__(
        self,
        features: nn.Module,
        normalize: nn.Module,
        spec_augment: nn.Module | None,
        subsampling: nn.Module,
        encoder: nn.Module,
        num_tokens: int,
    ) -> None:
        super().__init__()
        if getattr(normalize, "needs_log_energies", False) and not getattr(
            features, "gives_log_energies", False
        ):
            raise InputError(
                f"normalize is {type(normalize).__name__}, which needs log energies, "
                f"but features are {type(features).__name__}; choose features=log_mel "
                "or normalize=utterance"
            )
        # Any: what each publishes is said above, and more than nn.Module has.
        self.features: Any = features
        self.normalize: Any = normalize
        self.spec_augment: Any = spec_augment
        self.subsampling: Any = subsampling
        self.encoder: Any = encoder
        conditioning = getattr(encoder, "conditioning", None)
        self.head = (
            nn.Linear(encoder.output_size, num_tokens)
            if conditioning is None
            else conditioning.head
        )

    @property
    def sample_rate(self) -> int:
        """Hz, of the waveforms that the model hears."""
        return self.features.sample_rate

    @property
    def seconds_per_frame(self) -> float:
        """Duration of one output frame."""
        hop = self.features.hop_length * self.subsampling.factor
        return hop / self.sample_rate

    @property
    def num_parameters(self) -> int:
        """Number of trained values."""
        return sum(parameter.numel() for parameter in self.parameters())

    def output_lengths(self, waveform_lengths: Tensor) -> Tensor:
        """Output frames for each number of samples, exactly."""
        lengths = self.features.output_lengths(waveform_lengths)
        return self.encoder.output_lengths(self.subsampling.output_lengths(lengths))

    def forward(
        self, waveforms: Tensor, waveform_lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Score every token at every output frame.

        Args:
            waveforms: (B, S) float32 in [-1, 1], at sample_rate.
            waveform_lengths: (B,) int64, samples, each in [1, S]; on the host, also
                where the model is on a GPU, or the host must wait for it.

        Returns:
            log_probs: (B, T, C) float32, natural log.
            output_lengths: (B,) int64, frames, on the host.
        """
        log_probs, output_lengths = self.score_layers(waveforms, waveform_lengths)
        return log_probs, output_lengths

    def score_layers(
        self, waveforms: Tensor, waveform_lengths: Tensor, all_layers: bool = False
    ) -> tuple[Tensor, ...]:
        """Score every token at every output frame, also by the layers below.

        Args:
            waveforms: as in `forward`.
            waveform_lengths: as in `forward`.
            all_layers: whether the head also hears every layer below the last;
                the encoder must be a LayeredEncoder (`encoders/contract.py`).

        Returns:
            log_probs: (B, T, C) float32, of each layer, the last one last.
            output_lengths: (B,) int64, frames.
        """
        subsampled, lengths = self.encoder_inputs(waveforms, waveform_lengths)
        if not all_layers:
            encoded, output_lengths = self.encoder(subsampled, lengths)
            return self.log_probs(encoded), output_lengths
        layers = [encoded for _, encoded in self.encoder.walk(subsampled, lengths)]
        layers[-1] = self.encoder.finish(layers[-1])
        return *map(self.log_probs, layers), self.encoder.output_lengths(lengths)

    def encoder_inputs(
        self, waveforms: Tensor, waveform_lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What the encoder receives: (B, T, F) frames, and how many are valid."""
        features, lengths = self.features(waveforms, waveform_lengths.cpu())
        features = self.normalize(features, lengths)
        if self.spec_augment is not None:
            features = self.spec_augment(features, lengths)
        return self.subsampling(features, lengths)

    def log_probs(self, encoded: Tensor) -> Tensor:
        """(B, T, C) of what the encoder returns."""
        # Half precision loses small probabilities; the loss and the beam need them.
        return self.head(encoded).float().log_softmax(dim=-1)

    @torch.no_grad()
    def fit_normalization(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Estimate global statistics, if the normalisation keeps any.

        Args:
            batches: (B, S) waveforms with (B,) lengths in samples.
        """
        if isinstance(self.normalize, GlobalNorm):
            was_training = self.features.training
            self.features.eval()  # what is heard later, not what training makes of it
            try:
                self.normalize.fit(self.features(*batch) for batch in batches)
            finally:
                self.features.train(was_training)
