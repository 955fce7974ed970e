"""Sound, spectrograms and posteriors for the page."""

import base64
import math
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import soundfile
import torch
from torch import Tensor

from speechgru.audio import load_audio
from speechgru.checkpoint.load import LoadedCheckpoint
from speechgru.features.log_mel import LogMel
from speechgru.interfaces import BLANK
from speechgru.model.acoustic import AcousticModel
from speechgru.model.device import device_of
from speechgru.score.results import Result

SAMPLE_RATE = 16000  # Hz, of the sound in the page
MAX_COLUMNS = 800  # of a spectrogram; longer ones are averaged
LEAST_PROBABILITY = 0.1  # of a token somewhere, to be drawn


@dataclass(frozen=True)
class Spectrogram:
    """How loud a recording is, over time and frequency.

    Attributes:
        frames: columns.
        bins: mel bands.
        values: base64 of a byte for each bin of each frame, from quiet to loud.
    """

    frames: int
    bins: int
    values: str


@dataclass(frozen=True)
class Recording:
    """The sound of an utterance.

    Attributes:
        flac: base64 of a FLAC file.
        seconds: duration.
        mel: its spectrogram.
    """

    flac: str
    seconds: float
    mel: Spectrogram


@dataclass(frozen=True)
class Posteriors:
    """What a model hears at each frame, of the tokens that it hears at all.

    Attributes:
        frames: of the output.
        seconds_per_frame: s between two of them.
        tokens: the texts; None is the blank.
        values: base64 of a byte for each frame of each token, which is 255 for a
            probability of 1.
    """

    frames: int
    seconds_per_frame: float
    tokens: list[str | None]
    values: str


def load_sound(result: Result, sample_rate: int) -> Tensor:
    """(S,) samples of an utterance, at a rate in Hz.

    Raises:
        InputError, OSError: its file cannot be read.
    """
    part = () if result.offset is None else (result.offset, result.duration)
    return load_audio(result.audio, sample_rate, True, *part)


def make_recording(waveform: Tensor) -> Recording:
    """Pack (S,) samples at SAMPLE_RATE for the page."""
    content = BytesIO()
    soundfile.write(
        content, waveform.clamp(-1, 1).numpy(), SAMPLE_RATE, "PCM_16", format="FLAC"
    )
    return Recording(
        flac=base64.b64encode(content.getvalue()).decode(),
        seconds=len(waveform) / SAMPLE_RATE,
        mel=make_spectrogram(waveform),
    )


def make_spectrogram(waveform: Tensor) -> Spectrogram:
    """Shade the mel bands of (S,) samples at SAMPLE_RATE."""
    log_mel = LogMel(SAMPLE_RATE, n_fft=400, hop_length=160, n_mels=80)
    features, _ = log_mel(waveform[None], torch.tensor([len(waveform)]))
    mel = features[0].numpy()
    pooled = math.ceil(len(mel) / MAX_COLUMNS)
    if pooled > 1:
        starts = np.arange(0, len(mel), pooled)
        sizes = np.diff([*starts, len(mel)])
        mel = np.add.reduceat(mel, starts) / sizes[:, None]
    quiet, loud = np.percentile(mel, [5, 99.5])
    shades = np.clip((mel - quiet) / max(loud - quiet, 1e-3), 0, 1)
    return Spectrogram(len(mel), mel.shape[1], encode_bytes(shades))


@torch.inference_mode()
def hear(loaded: LoadedCheckpoint[AcousticModel], result: Result) -> Posteriors:
    """What the model hears in an utterance, alone.

    Raises:
        InputError, OSError: its file cannot be read.
    """
    model = loaded.model.eval()
    waveform = load_sound(result, model.sample_rate)
    device = device_of(model)
    log_probs, _ = model(waveform[None].to(device), torch.tensor([len(waveform)]))
    probabilities = log_probs[0].exp().cpu().numpy().T
    heard = [
        token
        for token in range(len(probabilities))
        if token == BLANK or probabilities[token].max() >= LEAST_PROBABILITY
    ]
    tokens = loaded.tokenizer.tokens
    return Posteriors(
        frames=probabilities.shape[1],
        seconds_per_frame=model.seconds_per_frame,
        tokens=[None if token == BLANK else tokens[token] for token in heard],
        values=encode_bytes(probabilities[heard]),
    )


def encode_bytes(shares: np.ndarray) -> str:
    """Base64 of a byte for each number in [0, 1]."""
    return base64.b64encode(np.round(255 * shares).astype(np.uint8).tobytes()).decode()
