"""What is heard of recordings, as the options ask for it."""

import os
from collections.abc import Iterable
from dataclasses import replace

from speechgru.files import printable
from speechgru.interfaces import InputError
from speechgru.options.moments import to_seconds
from speechgru.options.transcription import HearingOptions
from speechgru.transcribe.excerpt import Excerpt
from speechgru.transcribe.inputs import Input
from speechgru.transcribe.places import is_pipe
from speechgru.transcribe.transcript import Failure

EACH = "each"
"""As channel: a transcript of each."""


def take_parts(inputs: Iterable[Input], hearing: HearingOptions) -> list[Input]:
    """Each input from start to end, once, or once for each of its channels.

    With channel=each every file is opened to count its channels. In the place of a
    channel, its number follows the name: talk.wav becomes talk.channel0.wav, ...

    Args:
        inputs: those that are failures stay such.
        hearing: channel, start and end.

    Raises:
        InputError: the end does not lie behind the start.
    """
    start, end = _bounds(hearing)
    Excerpt("", start, end)  # refused once, not for each file
    channel = hearing.channel if isinstance(hearing.channel, int) else None
    taken: list[Input] = []
    for each in inputs:
        part = replace(each, channel=channel)
        if each.end is None:
            part = replace(part, start=start, end=end)
        elif start or end is not None:
            raise InputError(
                f"start or end is set, but {printable(each.place)} is a part of a "
                "file, by its manifest; leave them out, or name the file"
            )
        taken += _split(part) if hearing.channel == EACH else [part]
    return taken


def take_part(source: str | bytes, hearing: HearingOptions) -> Excerpt:
    """The one part of a recording that is heard.

    Raises:
        InputError: several are asked for, or the end does not lie behind the start.
    """
    if hearing.channel == EACH:
        raise InputError(
            "channel is each, but a text is aligned with one recording, expected mix "
            "or the number of a channel; align each with its own text"
        )
    channel = hearing.channel if isinstance(hearing.channel, int) else None
    return Excerpt(source, *_bounds(hearing), channel)


def _bounds(hearing: HearingOptions) -> tuple[float, float | None]:
    start, end = hearing.start, hearing.end
    return (
        0.0 if start is None else to_seconds("start", start),
        None if end is None else to_seconds("end", end),
    )


def _split(each: Input) -> list[Input]:
    if isinstance(each.source, Failure):
        return [each]
    # Here, since nothing else needs torch to know what is done.
    from speechgru.audio import inspect_audio

    if isinstance(each.source, str) and is_pipe(each.source):
        message = (
            f"{printable(each.source)}: a pipe, which brings its channels but once, "
            "expected a file with channel=each; write it into one, or name - for "
            "standard input"
        )
        return [replace(each, source=Failure(each.source, message))]
    try:
        num_channels = inspect_audio(each.source, 0.0, 0.0).num_channels
    except InputError as error:
        source = each.source if isinstance(each.source, str) else each.place
        return [replace(each, source=Failure.of(source, error))]
    stem, ending = os.path.splitext(each.place)
    return [
        replace(each, channel=channel, place=f"{stem}.channel{channel}{ending}")
        for channel in range(num_channels)
    ]
