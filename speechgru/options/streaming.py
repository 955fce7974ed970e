"""The options of the command that hears a stream."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from speechgru.options.evaluation import DecodeOptions
from speechgru.options.fields import option
from speechgru.ranges import PAUSE, SAMPLE_RATE, STEP, THREADS, whole

CHANNELS = whole(1, 64)


@dataclass(frozen=True, kw_only=True)
class StreamOptions(DecodeOptions):
    """How a stream of sound becomes text; see `DecodeOptions`.

    Attributes:
        format: "txt": a line for each utterance; "json": an object for each result.
        sample_rate: Hz, of raw sound; None: the model's.
        channels: of raw sound.
        encoding: of a sample of raw sound.
        silence_before: s of silence, where nothing has been heard yet, that end an
            utterance.
        silence_after: s of silence behind something that was heard, that end it.
        max_utterance: s that an utterance lasts at most.
        step: s of sound that are heard at once, about.
        device: "cpu", "cuda", "cuda:1", ...
        num_threads: on a CPU.
    """

    name: ClassVar[str] = "stream"
    is_command: ClassVar[bool] = True

    format: Literal["txt", "json"] = "txt"
    sample_rate: int | None = option(None, within=SAMPLE_RATE)
    channels: int = option(1, within=CHANNELS)
    encoding: Literal[
        "u8", "s16le", "s24le", "s32le", "f32le", "f64le", "mulaw", "alaw"
    ] = "s16le"
    silence_before: float = option(2.4, within=PAUSE)
    silence_after: float = option(1.2, within=PAUSE)
    max_utterance: float = option(20.0, within=PAUSE)
    step: float = option(0.1, within=STEP)
    device: str = "cpu"
    num_threads: int = option(1, within=THREADS)
