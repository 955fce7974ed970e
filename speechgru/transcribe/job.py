"""Everything that a command line names, transcribed to where it is wanted."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext
from functools import partial

from speechgru.files import MOST_LISTED, printable
from speechgru.options.transcription import TranscribeOptions
from speechgru.progress import Progress, say_line, without_bars
from speechgru.transcribe.format_table import Format, find_formats
from speechgru.transcribe.inputs import Input
from speechgru.transcribe.many_inputs import transcribe_inputs
from speechgru.transcribe.named_inputs import find_inputs, without_repeats
from speechgru.transcribe.output import Output, open_output
from speechgru.transcribe.parts import take_parts
from speechgru.transcribe.shard import Shard
from speechgru.transcribe.transcript import Failure, Transcript


class Job:
    """Transcribe many recordings, and keep count.

    Args:
        checkpoint: path.
        options: of the command.

    Attributes:
        failures: what could not be transcribed.
        num_inputs: recordings that were named.
        num_before: of these, transcribed by an earlier process.
        num_done: of these, transcribed by now, in all.
    """

    def __init__(self, checkpoint: str, options: TranscribeOptions) -> None:
        self._checkpoint = checkpoint
        self._options = options
        self.failures: list[Failure] = []
        self.num_inputs = self.num_before = self.num_done = 0

    def run(self, names: Sequence[str]) -> None:
        """Transcribe what names stand for; see `find_inputs`.

        Raises:
            InputError: nothing can be transcribed as it is wanted, or a transcript
                cannot be written. One recording that cannot be is a failure.
        """
        formats = find_formats(self._options.format)
        inputs, repeats = without_repeats(find_inputs(names))
        for repeat in repeats:
            say_line(f"speechgru transcribe: {repeat}")
        named = len(inputs) > 1
        if self._options.shard is not None:
            inputs = Shard.parse(self._options.shard).take(inputs)
        inputs = take_parts(inputs, self._options)
        output = open_output(self._checkpoint, self._options, inputs)
        with nullcontext() if output is None else closing(output):
            todo = [each for each in inputs if not _is_done(each, output)]
            self.num_inputs = len(inputs)
            self.num_before = self.num_done = len(inputs) - len(todo)
            if todo:
                self._transcribe(
                    todo, output or _Standard(formats[0], named or len(inputs) > 1)
                )

    def describe_stop(self) -> str:
        """What to say of a job that was stopped."""
        said = f"stopped; {self.num_done} of {self.num_inputs} are transcribed"
        if self._options.output is None:
            return f"{said}; set output= to be able to go on"
        return f"{said}, the same command goes on with the rest"

    def summaries(self) -> Iterator[str]:
        """What to say at the end, if anything."""
        if self.num_before:
            yield f"{self.num_before} of {self.num_inputs} were transcribed before"
        if self.failures:
            names = [printable(each.source) for each in self.failures[:MOST_LISTED]]
            if len(self.failures) > MOST_LISTED:
                names.append(f"and {len(self.failures) - MOST_LISTED} more")
            count = f"{len(self.failures)} of {self.num_inputs} not transcribed"
            yield f"{count}: {', '.join(names)}"

    def _transcribe(self, todo: Sequence[Input], output: "Output | _Standard") -> None:
        # Here, since what is done needs no model.
        from speechgru.transcribe.load import load_transcriber

        options = self._options
        results = transcribe_inputs(
            todo,
            partial(
                load_transcriber, self._checkpoint, options, options, options.segment
            ),
            options.batch_seconds,
            options.processes,
        )
        pace = _Pace()
        before = self.num_before
        with Progress("transcribe", self.num_inputs, "files", before) as progress:
            for each, result in zip(todo, results, strict=True):
                if isinstance(result, Failure):
                    self.failures.append(result)
                    say_line(f"speechgru transcribe: {result.message}")
                else:
                    output.write(each, result)
                    self.num_done += 1
                    pace.seconds += result.duration
                progress.advance(note=pace.describe)


class _Pace:
    """How much time passes for each second of audio."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._start = time.monotonic()

    def describe(self) -> str:
        """The real-time factor."""
        if not self.seconds:
            return ""
        gone = time.monotonic() - self._start
        return f"real-time factor {gone / self.seconds:.2g}"


class _Standard:
    """Standard output."""

    def __init__(self, format: Format, named: bool) -> None:
        self._format = format
        self._named = named

    def write(self, each: Input, transcript: Transcript) -> None:
        with without_bars():
            print(self._format.render(transcript, self._named), end="", flush=True)


def _is_done(each: Input, output: Output | None) -> bool:
    is_readable = not isinstance(each.source, Failure)
    return output is not None and is_readable and output.is_done(each)
