"""What silence and noise around the words do to a model's error rate.

    python benchmarks/silence.py CHECKPOINT MANIFEST
    python benchmarks/silence.py CHECKPOINT TRAIN_MANIFEST DEV_MANIFEST FOLD

Of two manifests, the speakers that data.fold=FOLD holds out are scored. Zeros,
white noise and the sound of a room, the noises at -60 dB of full scale, are put
in front of every utterance, behind it, or both; 20 ms of zeros replace a stretch
within. Then 200 clips without words are heard, of which as many as possible
should have an empty text. The tables go to standard
output. All is drawn from fixed seeds.
"""

import io
import math
import random
import sys
from collections.abc import Callable, Iterable, Sequence

import soundfile
import torch
from torch import Tensor

from speechgru import Transcriber
from speechgru.audio import load_audio
from speechgru.data.folds import hold_out
from speechgru.data.manifest import read_manifest
from speechgru.interfaces import Utterance
from speechgru.score.counts import ErrorCounts, count_word_errors
from speechgru.transcribe.transcriber import Failure

LEVEL = -60.0  # dB of full scale
DURATIONS = (0.4, 1.0, 2.0, 5.0)  # s, on each side
PLACES = {"in front": (True, False), "behind": (False, True), "both": (True, True)}
NUM_CLIPS = 200
CLIP_DURATIONS = (0.5, 10.0)  # s, shortest and longest
CLIP_LEVELS = (-70.0, -15.0)  # dB, softest and loudest


def main(arguments: Sequence[str]) -> None:
    """Print both tables."""
    checkpoint, manifest, *rest = arguments
    torch.set_num_threads(1)
    transcriber = Transcriber.from_checkpoint(checkpoint)
    utterances = read_manifest(manifest)
    if rest:
        dev, fold = rest
        _, utterances = hold_out(utterances, read_manifest(dev), fold)
    print("\n".join(score_silence(transcriber, utterances)))
    print()
    print("\n".join(score_clips(transcriber)))


def score_silence(
    transcriber: Transcriber, utterances: Sequence[Utterance]
) -> Iterable[str]:
    """Rows of Markdown: WER in percent for each sound, place and duration."""
    rate = transcriber.model.sample_rate
    waveforms = [
        load_audio(
            utterance.audio_path,
            rate,
            resample=True,
            offset=utterance.offset,
            duration=utterance.duration if utterance.partial else None,
        )
        for utterance in utterances
    ]
    references = [transcriber.tokenizer.normalize(u.text) for u in utterances]

    def wer(changed: Iterable[Tensor]) -> float:
        texts = hear(transcriber, list(changed))
        counts = map(count_word_errors, references, texts)
        return 100 * sum(counts, start=ErrorCounts()).rate

    clean = wer(waveforms)
    generator = random.Random(0)
    holes = wer(with_hole(waveform, rate, generator) for waveform in waveforms)
    yield f"| sound | place | {' | '.join(f'{d:g} s' for d in DURATIONS)} |"
    yield "|---|---|" + "---|" * len(DURATIONS)
    worst = holes
    for name, sound in SOUNDS.items():
        for place, sides in PLACES.items():
            rates = [
                wer(surrounded(waveforms, sound, sides, seconds, rate))
                for seconds in DURATIONS
            ]
            worst = max(worst, *rates)
            yield f"| {name} | {place} | {' | '.join(f'{r:.2f}' for r in rates)} |"
    yield ""
    yield (
        f"{len(utterances)} utterances as they are: WER {clean:.2f} %; with 20 ms "
        f"of zeros within: {holes:.2f}; "
        f"the worst of all: {worst:.2f}, {worst - clean:+.2f}"
    )


def score_clips(transcriber: Transcriber) -> Iterable[str]:
    """Rows of Markdown: how many clips without words have an empty text."""
    rate = transcriber.model.sample_rate
    yield "| clips of | empty texts |"
    yield "|---|---|"
    num_each, num_empty = NUM_CLIPS // len(CLIPS), 0
    for name, draw in CLIPS.items():
        clips = []
        for index in range(num_each):
            generator = random.Random(f"{name} {index}")
            num_samples = round(generator.uniform(*CLIP_DURATIONS) * rate)
            clips.append(draw(num_samples, rate, generator))
        empty = sum(text == "" for text in hear(transcriber, clips))
        num_empty += empty
        yield f"| {name} | {empty} of {num_each} |"
    yield f"| all | {num_empty} of {NUM_CLIPS} |"


def hear(transcriber: Transcriber, waveforms: Sequence[Tensor]) -> list[str]:
    """Transcribe (S,) waveforms at the model's rate."""
    sources = [encode(w, transcriber.model.sample_rate) for w in waveforms]
    texts = []
    for result in transcriber.transcribe_many(sources):
        if isinstance(result, Failure):
            raise SystemExit(result.message)
        texts.append(result.text)
    return texts


def encode(waveform: Tensor, rate: int) -> bytes:
    """The content of a WAV file that holds a waveform exactly."""
    file = io.BytesIO()
    soundfile.write(file, waveform.numpy(), rate, format="WAV", subtype="FLOAT")
    return file.getvalue()


