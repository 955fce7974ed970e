"""The options of the commands that hear single recordings."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from speechgru.options.choices import chosen
from speechgru.options.component import Component
from speechgru.options.evaluation import DecodeOptions, Segmenting
from speechgru.options.fields import Options, option
from speechgru.options.rules import modules
from speechgru.ranges import SECONDS, THREADS, Range

MEMORY = Range(0, 1_000_000, above=True)
"""GB."""


@dataclass(frozen=True, kw_only=True)
class HearingOptions(Options):
    """What single recordings are heard with.

    Attributes:
        device: "cpu", "cuda", "cuda:1", ...
        num_threads: on a CPU.
        max_memory: GB that a batch, or a recording that must be heard whole, may take;
            None: what is free.
        trust: modules of the user's own whose classes the checkpoint names.
    """

    device: str = "cpu"
    num_threads: int = option(1, within=THREADS)
    max_memory: float | None = option(None, within=MEMORY)
    trust: tuple[str, ...] = option((), rule=modules)


@dataclass(frozen=True, kw_only=True)
class TranscribeOptions(DecodeOptions, HearingOptions):
    """How recordings become text; see `HearingOptions` and `DecodeOptions`.

    Attributes:
        format: a module of transcribe/formats.
        output: file, or a folder that ends in a slash or is one already, with a file
            for each recording; None: standard output.
        batch_seconds: s of padded audio per batch.
        segment: "auto": recordings of more than 30 s are cut at silences, and each
            piece is heard by itself; "vad": all are; "none": each is heard whole.
    """

    name: ClassVar[str] = "transcribe"
    is_command: ClassVar[bool] = True

    format: str = "text"
    output: str | None = None  # no Path, which would lose the slash
    batch_seconds: float = option(60.0, within=SECONDS)
    segment: Segmenting = "auto"


@dataclass(frozen=True, kw_only=True)
class AlignOptions(HearingOptions):
    """How a known text is placed in time; see `HearingOptions`.

    Attributes:
        format: a module of transcribe/formats.
        output: file; None: standard output.
    """

    name: ClassVar[str] = "align"
    is_command: ClassVar[bool] = True

    format: str = "textgrid"
    output: Path | None = None


@dataclass(frozen=True, kw_only=True)
class GatesOptions(Options):
    """How a picture of a GRU's gates is drawn.

    Attributes:
        decoder: of the text that is heard.
        output: a .png, .pdf or .svg; None: <audio>.gates.png.
        overwrite: replace a picture that is there.
        device: "cpu", "cuda", "cuda:1", ...
        num_threads: on a CPU.
        trust: modules of the user's own whose classes the checkpoint names.
    """

    name: ClassVar[str] = "gates"
    is_command: ClassVar[bool] = True

    decoder: Component = option(make=chosen("decoder", "greedy"))
    output: Path | None = None
    overwrite: bool = False
    device: str = "cpu"
    num_threads: int = option(1, within=THREADS)
    trust: tuple[str, ...] = option((), rule=modules)
