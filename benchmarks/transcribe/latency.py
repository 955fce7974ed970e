"""How late a stream says a word, and what it costs.

    python benchmarks/transcribe/latency.py CHECKPOINT MANIFEST [STEP ...]

The utterances of a manifest are put one behind the other with 2 s of silence between,
and come in chunks of 20 ms. No time is waited: a clock is kept on which a chunk is
there when its last sample has sounded, and is heard when those before it are, in the
CPU time that this takes. For each step (s), of

- a word: from the end that the model gives it to the result that first shows it whole;
- a final result: from the end of its last word;
- CPU seconds per second of sound, of all, and of a minute of silence alone;

the median, and where it matters the 95th percentile. One thread.
"""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from speechgru import Transcriber, read_manifest
from speechgru.audio import load_audio
from speechgru.transcribe.online.recognizer import OnlineRecognizer

CHUNK = 0.02  # s
GAP = 2.0  # s, between utterances
NOISE = 1e-3  # of full scale: -60 dB
SILENCE = 60  # s
SECONDS = 120.0  # of sound, at most


@dataclass
class Delays:
    """What was measured; all in s.

    Attributes:
        words: from the end of each to its appearance.
        finals: from the end of the last word to the final result.
        cpu: that hearing took.
        sound: that was heard.
    """

    words: list[float] = field(default_factory=list)
    finals: list[float] = field(default_factory=list)
    cpu: float = 0.0
    sound: float = 0.0


def main(arguments: Sequence[str]) -> None:
    """Print a row for each step."""
    checkpoint, manifest, *steps = arguments
    torch.set_num_threads(1)
    transcriber = Transcriber.from_checkpoint(checkpoint)
    rate = transcriber.model.sample_rate
    recordings = (utterance.audio for utterance in read_manifest(manifest))
    speech = join((load_audio(each, rate, resample=True) for each in recordings), rate)
    silence = noise(SILENCE * rate)
    measure(transcriber, silence[: 2 * rate], 0.1)  # the first calls are slow
    print("| step | model waits | word | 95 % | final | CPU s / s | in silence |")
    print("|---|---|---|---|---|---|---|")
    for step in map(float, steps or ("0.03", "0.1", "0.3")):
        delays, waits = measure(transcriber, speech, step)
        quiet, _ = measure(transcriber, silence, step)
        print(
            f"| {step:g} s | {waits:.2f} s | {show(delays.words, 0.5)} | "
            f"{show(delays.words, 0.95)} | {show(delays.finals, 0.5)} | "
            f"{delays.cpu / delays.sound:.3f} | "
            f"{quiet.cpu / quiet.sound:.3f} |"
        )


def show(delays: Sequence[float], share: float) -> str:
    """A quantile in words, if there is anything."""
    return f"{np.quantile(delays, share):.2f} s" if delays else "nothing heard"


def join(waveforms: Iterable[torch.Tensor], rate: int) -> np.ndarray:
    """Utterances with silence between, as much as there is time for."""
    parts = []
    for waveform in waveforms:
        parts += [waveform.numpy(), noise(int(GAP * rate))]
        if sum(map(len, parts)) > SECONDS * rate:
            break
    return np.concatenate(parts)


def noise(num_samples: int) -> np.ndarray:
    """The sound of nothing."""
    drawn = np.random.default_rng(0).standard_normal(num_samples)
    return (NOISE * drawn).astype(np.float32)


def measure(
    transcriber: Transcriber, waveform: np.ndarray, step: float
) -> tuple[Delays, float]:
    """Hear a recording as a stream.

    Returns:
        What was measured, and the s that the model waits for.
    """
    rate = transcriber.model.sample_rate
    recognizer = OnlineRecognizer(
        transcriber.model, transcriber.tokenizer, transcriber.decoder, rate, step=step
    )
    delays = Delays(sound=len(waveform) / rate)
    now = 0.0
    appeared: list[tuple[str, float]] = []  # partial texts of the utterance
    for start, chunk in chunks(waveform, int(CHUNK * rate)):
        began = time.process_time()
        results = recognizer.push(chunk)
        taken = time.process_time() - began
        delays.cpu += taken
        now = max(now, (start + len(chunk)) / rate) + taken
        for result in results:
            if not result.is_final:
                appeared.append((result.text, now))
                continue
            for index, word in enumerate(result.words):
                text = " ".join(each.text for each in result.words[: index + 1])
                shown = (at for said, at in appeared if said[: len(text)] == text)
                delays.words.append(next(shown, now) - word.end)
            if result.words:
                delays.finals.append(now - result.words[-1].end)
            appeared.clear()
    return delays, recognizer.latency.model


def chunks(waveform: np.ndarray, size: int) -> Iterator[tuple[int, np.ndarray]]:
    """Where each chunk begins, and the chunk."""
    for start in range(0, len(waveform), size):
        yield start, waveform[start : start + size]


if __name__ == "__main__":
    main(sys.argv[1:])
