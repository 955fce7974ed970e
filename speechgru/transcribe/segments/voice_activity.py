"""How likely each moment of a recording is speech.

Source: Silero VAD, https://github.com/snakers4/silero-vad, MIT licence. Of its package
nothing is used but the network, which lies in it as ONNX beside its licence. The
network hears frames of 512 samples behind the 64 before them, and carries the state of
an LSTM from one to the next; the variant taken here does so for many frames at once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from speechgru.interfaces import InputError

SAMPLE_RATE = 16_000
"""Hz, that the network hears."""

FRAME = 512
"""Samples."""

SECONDS_PER_FRAME = FRAME / SAMPLE_RATE

Floats = NDArray[np.float32]

_CONTEXT = 64  # samples in front of a frame
_UNITS = 128
_MOST_FRAMES = 512  # at once: 16 s
_NETWORK = Path("data", "silero_vad_16k_sequence.onnx")


@dataclass(frozen=True)
class Activity:
    """What is known of each frame of a recording, the last of which may be part of one.

    Attributes:
        speech: (N,) probabilities.
        energies: (N,) mean squares of the samples.
    """

    speech: Floats
    energies: Floats


def find_activity(blocks: Iterable[Tensor]) -> Activity:
    """Hear a recording, in memory that does not depend on what a block holds of it.

    Args:
        blocks: (S,) float32 at 16 kHz, each of any length; where they end makes no
            difference.

    Raises:
        InputError: the network or what runs it is not installed.
    """
    network = _load_network()
    state = {name: np.zeros((1, 1, _UNITS), np.float32) for name in ("h", "c")}
    context = np.zeros(_CONTEXT, np.float32)
    speech, energies = [np.empty(0, np.float32)], [np.empty(0, np.float32)]
    for frames in _cut_into_frames(blocks):
        before = np.concatenate([context[None], frames[:-1, -_CONTEXT:]])
        context = frames[-1, -_CONTEXT:]
        heard = np.concatenate([before, frames], axis=1)
        found, state["h"], state["c"] = network.run(
            ["speech_probs", "hn", "cn"], {"input": heard, **state}
        )
        speech.append(found)
        energies.append(np.square(frames).mean(axis=1))
    return Activity(np.concatenate(speech), np.concatenate(energies))


def _cut_into_frames(blocks: Iterable[Tensor]) -> Iterator[Floats]:
    """(n, FRAME) with up to _MOST_FRAMES at once; the last frame ends in zeros."""
    size = _MOST_FRAMES * FRAME
    held = np.empty(0, np.float32)
    for block in blocks:
        held = np.concatenate([held, block.numpy()])
        while len(held) >= size:
            yield held[:size].reshape(-1, FRAME)
            held = held[size:]
    if len(held):
        yield np.pad(held, (0, -len(held) % FRAME)).reshape(-1, FRAME)


@lru_cache(1)
def _load_network() -> Any:
    """A session of onnxruntime, which several threads may use at once."""
    try:
        import onnxruntime
    except ImportError as error:
        raise _missing("onnxruntime") from error
    # Found without being imported: the package itself would load much more.
    package = find_spec("silero_vad")
    folders = package.submodule_search_locations if package is not None else None
    network = Path(*(folders or [])[:1]) / _NETWORK
    if not folders or not network.is_file():
        raise _missing("silero-vad==6.2.3")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        network, options, providers=["CPUExecutionProvider"]
    )


def _missing(package: str) -> InputError:
    return InputError(
        f"{package} is not installed, expected it, since silences are found with it to "
        f"cut recordings there; pip install {package}, or set segment=none"
    )
