"""Measure how many utterances each decoder finishes per second; prints a table.

The utterances are made up: texts of 500 words, drawn as often as words are, spelled
over frames with as much doubt (0.13 nats of entropy a frame) as a small model of AN4
has on voices that it never heard.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random

import torch
from torch import Tensor

from speechgru.decode.flashlight import FlashlightDecoder
from speechgru.decode.greedy import GreedyDecoder
from speechgru.decode.language import SPACE
from speechgru.decode.prefix_beam import PrefixBeamDecoder
from speechgru.interfaces import Decoder
from speechgru.lm.arpa import write_arpa
from speechgru.lm.kneser_ney import estimate_kneser_ney
from speechgru.text.tokenizer import CharacterTokenizer

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TOKENIZER = CharacterTokenizer(f" {LETTERS}")
BATCH = 16
DOUBT = 0.8  # standard deviation of the logits' noise; the right one is 8 above


def make_texts(random: Random, count: int, num_letters: int) -> list[str]:
    """Sentences of at least so many letters."""
    words = [
        "".join(random.choices(LETTERS, k=random.randint(1, 8))) for _ in range(500)
    ]
    texts = []
    for _ in range(count):
        text = ""
        while len(text) < num_letters:
            text += f" {words[min(499, int(random.expovariate(0.02)))]}"
        texts.append(text.strip())
    return texts


def spell(texts: Sequence[str], num_frames: int) -> Tensor:
    """(B, T, C) log-probabilities of texts, a token every third frame."""
    logits = DOUBT * torch.randn(len(texts), num_frames, len(TOKENIZER.tokens))
    for index, text in enumerate(texts):
        token_ids = TOKENIZER.encode(text)[: num_frames // 3]
        path = [0] * num_frames
        path[: 3 * len(token_ids) : 3] = token_ids
        logits[index, range(num_frames), path] += 8.0
    return logits.log_softmax(-1)


def decode_all(decoder: Decoder, log_probs: Tensor) -> None:
    """Decode in batches."""
    for some in log_probs.split(BATCH):
        lengths = torch.full((len(some),), some.size(1))
        decoder(some, lengths, TOKENIZER, 0.04)


def measure(
    make: Callable[[], Decoder], log_probs: Tensor, times: int
) -> tuple[float, float]:
    """Utterances per CPU second: the median of several runs, and half their spread."""
    torch.set_num_threads(1)
    decoder = make()
    decode_all(decoder, log_probs[:BATCH])  # reads the language model
    rates = []
    for _ in range(times):
        started = time.process_time()
        decode_all(decoder, log_probs)
        rates.append(len(log_probs) / (time.process_time() - started))
    return statistics.median(rates), (max(rates) - min(rates)) / 2


def _measure_wall(arguments: tuple[Callable[[], Decoder], Tensor]) -> float:
    torch.set_num_threads(1)
    make, log_probs = arguments
    decoder = make()
    decode_all(decoder, log_probs[:BATCH])
    started = time.perf_counter()
    decode_all(decoder, log_probs)
    return time.perf_counter() - started


def measure_processes(
    make: Callable[[], Decoder], log_probs: Tensor, num_processes: int
) -> float:
    """Utterances per second of the clock on several processes at once."""
    shares = [log_probs[index::num_processes] for index in range(num_processes)]
    with ProcessPoolExecutor(num_processes, get_context("spawn")) as pool:
        seconds = max(pool.map(_measure_wall, [(make, share) for share in shares]))
    return len(log_probs) / seconds


class Make:
    """Makes a decoder, in this process or in another."""

    def __init__(self, cls: type, **options) -> None:
        self.cls, self.options = cls, options

    def __call__(self) -> Decoder:
        """Make it."""
        return self.cls(**self.options)


def main() -> None:
    """Make utterances and language models, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--utterances", type=int, default=64)
    add("--frames", type=int, default=300)
    add("--beam-size", type=int, default=100)
    add("--times", type=int, default=3)
    add("--processes", type=int, default=2)
    options = parser.parse_args()
    torch.manual_seed(0)
    random = Random(0)
    num_letters = options.frames // 3
    texts = make_texts(random, 2000, num_letters)
    log_probs = spell(texts[: options.utterances], options.frames)
    with tempfile.TemporaryDirectory() as name:
        models = {"none": None}
        for unit, sentences, order in (
            ("words", [text.split() for text in texts], 3),
            ("tokens", [[c.replace(" ", SPACE) for c in text] for text in texts], 5),
        ):
            path = Path(name, f"{unit}.arpa")
            write_arpa(path, estimate_kneser_ney(sentences, order).ngrams)
            models[f"{order}-gram of {unit}"] = str(path)
        rows = [("greedy", "none", Make(GreedyDecoder))]
        rows += [
            (decoder, title, Make(cls, beam_size=options.beam_size, lm=lm))
            for title, lm in models.items()
            for decoder, cls in (
                ("prefix_beam", PrefixBeamDecoder),
                ("beam", FlashlightDecoder),
            )
        ]
        print(
            "| decoder | language model | utterances per CPU second | per second on "
            f"{options.processes} processes |\n|---|---|---|---|"
        )
        for decoder, title, make in rows:
            rate, spread = measure(make, log_probs, options.times)
            together = measure_processes(make, log_probs, options.processes)
            print(
                f"| {decoder} | {title} | {rate:.1f} ± {spread:.1f} | {together:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
