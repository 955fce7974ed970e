"""A model that hears tones while they sound, taught in closed form."""

from pathlib import Path

import numpy as np
import torch
from conftest import LETTERS, SAMPLE_RATE, SMALL_MODEL, sing

from speechgru.checkpoint.models import build_model
from speechgru.checkpoint.storage import describe, write_checkpoint
from speechgru.decode.greedy import GreedyDecoder
from speechgru.text.tokenizer import CharacterTokenizer
from speechgru.transcribe.transcriber import Transcriber

LIVE_MODEL = {
    **SMALL_MODEL,
    "normalize": {"_target_": "speechgru.features.normalize.NoNorm"},
    "encoder": {
        **SMALL_MODEL["encoder"],
        "hidden_size": 48,
        "num_layers": 1,
        "bidirectional": False,
        "lookahead": 3,
    },
}
TOKENIZER = CharacterTokenizer(f" {LETTERS}")


def speak(*parts: str | float) -> np.ndarray:
    """Texts, and s of silence between them, in noise: (S,) float32."""
    sounds = [
        sing(part, seed, noise=0)
        if isinstance(part, str)
        else np.zeros(int(part * SAMPLE_RATE))
        for seed, part in enumerate(parts)
    ]
    speech = np.concatenate(sounds)
    noise = np.random.default_rng(len(speech)).standard_normal(len(speech))
    return (speech + 0.01 * noise).astype(np.float32)


def label(text: str, num_frames: int, seconds_per_frame: float) -> list[int]:
    """The token of each frame of what `sing` sings of a text, the blank between."""
    ids = [0] * num_frames
    time = 0.0
    for character in text:
        sounding = 0.12 if character in LETTERS else 0.1
        if character not in LETTERS:
            time += 0.04
        first, last = (
            round((time + part) / seconds_per_frame) for part in (0.03, sounding - 0.03)
        )
        ids[first:last] = [TOKENIZER.tokens.index(character)] * (last - first)
        time += sounding + (0.04 if character in LETTERS else 0.0)
    return ids


def write_live(transcriber: Transcriber, path: Path) -> Path:
    """Write a checkpoint of `teach_tones`."""
    state = transcriber.model.state_dict().items()
    content = describe(LIVE_MODEL, TOKENIZER.config(), {"corpus": "tones"})
    weights = {f"model.{name}": value for name, value in state}
    write_checkpoint(content | {"state_dict": weights}, path)
    return path


def teach_tones() -> Transcriber:
    """Random weights, and a head that the states of the last layer are fitted with."""
    torch.manual_seed(0)
    model = build_model(LIVE_MODEL, len(TOKENIZER.tokens)).eval()
    generator = np.random.default_rng(0)
    states, targets = [], []
    with torch.no_grad():
        for seed in range(40):
            text = "".join(generator.choice(list(f"{LETTERS}  "), 12))
            waveform = torch.from_numpy(sing(text, seed)).float()
            frames, lengths = model.encoder_inputs(
                waveform[None], torch.tensor([len(waveform)])
            )
            encoded, _ = model.encoder(frames, lengths)
            states.append(encoded[0])
            ids = label(text, len(encoded[0]), model.seconds_per_frame)
            targets.append(torch.eye(len(TOKENIZER.tokens))[ids])
        inputs = torch.cat(states)
        inputs = torch.cat([inputs, torch.ones(len(inputs), 1)], dim=1).double()
        ridge = 1e-6 * len(inputs) * torch.eye(inputs.size(1), dtype=torch.float64)
        fitted = torch.linalg.solve(
            inputs.T @ inputs + ridge, inputs.T @ torch.cat(targets).double()
        )
        model.head.weight.copy_(20 * fitted[:-1].T)
        model.head.bias.copy_(20 * fitted[-1])
    return Transcriber(model, TOKENIZER, GreedyDecoder())
