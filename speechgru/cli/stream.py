"""`speechgru stream`: sound from standard input to text, while it comes."""

import os
import shutil
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from speechgru.checkpoint.chosen import choose_checkpoint
from speechgru.cli.config import read_command_line
from speechgru.cli.main import UsageError
from speechgru.cli.stop import ending_by
from speechgru.options import StreamOptions
from speechgru.options.transcription import HearingOptions
from speechgru.terminal import HarmlessStream, fit_tail
from speechgru.transcribe.online.read_ahead import ReadAhead

if TYPE_CHECKING:
    from speechgru.transcribe.online.result import StreamResult

USAGE = """
usage: speechgru stream CHECKPOINT [KEY=VALUE ...] < SOUND

Transcribe sound from standard input while it comes, as WAV, whose header is obeyed
but for its length, or raw (by default 16-bit mono at the model's rate), e.g.

  arecord -q -f S16_LE -r 16000 -c 1 | speechgru stream best.ckpt

Each utterance ends with a silence and becomes a line; on a terminal, what is heard of
it so far stands on a line that is rewritten. format=json writes an object a line for
both, with times in s from the start of the stream. The model must be one that hears
no more than a little of the future. Ctrl-C ends with what has been heard.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(StreamOptions, arguments, USAGE, (1, 1))
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(f"standard input is no sound, but a terminal\n{USAGE.strip()}")
    ahead = ReadAhead(sys.stdin.buffer)  # the recorder does not wait for what follows
    from speechgru.transcribe.load import load_transcriber
    from speechgru.transcribe.online.listen import listen

    options = line.options
    hearing = HearingOptions(
        device=options.device, num_threads=options.num_threads, trust=options.trust
    )
    checkpoint = choose_checkpoint(line.positional[0])
    transcriber = load_transcriber(checkpoint, options, hearing)
    display = _Display(options.format, sys.stdout)
    with ending_by(ahead.stop) as signals:
        for result in listen(transcriber, options, ahead, display.say):
            display.show(result)
    display.clear()
    return 143 if signal.SIGTERM in signals else 0


class _Display:
    """Where results and messages go.

    Args:
        format: "txt" or "json".
        stream: for results.
    """

    def __init__(self, format: str, stream: Any) -> None:
        self._is_json = format == "json"
        self._stream = stream
        self._rewrites = (
            not self._is_json
            and isinstance(stream, HarmlessStream)
            and stream.isatty()
            and os.environ.get("TERM") != "dumb"
        )
        self._shown = False

    def show(self, result: "StreamResult") -> None:
        """Write a result, each on a line, or in place of a partial one."""
        from speechgru.transcribe.online.record import to_record

        if self._is_json:
            print(to_record(result), file=self._stream, flush=True)
        elif result.is_final:
            self.clear()
            if result.text:
                print(result.text, file=self._stream, flush=True)
        elif self._rewrites:
            columns = shutil.get_terminal_size().columns
            self._stream.rewrite(fit_tail(result.text, columns - 1))
            self._shown = True

    def say(self, message: str) -> None:
        """Write a message to standard error, in place of a partial result."""
        self.clear()
        print(f"speechgru stream: {message}", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take a partial result away."""
        if self._shown:
            self._stream.rewrite("")
            self._shown = False