def surrounded(
    waveforms: Sequence[Tensor],
    sound: Callable[[int, int, random.Random], Tensor],
    sides: tuple[bool, bool],
    seconds: float,
    rate: int,
) -> Iterable[Tensor]:
    """Waveforms with a sound on the chosen sides."""
    for index, waveform in enumerate(waveforms):
        generator = random.Random(index)
        front, behind = (
            sound(round(seconds * rate) if side else 0, rate, generator)
            for side in sides
        )
        yield torch.cat([front, waveform, behind])


def with_hole(waveform: Tensor, rate: int, generator: random.Random) -> Tensor:
    """Set a stretch of 20 ms to zero."""
    size = round(0.02 * rate)
    start = generator.randrange(max(1, len(waveform) - size))
    changed = waveform.clone()
    changed[start : start + size] = 0
    return changed


def at_level(sound: Tensor, level: float) -> Tensor:
    """Give samples a root mean square in dB of full scale."""
    if not len(sound):
        return sound
    return sound * 10 ** (level / 20) / sound.square().mean().sqrt()


def zeros(num_samples: int, rate: int, generator: random.Random) -> Tensor:
    """Digital silence."""
    return torch.zeros(num_samples)


def hiss(num_samples: int, rate: int, generator: random.Random) -> Tensor:
    """White noise."""
    numbers = torch.Generator().manual_seed(generator.getrandbits(63))
    return at_level(torch.randn(num_samples, generator=numbers), LEVEL)


def room(num_samples: int, rate: int, generator: random.Random) -> Tensor:
    """Rumble, mains hum and some hiss."""
    numbers = torch.Generator().manual_seed(generator.getrandbits(63))
    white = torch.randn(num_samples, generator=numbers)
    time = torch.arange(num_samples) / rate
    hum = sum(torch.sin(2 * math.pi * 50 * h * time) / h for h in (1, 2, 3, 5))
    return at_level(falling(white, 2.0) + 0.3 * white + 0.7 * hum, LEVEL)


def falling(white: Tensor, exponent: float) -> Tensor:
    """Give white noise a power that falls with this power of the frequency."""
    if not len(white):
        return white
    spectrum = torch.fft.rfft(white)
    frequencies = torch.arange(len(spectrum)).clamp(min=1)
    shaped = torch.fft.irfft(spectrum / frequencies ** (exponent / 2), len(white))
    return shaped / shaped.square().mean().sqrt()


def draw_silence(num_samples: int, rate: int, generator: random.Random) -> Tensor:
    """Zeros, or the dither of 16 bits."""
    if generator.random() < 0.5:
        return torch.zeros(num_samples)
    numbers = torch.Generator().manual_seed(generator.getrandbits(63))
    return torch.randint(-1, 2, (num_samples,), generator=numbers) / 32768


def draw_hum(num_samples: int, rate: int, generator: random.Random) -> Tensor:
    """The mains and its harmonics, over a little hiss."""
    time = torch.arange(num_samples) / rate
    frequency = generator.choice([50, 60])
    hum = sum(
        torch.sin(2 * math.pi * frequency * h * time + generator.uniform(0, 6)) / h
        for h in (1, 2, 3, 5)
    )
    numbers = torch.Generator().manual_seed(generator.getrandbits(63))
    white = torch.randn(num_samples, generator=numbers)
    return at_level(hum, generator.uniform(*CLIP_LEVELS)) + at_level(white, -75)


def draw_noise(exponent: float) -> Callable[[int, int, random.Random], Tensor]:
    """Noise whose power falls with this power of the frequency."""

    def draw(num_samples: int, rate: int, generator: random.Random) -> Tensor:
        numbers = torch.Generator().manual_seed(generator.getrandbits(63))
        noise = falling(torch.randn(num_samples, generator=numbers), exponent)
        return at_level(noise, generator.uniform(*CLIP_LEVELS))

    return draw


def draw_clicks(num_samples: int, rate: int, generator: random.Random) -> Tensor:
    """One to ten short bursts, over a little hiss."""
    numbers = torch.Generator().manual_seed(generator.getrandbits(63))
    clicks = at_level(torch.randn(num_samples, generator=numbers), -75)
    for _ in range(generator.randint(1, 10)):
        start = generator.randrange(num_samples)
        size = round(generator.uniform(0.0005, 0.01) * rate) + 1
        burst = torch.randn(size, generator=numbers)
        burst *= torch.exp(-4 * torch.arange(size) / size)
        peak = 10 ** (generator.uniform(-30, -1) / 20)
        clicks[start : start + size] += peak * burst[: num_samples - start]
    return clicks.clamp(-1, 1)


SOUNDS = {"zeros": zeros, "white noise": hiss, "a room": room}
CLIPS = {
    "silence": draw_silence,
    "hum": draw_hum,
    "white noise": draw_noise(0.0),
    "pink noise": draw_noise(1.0),
    "clicks": draw_clicks,
}

if __name__ == "__main__":
    main(sys.argv[1:])
