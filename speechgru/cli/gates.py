"""`speechgru gates`: a picture of what every GRU layer does with a recording."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import torch
from torch import Tensor, nn

from speechgru.audio import AudioSource, inspect_audio
from speechgru.cli.config import read_command_line
from speechgru.cli.transcribe import load_transcriber
from speechgru.files import printable, replace_file
from speechgru.interfaces import InputError
from speechgru.model.encoders.contract import GatedEncoder
from speechgru.model.encoders.gru_cell import GRUTrace
from speechgru.options import GatesOptions
from speechgru.report.gates_picture import Observation, draw
from speechgru.transcribe.inputs import expand_one
from speechgru.transcribe.transcriber import Transcriber

USAGE = """
usage: speechgru gates CHECKPOINT AUDIO [KEY=VALUE ...]

Draw what a model does while it hears a recording (a file, or - for standard
input), over one time axis: waveform, features, the mean reset and update gate
of every GRU layer and direction, and the probabilities of the tokens heard.
More than 6 s go on below, in strips; a minute is the most.
"""

SUFFIXES = (".png", ".pdf", ".svg")
LONGEST = 60.0
"""s; a longer picture could be neither looked at nor printed."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(GatesOptions, arguments, USAGE, (2, 2))
    config = line.config
    checkpoint, name = line.positional
    source = expand_one(name)
    stem = Path(source).stem if isinstance(source, str) else "stdin"
    output = Path(config["output"] or f"{stem}.gates.png")
    _check_output(output, config["overwrite"])
    _check_duration(name, source)
    transcriber = load_transcriber(checkpoint, config)
    encoder = transcriber.model.encoder
    if not isinstance(encoder, GatedEncoder):
        raise InputError(
            f"{checkpoint}: the encoder is a {type(encoder).__qualname__}, expected a "
            "GRUEncoder, whose gates can be drawn; take another checkpoint"
        )
    content = BytesIO()
    figure = draw(observe(transcriber, source))
    figure.savefig(content, format=output.suffix[1:].lower())
    replace_file(output, content.getbuffer())
    print(f"picture: {printable(str(output))}")
    return 0


def observe(transcriber: Transcriber, source: AudioSource) -> Observation:
    """Transcribe a recording and watch the model while it does.

    Args:
        transcriber: whose encoder is a GatedEncoder.
        source: the path of a file, or its content.
    """
    model = transcriber.model
    calls: dict[nn.Module, tuple[tuple[Tensor, ...], tuple[Tensor, ...]]] = {}

    def remember(
        module: nn.Module, arguments: tuple[Tensor, ...], results: tuple[Tensor, ...]
    ) -> None:
        calls[module] = arguments, results

    watched = (model, model.features, model.encoder)
    hooks = [module.register_forward_hook(remember) for module in watched]
    try:
        transcript = transcriber.transcribe(source)
    finally:
        for hook in hooks:
            hook.remove()
    (waveforms, _), (log_probs, _) = calls[model]
    _, (features, _) = calls[model.features]
    encoder_arguments, _ = calls[model.encoder]
    with torch.inference_mode():
        traces = [
            [_of_first(trace) for trace in both]
            for both in model.encoder.trace_gates(*encoder_arguments)
        ]
    return Observation(
        transcript=transcript,
        waveform=waveforms[0].cpu(),
        sample_rate=model.sample_rate,
        features=features[0].cpu(),
        feature_name=type(model.features).__name__,
        hop=model.features.hop_length / model.sample_rate,
        traces=traces,
        probabilities=log_probs[0].exp().cpu(),
        tokens=transcriber.tokenizer.tokens,
        seconds_per_frame=model.seconds_per_frame,
    )


def _of_first(trace: GRUTrace) -> GRUTrace:
    """The first utterance's part of a trace, on the CPU."""
    return GRUTrace(*(values[0].cpu() for values in trace))


def _check_output(output: Path, overwrite: bool) -> None:
    """Find out before the work, not after it."""
    if output.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"{output}: ends in {output.suffix!r}, expected {', '.join(SUFFIXES)}; "
            "set output=PATH"
        )
    if output.exists() and not overwrite:
        raise InputError(
            f"{output}: exists already; set output=PATH, or overwrite=true to "
            "replace it"
        )


def _check_duration(name: str, source: AudioSource) -> None:
    duration = inspect_audio(source).duration
    if duration > LONGEST:
        raise InputError(
            f"{name}: lasts {duration:.1f} s, expected at most {LONGEST:g} s, which "
            "still fit a picture; cut out the part to look at"
        )
