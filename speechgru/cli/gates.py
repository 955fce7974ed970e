"""`speechgru gates`: a picture of what every GRU layer does with a recording."""

from collections.abc import Sequence
from pathlib import Path

from speechgru.checkpoint.chosen import choose_checkpoint
from speechgru.cli.config import read_command_line
from speechgru.files import printable, replace_file
from speechgru.options import DecodeOptions, GatesOptions, HearingOptions

USAGE = """
usage: speechgru gates CHECKPOINT AUDIO [KEY=VALUE ...]

Draw what a model does while it hears a recording (a file, or - for standard
input), over one time axis: waveform, features, the mean reset and update gate
of every GRU layer and direction, and the probabilities of the tokens heard.
More than 6 s go on below, in strips; a minute is the most.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(GatesOptions, arguments, USAGE, (2, 2))
    from speechgru.report.gates import (
        check_duration,
        check_encoder,
        check_output,
        draw_gates,
    )
    from speechgru.transcribe.inputs import expand_one
    from speechgru.transcribe.load import load_transcriber

    checkpoint, name = line.positional
    checkpoint = str(choose_checkpoint(checkpoint))
    source = expand_one(name)
    stem = Path(source).stem if isinstance(source, str) else "stdin"
    output = line.options.output or Path(f"{stem}.gates.png")
    check_output(output, line.options.overwrite)
    check_duration(name, source)
    options = line.options
    decoding = DecodeOptions(decoder=options.decoder, trust=options.trust)
    hearing = HearingOptions(
        device=options.device, num_threads=options.num_threads, trust=options.trust
    )
    transcriber = load_transcriber(checkpoint, decoding, hearing)
    check_encoder(checkpoint, transcriber.model.encoder)
    replace_file(output, draw_gates(transcriber, source, output.suffix))
    print(f"picture: {printable(str(output))}")
    return 0
