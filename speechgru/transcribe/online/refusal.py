"""Which models and decoders can hear a stream, and why others cannot."""

from speechgru.interfaces import Decoder, InputError, StreamingDecoder
from speechgru.model.acoustic import AcousticModel
from speechgru.model.encoders.contract import LiveEncoder
from speechgru.model.live_inputs import stream_inputs
from speechgru.transcribe.online.latency import find_latency

CAN = (
    "train one that can: recipe=an4/unigru, or encoder.bidirectional=false "
    "encoder.lookahead=10 normalize=global; transcribe hears whole recordings with "
    "this one"
)


def explain_refusal(model: AcousticModel) -> list[str]:
    """Why a model cannot hear a stream; empty if it can."""
    reasons = []
    encoder = model.encoder
    if not isinstance(encoder, LiveEncoder):
        reasons.append(
            f"its encoder is {type(encoder).__name__}, which lacks stream() and flush()"
        )
    elif encoder.bidirectional:
        reasons.append(
            "its encoder is bidirectional, and hears the whole recording before its "
            "first frame"
        )
    try:
        stream_inputs(model)
    except InputError as error:
        reasons.append(str(error).partition(", expected")[0])
    return reasons


def check_model(model: AcousticModel) -> None:
    """Raise InputError if a model cannot hear a stream; it says why, and what can."""
    reasons = explain_refusal(model)
    if reasons:
        raise InputError(f"the model cannot hear a stream: {'; '.join(reasons)}; {CAN}")


def describe_streaming(model: AcousticModel, step: float) -> str:
    """Whether a model, in eval mode, can hear a stream: how late, or why not.

    Args:
        model: any.
        step: s of sound that are heard at once.
    """
    reasons = explain_refusal(model)
    if reasons:
        return f"no: {'; '.join(reasons)}"
    return f"yes, latency {find_latency(model, step).describe()}"


def check_decoder(decoder: Decoder) -> StreamingDecoder:
    """The decoder itself, if it can hear a stream. Raises InputError."""
    if not isinstance(decoder, StreamingDecoder):
        raise InputError(
            f"decoder={decoder.name} hears whole utterances only, expected one that "
            "goes frame by frame; choose decoder=greedy or prefix_beam"
        )
    return decoder
