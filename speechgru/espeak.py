"""The library of espeak-ng, from the wheel espeakng-loader, through ctypes.

Source: speak_lib.h of espeak-ng 1.52, https://github.com/espeak-ng/espeak-ng.
"""

import ctypes
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from speechgru.interfaces import InputError

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: samples go to the callback only
_DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT, when the data is missing


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


class Library:
    """The library of this process, which has one voice at a time, and no threads.

    Args:
        functions: of the library, which is initialised.
        sample_rate: Hz.
    """

    def __init__(self, functions: ctypes.CDLL, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._functions = functions
        self._voice: str | None = None
        self._lock = threading.Lock()

    @contextmanager
    def with_voice(self, voice: str, option: str) -> Iterator[ctypes.CDLL]:
        """Within, the functions of the library, which nobody else has meanwhile.

        Args:
            voice: accent, perhaps with a variant, e.g. "en-us+f3".
            option: that names it.

        Raises:
            InputError: no such voice.
        """
        with self._lock:
            self._set_voice(voice, option)
            yield self._functions

    def _set_voice(self, voice: str, option: str) -> None:
        if voice == self._voice:
            return  # it takes longer than a word
        self._voice = None
        # The library would look for files of that name.
        is_name = re.fullmatch(r"[\w-]{1,30}(\+[\w-]{1,30})?", voice, re.ASCII)
        # An unknown accent keeps the previous voice, an unknown variant is
        # ignored with a status of success: ask what was chosen.
        status = self._functions.espeak_SetVoiceByName(voice.encode()) if is_name else 1
        variant = voice.partition("+")[2]
        current = self._functions.espeak_GetCurrentVoice().contents
        if status != 0 or current.identifier.decode().partition("+")[2] != variant:
            raise InputError(
                f"espeak-ng has no voice '{voice}', expected an accent and a variant "
                f"such as en-us+f3; correct {option}"
            )
        self._voice = voice


def load_espeak(purpose: str, extra: str) -> Library:
    """Load the library, once per process.

    Args:
        purpose: what it is wanted for.
        extra: of speechgru, that installs it.

    Raises:
        InputError: espeakng-loader is not installed, or its library or data
            cannot be used.
    """
    try:
        import espeakng_loader  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"{purpose}: espeakng-loader is not installed, expected the extra "
            f"'{extra}'; run: pip install 'speechgru[{extra}]'"
        ) from error
    return _initialise()


@lru_cache(maxsize=1)
def _initialise() -> Library:
    """A second initialisation would disturb the first."""
    import espeakng_loader

    data = Path(espeakng_loader.get_data_path())
    try:
        functions = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    except OSError as error:
        raise InputError(
            f"espeak-ng cannot be loaded ({error}), expected a library for this "
            "machine; install espeakng-loader anew"
        ) from error
    functions.espeak_Synth.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint,
        ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
    ]  # fmt: skip
    functions.espeak_GetCurrentVoice.restype = ctypes.POINTER(_Voice)
    functions.espeak_TextToPhonemes.argtypes = [
        ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int,
    ]  # fmt: skip
    functions.espeak_TextToPhonemes.restype = ctypes.c_char_p
    sample_rate = functions.espeak_Initialize(
        _SYNCHRONOUS, 0, str(data).encode(), _DONT_EXIT
    )
    if sample_rate <= 0:
        raise InputError(
            f"espeak-ng cannot use {data} (status {sample_rate}), expected its data; "
            "install espeakng-loader anew"
        )
    return Library(functions, sample_rate)
