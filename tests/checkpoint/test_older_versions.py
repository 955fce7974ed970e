"""Checkpoints that older versions wrote load, and say what they said then.

`version_0_1_0.json` was written by version 0.1.0: the descriptions as they stand
in its files, the digests, and the names and shapes of the weights; then what its
models said with the weights that `make_weights` makes, of `HEARD`.
"""

import json
import random
from pathlib import Path

import pytest
import torch

from speechgru.checkpoint.load import load_checkpoint, load_language_model
from speechgru.checkpoint.storage import DESCRIPTION_KEY
from speechgru.model.language_model import TextScorer

WRITTEN = json.loads(Path(__file__).with_name("version_0_1_0.json").read_text())
LANGUAGE_MODEL = "language_model"


def draw(count: int, seed: int) -> torch.Tensor:
    """Numbers that are the same everywhere; torch's depend on the processor."""
    generator = random.Random(seed)
    return torch.tensor([generator.uniform(-0.5, 0.5) for _ in range(count)])


def make_weights(shapes: dict[str, list[int]]) -> dict[str, torch.Tensor]:
    weights = {}
    for index, (name, shape) in enumerate(shapes.items()):
        if name.endswith("num_batches_tracked"):
            weights[name] = torch.tensor(3)
            continue
        size = torch.Size(shape)
        values = draw(size.numel(), index).view(size)
        positive = name.endswith(("running_var", "std", "fb", "window"))
        weights[name] = values.abs() + 0.5 if positive else values
    return weights


HEARD = draw(2400, seed=99)[None]
"""0.3 s of noise at 8000 Hz."""


def write(name: str, folder: Path) -> Path:
    """The file, as torch alone saves it."""
    path = folder / f"{name}.ckpt"
    content = {
        DESCRIPTION_KEY: WRITTEN[name]["description"],
        "state_dict": make_weights(WRITTEN[name]["weights"]),
    }
    torch.save(content, path)
    return path


@pytest.mark.parametrize("name", [name for name in WRITTEN if name != LANGUAGE_MODEL])
def test_a_model_of_version_0_1_0_says_what_it_said(name, tmp_path):
    model = load_checkpoint(write(name, tmp_path)).model
    with torch.inference_mode():
        log_probs, lengths = model(HEARD, torch.tensor([HEARD.size(1)]))
    assert lengths.item() == WRITTEN[name]["frames"]
    for frame, expected in WRITTEN[name]["log_probs"].items():
        found = log_probs[0, int(frame)]
        torch.testing.assert_close(found, torch.tensor(expected), atol=1e-4, rtol=0)


def test_a_language_model_of_version_0_1_0_says_what_it_said(tmp_path):
    loaded = load_language_model(write(LANGUAGE_MODEL, tmp_path))
    texts = WRITTEN[LANGUAGE_MODEL]["texts"]
    scores = TextScorer(loaded.model, loaded.tokenizer).score_texts(list(texts))
    assert scores == pytest.approx(list(texts.values()), abs=1e-4)


@pytest.mark.parametrize("name", WRITTEN)
def test_weights_have_the_names_and_shapes_that_they_had(name, tmp_path):
    path = write(name, tmp_path)
    load = load_language_model if name == LANGUAGE_MODEL else load_checkpoint
    found = load(path).model.state_dict()
    shapes = {f"model.{key}": list(value.shape) for key, value in found.items()}
    assert shapes == WRITTEN[name]["weights"]


def test_every_encoder_and_front_end_of_version_0_1_0_is_there():
    targets = {
        config["_target_"]
        for entry in WRITTEN.values()
        for part, config in entry["description"]["model"].items()
        if part in ("encoder", "subsampling")
    }
    modules = (
        "conv1d",
        "conv2d",
        "frame_stack",
        "gru",
        "ligru",
        "lstm",
        "mingru",
        "rnn",
    )
    assert {target.split(".")[-2] for target in targets} == set(modules)
    assert all(len(target.split(".")) == 4 for target in targets)
