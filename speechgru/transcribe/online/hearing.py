"""From samples to decoded frames, chunk by chunk, with an explicit state."""

from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from speechgru.blocks import BlockStream
from speechgru.decode.blank_penalty import penalize_blank
from speechgru.interfaces import (
    BLANK,
    Decoding,
    Hypothesis,
    InputError,
    StreamingDecoder,
    Tokenizer,
)
from speechgru.model.acoustic import AcousticModel
from speechgru.model.device import device_of
from speechgru.model.encoders.contract import LiveEncoder
from speechgru.model.live_inputs import stream_inputs


@dataclass(frozen=True)
class Heard:
    """What was heard of an utterance. It is never changed: `Hearing` gives the next.

    Attributes:
        front: features and subsampling, to be copied before it is given more.
        encoder: its state; None before its first frame.
        decoding: of the frames so far.
        num_frames: of the encoder's output so far.
        num_silent: of these, at the end, that are silent.
    """

    front: BlockStream
    encoder: Any
    decoding: Decoding
    num_frames: int = 0
    num_silent: int = 0


class Hearing:
    """Hear utterances chunk by chunk, as they are heard whole.

    Args:
        model: see `refusal.py` for what it must be.
        tokenizer: of the model's tokens.
        decoder: log-probabilities to hypotheses.

    It holds nothing of an utterance, and may be used from several threads.
    """

    def __init__(
        self, model: AcousticModel, tokenizer: Tokenizer, decoder: StreamingDecoder
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.decoder = decoder
        self._encoder = cast(LiveEncoder, model.encoder)
        self._device = device_of(model)
        silent = [not token.strip() for token in tokenizer.tokens]
        silent[BLANK] = True
        self._is_silent = torch.tensor(silent)

    def begin(self) -> Heard:
        """Before the first sample of an utterance."""
        decoding = self.decoder.begin(self.tokenizer, self.model.seconds_per_frame)
        return Heard(stream_inputs(self.model), None, decoding)

    @torch.inference_mode()
    def advance(self, heard: Heard, chunk: Tensor) -> Heard:
        """Take the next samples in: (S,) float32, at the model's rate."""
        front = heard.front.copy()
        frames = front.push(chunk[None].to(self._device)) if len(chunk) else None
        return self._encode(replace(heard, front=front), frames)

    @torch.inference_mode()
    def finish(self, heard: Heard) -> Hypothesis:
        """What was said if nothing follows, as when it is heard whole."""
        heard = self._encode(heard, heard.front.copy().finish())
        if heard.encoder is not None:
            heard = self._decode(heard, self._encoder.flush(heard.encoder))
        return heard.decoding.finish()

    def _encode(self, heard: Heard, frames: Tensor | None) -> Heard:
        if frames is None or not frames.size(1):
            return heard
        encoded, state = self._encoder.stream(frames, heard.encoder)
        return self._decode(replace(heard, encoder=state), encoded)

    def _decode(self, heard: Heard, encoded: Tensor) -> Heard:
        if not encoded.size(1):
            return heard
        log_probs = self.model.log_probs(encoded)[0].cpu()
        if log_probs.isnan().any():
            raise InputError(
                "the model finds NaN in the stream, expected probabilities; check that "
                "its samples lie in [-1, 1], and the checkpoint's weights"
            )
        best = penalize_blank(log_probs, self.decoder.blank_penalty).argmax(-1)
        sounding = (~self._is_silent[best]).nonzero()
        num_frames = len(best)
        if len(sounding):
            num_silent = num_frames - 1 - int(sounding[-1])
        else:
            num_silent = heard.num_silent + num_frames
        return replace(
            heard,
            decoding=heard.decoding.advance(log_probs),
            num_frames=heard.num_frames + num_frames,
            num_silent=num_silent,
        )
