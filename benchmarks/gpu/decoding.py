"""How fast texts come: greedily, by beam search, and from recordings."""

import statistics
import time
from collections.abc import Callable
from random import Random
from typing import Any

import torch
from decoders import TOKENIZER, make_texts, spell
from sizes import Sizes
from steps import plain_options, wait_for

from speechgru.checkpoint.models import build_model
from speechgru.decode.greedy import GreedyDecoder
from speechgru.decode.prefix_beam import PrefixBeamDecoder
from speechgru.interfaces import Utterance
from speechgru.transcribe.transcriber import Transcriber

SECONDS_PER_FRAME = 0.04
NUM_FRAMES = 300
NUM_UTTERANCES = {"greedy": 256, "prefix_beam": 16}
BEAM_SIZE = 100
TIMES = 3


def median_seconds(work: Callable[[], Any], device: str) -> float:
    """Of several times, behind one that does not count."""
    work()
    seconds = []
    for _ in range(TIMES):
        wait_for(device)
        began_at = time.perf_counter()
        work()
        wait_for(device)
        seconds.append(time.perf_counter() - began_at)
    return statistics.median(seconds)


def time_decoders(sizes: Sizes) -> list[dict[str, Any]]:
    """Hours of audio decoded an hour, of log-probabilities on the device."""
    torch.manual_seed(0)
    rows = []
    num_frames = 30 if sizes.is_dry_run else NUM_FRAMES
    for name, decoder in (
        ("greedy", GreedyDecoder()),
        ("prefix_beam", PrefixBeamDecoder(beam_size=BEAM_SIZE)),
    ):
        count = 2 if sizes.is_dry_run else NUM_UTTERANCES[name]
        texts = make_texts(Random(0), count, num_frames // 3)
        log_probs = spell(texts, num_frames).to(sizes.device)
        lengths = torch.full((count,), num_frames)
        seconds = median_seconds(
            lambda decoder=decoder, log_probs=log_probs, lengths=lengths: decoder(
                log_probs, lengths, TOKENIZER, SECONDS_PER_FRAME
            ),
            sizes.device,
        )
        audio = count * num_frames * SECONDS_PER_FRAME
        rows.append(
            {"decoder": name, "audio_hours_per_hour": round(audio / seconds, 1)}
        )
    return rows


def time_transcription(sizes: Sizes, recordings: list[Utterance]) -> dict[str, Any]:
    """The real-time factor: s that a s of audio takes, files read and decoded."""
    hidden_size = sizes.hidden_sizes[-1]
    options = plain_options(sizes, "gru", hidden_size, sizes.middle_batch, "fp32")
    parts = ("features", "normalize", "subsampling", "encoder")
    config = {name: getattr(options, name).to_plain() for name in parts}
    model = build_model(config | {"spec_augment": None}, len(TOKENIZER.tokens))
    transcriber = Transcriber(model.to(sizes.device), TOKENIZER, GreedyDecoder())
    paths, audio = [], 0.0
    while audio < sizes.transcribed:
        chosen = recordings[len(paths) % len(recordings)]
        paths.append(chosen.audio_path)
        audio += chosen.duration

    def transcribe() -> None:
        for _ in transcriber.transcribe_many(paths, batch_seconds=sizes.middle_batch):
            pass

    seconds = median_seconds(transcribe, sizes.device)
    return {
        "hidden_size": hidden_size,
        "num_layers": sizes.num_layers,
        "real_time_factor": round(seconds / audio, 6),
        "audio_hours_per_hour": round(audio / seconds, 1),
    }
