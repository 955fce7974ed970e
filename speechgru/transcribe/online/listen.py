"""Standard input to results, as `speechgru stream` does it."""

from collections.abc import Callable, Iterator

from speechgru.interfaces import InputError
from speechgru.options.streaming import StreamOptions
from speechgru.transcribe.online.endpoints import Endpoints
from speechgru.transcribe.online.lag import LagWatch
from speechgru.transcribe.online.pcm import RawSound
from speechgru.transcribe.online.read_ahead import ReadAhead
from speechgru.transcribe.online.recognizer import OnlineRecognizer
from speechgru.transcribe.online.result import StreamResult
from speechgru.transcribe.online.sound_stream import SoundStream
from speechgru.transcribe.transcriber import Transcriber


def listen(
    transcriber: Transcriber,
    options: StreamOptions,
    ahead: ReadAhead,
    say: Callable[[str], None],
) -> Iterator[StreamResult]:
    """Hear what comes through a pipe, to its end.

    Args:
        transcriber: with a model that can hear a stream.
        options: of the command.
        ahead: reads the pipe.
        say: takes lines that the user should read: what is heard and how late, and
            what goes wrong with it.

    Raises:
        InputError: the model cannot hear a stream, or the pipe holds none.
    """
    model_rate = transcriber.model.sample_rate

    def recognize(sample_rate: int) -> OnlineRecognizer:
        return OnlineRecognizer(
            transcriber.model,
            transcriber.tokenizer,
            transcriber.decoder,
            sample_rate,
            Endpoints(
                options.silence_before, options.silence_after, options.max_utterance
            ),
            options.step,
        )

    recognizer = recognize(model_rate)  # what it refuses need not wait for sound
    say(f"latency {recognizer.latency.describe(options.silence_after)}")
    raw = RawSound(
        options.encoding, options.channels, options.sample_rate or model_rate
    )
    source = SoundStream(ahead.get, raw, say)
    say(f"hearing {'WAV' if source.is_wav else 'raw sound'}: {source.sound}")
    if source.sound.sample_rate != model_rate:
        recognizer = recognize(source.sound.sample_rate)
    lag = LagWatch(say)
    bytes_per_second = source.sound.frame_size * source.sound.sample_rate
    is_empty = True
    try:
        for chunk in source:
            is_empty = False
            yield from recognizer.push(chunk)
            if ahead.is_waited_for:
                lag.catch_up(recognizer.seconds)
            else:
                lag.look(recognizer.seconds, ahead.num_waiting / bytes_per_second)
    except (InputError, OSError):
        yield from recognizer.finish()  # what was heard before is not lost
        raise
    yield from recognizer.finish()
    if is_empty and not ahead.is_stopped:
        raise InputError(
            "standard input held no sound, expected some; check that the program in "
            "front of the | records"
        )
