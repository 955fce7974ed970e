"""Watching what every GRU layer does with a recording, as a picture."""

from io import BytesIO
from pathlib import Path

import torch
from torch import Tensor, nn

from speechgru.audio import AudioSource, inspect_audio
from speechgru.interfaces import InputError
from speechgru.model.encoders.contract import GatedEncoder
from speechgru.model.encoders.gru_cell import GRUTrace
from speechgru.report.gates_picture import Observation, draw
from speechgru.transcribe.transcriber import Transcriber

SUFFIXES = (".png", ".pdf", ".svg")
LONGEST = 60.0
"""s; a longer picture could be neither looked at nor printed."""


def check_output(output: Path, overwrite: bool) -> None:
    """Find out before the work, not after it, whether a picture can be written.

    Raises:
        InputError: it is of another kind, or there already.
    """
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


def check_duration(name: str, source: AudioSource) -> None:
    """See that a recording fits a picture.

    Args:
        name: of the recording, for messages.
        source: the path of a file, or its content.

    Raises:
        InputError: it is too long, or cannot be read.
    """
    duration = inspect_audio(source).duration
    if duration > LONGEST:
        raise InputError(
            f"{name}: lasts {duration:.1f} s, expected at most {LONGEST:g} s, which "
            "still fit a picture; cut out the part to look at"
        )


def check_encoder(name: str, encoder: nn.Module) -> None:
    """See that an encoder has the gates that are drawn.

    Args:
        name: of the checkpoint, for messages.
        encoder: of its model.

    Raises:
        InputError: it is another one.
    """
    if not isinstance(encoder, GatedEncoder):
        raise InputError(
            f"{name}: the encoder is a {type(encoder).__qualname__}, expected a "
            "GRUEncoder, whose gates can be drawn; take another checkpoint"
        )


def draw_gates(transcriber: Transcriber, source: AudioSource, suffix: str) -> bytes:
    """Draw what a model does while it hears a recording.

    Args:
        transcriber: whose encoder is a GatedEncoder.
        source: the path of a file, or its content.
        suffix: one of SUFFIXES.

    Returns:
        The content of such a file.
    """
    content = BytesIO()
    figure = draw(observe(transcriber, source))
    figure.savefig(content, format=suffix[1:].lower())
    return content.getvalue()


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
