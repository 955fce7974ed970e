"""Peak memory and CPU time of transcribing recordings of several lengths.

    python benchmarks/transcribe/memory.py [MINUTES ...]

A bidirectional GRU of 3 layers of 192 units with random weights hears noise that swells
and ebbs, each length in a process of its own: "whole", as one tensor from the waveform
to the log-probabilities, and "in blocks", as `speechgru transcribe` hears what is
longer than a minute. One thread. CPU time does not count imports; the memory of the
process does.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import torch

from speechgru.audio import load_audio
from speechgru.checkpoint.models import build_model
from speechgru.decode.greedy import GreedyDecoder
from speechgru.interfaces import Hypothesis
from speechgru.process_memory import peak_memory
from speechgru.text.tokenizer import CharacterTokenizer
from speechgru.transcribe.long import LongHearing, decode_long
from speechgru.transcribe.recording import Recording

MINUTES = (1, 10, 60, 180)
LONGEST_WHOLE = 60
"""Minutes; more would take 9 GB."""

RATE = 16_000
TOKENIZER = CharacterTokenizer(" 'ABCDEFGHIJKLMNOPQRSTUVWXYZ")
MODEL = {
    "features": {
        "_target_": "speechgru.features.log_mel.LogMel",
        "sample_rate": RATE, "n_fft": 400, "hop_length": 160, "n_mels": 80,
    },
    "normalize": {"_target_": "speechgru.features.normalize.UtteranceNorm"},
    "spec_augment": None,
    "subsampling": {
        "_target_": "speechgru.model.frontends.conv1d.Conv1dSubsampling",
        "_partial_": True, "factor": 4, "channels": 128, "kernel_size": 5,
    },
    "encoder": {
        "_target_": "speechgru.model.encoders.gru.GRUEncoder",
        "_partial_": True, "hidden_size": 192, "num_layers": 3,
    },
}  # fmt: skip


def main(arguments: Sequence[str]) -> None:
    """Print the table, or hear one recording in this process."""
    if arguments[:1] in (["whole"], ["blocks"]):
        print(*hear(arguments[0], Path(arguments[1])))
        return
    print("| minutes | | peak memory, MB | CPU s | score and tokens |")
    print("|---|---|---|---|---|")
    for minutes in map(float, arguments or MINUTES):
        with tempfile.TemporaryDirectory() as folder:
            path = write_noise(Path(folder, "noise.wav"), minutes)
            for way in ("whole", "blocks"):
                if way == "blocks" or minutes <= LONGEST_WHOLE:
                    command = [sys.executable, __file__, way, str(path)]
                    printed = subprocess.check_output(command, text=True)
                    peak, seconds, score = printed.split()
                    print(f"| {minutes:g} | {way} | {peak} | {seconds} | {score} |")


def write_noise(path: Path, minutes: float) -> Path:
    """A WAV of 16 bits, written minute by minute."""
    generator = np.random.default_rng(1)
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for _ in range(round(minutes)):
            noise = generator.standard_normal(60 * RATE, dtype=np.float32)
            swelling = 0.1 * np.sin(np.arange(60 * RATE) / RATE * np.pi / 3) ** 2
            file.write(noise * swelling.astype(np.float32))
    return path


def hear(way: str, path: Path) -> tuple[str, str, str]:
    """Peak memory in MB, CPU seconds, and the score of what is heard."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = build_model(MODEL, len(TOKENIZER.tokens)).eval()
    torch.nn.init.normal_(model.head.weight, std=2.0)
    started = time.process_time()
    seconds_per_frame = model.seconds_per_frame
    if way == "blocks":
        recording = Recording.of(path)
        duration = recording.inspect().duration
        with LongHearing(model).score(recording, duration) as scores:
            heard = decode_long(scores, GreedyDecoder(), TOKENIZER, seconds_per_frame)
    else:
        heard = hear_whole(model, path)
    used = time.process_time() - started
    score = f"{heard.score:.3f}/{len(heard.tokens)}"
    return f"{peak_memory() / 1e6:.0f}", f"{used:.2f}", score


@torch.inference_mode()
def hear_whole(model: torch.nn.Module, path: Path) -> Hypothesis:
    """What a model hears in a file that is loaded whole."""
    waveform = load_audio(path, RATE, resample=True)
    scored, lengths = model(waveform[None], torch.tensor([len(waveform)]))
    [heard] = GreedyDecoder()(scored, lengths, TOKENIZER, model.seconds_per_frame)
    return heard


if __name__ == "__main__":
    main(sys.argv[1:])
