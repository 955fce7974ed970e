"""A transcriber as a command asks for it."""

from pathlib import Path

from speechgru.checkpoint.load import load_checkpoint, to_device
from speechgru.factory import build_decoder
from speechgru.interfaces import TunableDecoder
from speechgru.options.evaluation import DecodeOptions
from speechgru.options.transcription import HearingOptions
from speechgru.threads import set_up_cpu
from speechgru.transcribe.transcriber import Transcriber


def load_transcriber(
    checkpoint: str | Path,
    decoding: DecodeOptions,
    hearing: HearingOptions,
    segment: str = "none",
) -> Transcriber:
    """Load a checkpoint with the decoder, device and threads that are asked for.

    Args:
        checkpoint: of an acoustic model.
        decoding: how log-probabilities become texts.
        hearing: what is heard with.
        segment: see `Transcriber`.

    Raises:
        InputError: the checkpoint, the decoder's files or the device cannot be used.
    """
    set_up_cpu(hearing.num_threads)
    loaded = load_checkpoint(checkpoint, hearing.trust)
    decoder = build_decoder(decoding, loaded)
    if isinstance(decoder, TunableDecoder):
        # A fault of the language model is no fault of every file.
        decoder.fit(loaded.tokenizer)
    return Transcriber(
        to_device(loaded.model, hearing.device),
        loaded.tokenizer,
        decoder,
        loaded.metadata,
        hearing.max_memory,
        segment,
    )
