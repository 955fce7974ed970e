"""What a recording will take of the memory, and how much there is."""

import math
import weakref
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from speechgru.audio import AudioInfo
from speechgru.interfaces import InputError
from speechgru.model.acoustic import AcousticModel
from speechgru.model.device import device_of
from speechgru.process_memory import free_memory

SHORT = 120.0
"""s; what is not longer fits wherever the model itself does."""

PROBES = (2.0, 4.0)
"""s of noise that a model hears to be measured: longer ones take as much more."""

MARGIN = 1.25
"""What operations hold besides the tensors that they return, and fragments."""


class MemoryLimit:
    """See to it that a recording fits into memory before it is loaded.

    Args:
        model: that will hear it.
        max_memory: GB that one recording, or a batch, may take; None: what is free
            when it begins.

    Raises:
        InputError: max_memory is not positive.
    """

    def __init__(self, model: AcousticModel, max_memory: float | None) -> None:
        if max_memory is not None and not max_memory > 0:
            raise InputError(f"max_memory is {max_memory}, expected more than 0 GB")
        self.model = model
        self.max_memory = max_memory

    @cached_property
    def bytes_per_second(self) -> float:
        """What the model takes, measured when it is first asked for."""
        return measure_model(self.model)

    def check(self, name: str, info: AudioInfo) -> None:
        """Raise InputError if a recording of this name will not fit."""
        if self.max_memory is None and info.duration <= SHORT:
            return
        free = self._free()
        waveform = 4 * info.duration * self.model.sample_rate
        heard = waveform + info.duration * self.bytes_per_second
        needed = max(heard, float(needed_to_decode(info, self.model.sample_rate)))
        if needed > free:
            fitting = info.duration * free / needed / 60
            raise InputError(
                f"{name}: {info.duration / 60:.1f} minutes would take some "
                f"{needed / 1e9:.2f} GB of memory, expected at most {free / 1e9:.2f}, "
                f"which {'is free' if self.max_memory is None else 'max_memory allows'}"
                f"; cut it into parts of up to {fitting:.1f} minutes, or set max_memory"
            )

    def shorten(self, batch_seconds: float) -> float:
        """s of audio in a batch: as many as asked for, if they fit."""
        if batch_seconds <= SHORT:
            return batch_seconds
        fitting = self._free() / max(self.bytes_per_second, 1.0)
        return min(batch_seconds, max(SHORT, fitting))

    def _free(self) -> float:
        if self.max_memory is not None:
            return 1e9 * self.max_memory
        free = free_memory()
        return math.inf if free is None else float(free)


def needed_to_decode(info: AudioInfo, sample_rate: int) -> float:
    """Bytes at most held while a recording is read, mixed and resampled.

    Args:
        info: of the recording.
        sample_rate: Hz, wanted.
    """
    # Mixed blocks and their concatenation; what it is resampled to, likewise.
    return 8 * (info.num_samples + info.duration * sample_rate)


@torch.inference_mode()
def measure_model(model: AcousticModel) -> float:
    """Bytes that a model holds for each second of a recording, at most at once.

    Only tensors in the memory of the processor count.
    """
    device = device_of(model)
    peaks = []
    for seconds in PROBES:
        length = round(seconds * model.sample_rate)
        generator = torch.Generator().manual_seed(0)
        noise = 0.01 * torch.randn(1, length, generator=generator)
        with _Tally() as tally:
            model(noise.to(device), torch.tensor([length]))
        peaks.append(tally.peak)
    growth = max(0.0, float(peaks[1] - peaks[0]))
    return float(MARGIN * growth / (PROBES[1] - PROBES[0]))


class _Tally(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's
    """Follow how many bytes the tensors hold that operations return."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's
        self.held = self.peak = 0
        self._known: set[int] = set()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here, so that the compiler need not be imported."""
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run an operation, and count what it returns."""
        results = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(results):
            if isinstance(tensor, Tensor) and tensor.device.type == "cpu":
                self._count(tensor.untyped_storage())
        return results

    def _count(self, storage: torch.UntypedStorage) -> None:
        place, size = storage.data_ptr(), storage.nbytes()
        if place in self._known:
            return
        self._known.add(place)
        self.held += size
        self.peak = max(self.peak, self.held)
        weakref.finalize(storage, self._forget, place, size)

    def _forget(self, place: int, size: int) -> None:
        self._known.discard(place)
        self.held -= size
