"""The espeak-ng synthesiser, from the wheel espeakng-loader, through ctypes.

Source: speak_lib.h of espeak-ng 1.52, https://github.com/espeak-ng/espeak-ng.
"""

import ctypes
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from speechgru.interfaces import InputError

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: samples go to the callback only
_DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT, when the data is missing
_POSITION_CHARACTER = 1  # POS_CHARACTER
_UTF8 = 1  # espeakCHARS_UTF8
_RATE, _PITCH = 1, 3  # espeakRATE in words per minute, espeakPITCH 0-100

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class _Voice(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    ]


class Espeak:
    """Text to speech in English and a hundred other languages.

    The library is initialised once per process, whatever the number of
    objects, and is not thread-safe.

    Raises:
        InputError: espeakng-loader is not installed, or its library or data
            cannot be used.
    """

    def __init__(self) -> None:
        self._library, self.sample_rate = _initialise()

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
        self._set_voice(voice)
        self._check(self._library.espeak_SetParameter(_RATE, speed, 0), "speed")
        self._check(self._library.espeak_SetParameter(_PITCH, pitch, 0), "pitch")
        blocks: list[np.ndarray] = []

        def collect(samples: Any, num_samples: int, _events: Any) -> int:
            if samples and num_samples > 0:
                blocks.append(
                    np.ctypeslib.as_array(samples, shape=(num_samples,)).copy()
                )
            return 0  # go on

        callback = _Callback(collect)
        self._library.espeak_SetSynthCallback(callback)
        encoded = text.encode()
        status = self._library.espeak_Synth(
            encoded, len(encoded) + 1, 0, _POSITION_CHARACTER, 0, _UTF8, None, None
        )
        self._check(status, "synthesis")
        self._check(self._library.espeak_Synchronize(), "synthesis")
        if not blocks:
            raise InputError(
                f"{voice}: no sound for '{text}', expected speech; "
                "choose another voice or text"
            )
        return torch.from_numpy(np.concatenate(blocks).astype(np.float32) / 32768)

    def _set_voice(self, voice: str) -> None:
        # An unknown accent keeps the previous voice, an unknown variant is
        # ignored with a status of success: ask what was chosen.
        status = self._library.espeak_SetVoiceByName(voice.encode())
        variant = voice.partition("+")[2]
        chosen = self._library.espeak_GetCurrentVoice().contents.identifier.decode()
        if status != 0 or chosen.partition("+")[2] != variant:
            raise InputError(
                f"espeak-ng has no voice '{voice}', expected an accent and a variant "
                "such as en-us+f3; correct corpus.voices"
            )

    @staticmethod
    def _check(status: int, what: str) -> None:
        if status != 0:
            raise InputError(
                f"espeak-ng: {what} failed with status {status}, expected 0; "
                "correct the corpus settings"
            )


@lru_cache(maxsize=1)
def _initialise() -> tuple[ctypes.CDLL, int]:
    """Load the library. A second initialisation would disturb the first."""
    try:
        import espeakng_loader
    except ImportError as error:
        raise InputError(
            "synthetic speech: espeakng-loader is not installed, expected the extra "
            "'synth'; run: pip install 'speechgru[synth]'"
        ) from error
    data = Path(espeakng_loader.get_data_path())
    try:
        library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    except OSError as error:
        raise InputError(
            f"espeak-ng cannot be loaded ({error}), expected a library for this "
            "machine; install espeakng-loader anew"
        ) from error
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint,
        ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
    ]  # fmt: skip
    library.espeak_GetCurrentVoice.restype = ctypes.POINTER(_Voice)
    sample_rate = library.espeak_Initialize(
        _SYNCHRONOUS, 0, str(data).encode(), _DONT_EXIT
    )
    if sample_rate <= 0:
        raise InputError(
            f"espeak-ng cannot use {data} (status {sample_rate}), expected its data; "
            "install espeakng-loader anew"
        )
    return library, sample_rate
