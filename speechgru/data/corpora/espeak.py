"""Text to speech by espeak-ng."""

import ctypes
from typing import Any

import numpy as np
import torch
from torch import Tensor

from speechgru.espeak import load_espeak
from speechgru.interfaces import InputError

_POSITION_CHARACTER = 1  # POS_CHARACTER
_UTF8 = 1  # espeakCHARS_UTF8
_RATE, _PITCH = 1, 3  # espeakRATE in words per minute, espeakPITCH 0-100

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class Espeak:
    """Text to speech in English and a hundred other languages.

    Raises:
        InputError: espeakng-loader is not installed, or its library or data
            cannot be used.
    """

    def __init__(self) -> None:
        self._library = load_espeak("synthetic speech", "synth")
        self.sample_rate = self._library.sample_rate

    def speak(self, text: str, voice: str, speed: int, pitch: int) -> Tensor:
        """Synthesise a text.

        Args:
            text: plain words.
            voice: accent and variant, e.g. "en-us+f3".
            speed: words per minute, 80 to 450.
            pitch: 0 to 100, where 50 is the voice's own.

        Returns:
            (S,) float32 at `sample_rate` Hz.

        Raises:
            InputError: no such voice, or nothing was spoken.
        """
        blocks: list[np.ndarray] = []

        def collect(samples: Any, num_samples: int, _events: Any) -> int:
            if samples and num_samples > 0:
                blocks.append(
                    np.ctypeslib.as_array(samples, shape=(num_samples,)).copy()
                )
            return 0  # go on

        callback = _Callback(collect)
        encoded = text.encode()
        with self._library.with_voice(voice, "corpus.voices") as library:
            self._check(library.espeak_SetParameter(_RATE, speed, 0), "speed")
            self._check(library.espeak_SetParameter(_PITCH, pitch, 0), "pitch")
            library.espeak_SetSynthCallback(callback)
            status = library.espeak_Synth(
                encoded, len(encoded) + 1, 0, _POSITION_CHARACTER, 0, _UTF8, None, None
            )
            self._check(status, "synthesis")
            self._check(library.espeak_Synchronize(), "synthesis")
        if not blocks:
            raise InputError(
                f"{voice}: no sound for '{text}', expected speech; "
                "choose another voice or text"
            )
        return torch.from_numpy(np.concatenate(blocks).astype(np.float32) / 32768)

    @staticmethod
    def _check(status: int, what: str) -> None:
        if status != 0:
            raise InputError(
                f"espeak-ng: {what} failed with status {status}, expected 0; "
                "correct the corpus settings"
            )
