"""Features and their normalisation, block by block as of the whole."""

import pytest
import torch

from speechgru.blocks import run_through
from speechgru.features.log_mel import LogMel
from speechgru.features.mfcc import MFCC
from speechgru.features.normalize import (
    ActiveNorm,
    BlockNorm,
    GlobalNorm,
    NoNorm,
    UtteranceNorm,
)

FEATURES = {
    "log_mel": LogMel(sample_rate=8000, n_fft=64, hop_length=24, n_mels=6),
    "odd": LogMel(sample_rate=8000, n_fft=65, hop_length=24, n_mels=6),
    "gaps": LogMel(sample_rate=8000, n_fft=32, hop_length=50, n_mels=4),
    "narrow": LogMel(8000, n_fft=64, hop_length=24, n_mels=6, win_length=40),
    "mfcc": MFCC(sample_rate=8000, n_fft=64, hop_length=24, n_mels=6, n_mfcc=4),
}


def make_sound(length: int) -> torch.Tensor:
    noise = torch.randn(2, length, generator=torch.Generator().manual_seed(length))
    return noise * torch.linspace(0.001, 0.3, length)


def blocks_of(frames: torch.Tensor, size: int) -> list[torch.Tensor]:
    return [*frames.split(size, dim=1)]


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("length", [1, 31, 32, 33, 64, 500, 1001])
def test_features_of_blocks_are_those_of_the_whole(name, length):
    features, waveforms = FEATURES[name], make_sound(length)
    whole, _ = features(waveforms, torch.full((2,), length))
    for size in (1, 7, 48, 2000):
        stream = features.by_blocks()
        heard = [*run_through(stream, blocks_of(waveforms, size))]
        torch.testing.assert_close(torch.cat(heard, dim=1), whole, atol=1e-5, rtol=1e-5)


def test_frames_come_as_soon_as_they_can():
    stream = FEATURES["log_mel"].by_blocks()
    assert stream.push(torch.ones(1, 31)) is None
    assert stream.push(torch.ones(1, 1)).shape == (1, 1, 6)
    assert stream.push(torch.ones(1, 23)) is None
    assert stream.push(torch.ones(1, 1)).shape == (1, 1, 6)


def make_norms() -> dict[str, BlockNorm]:
    known = GlobalNorm(6)
    known.mean.copy_(torch.linspace(-3, 3, 6))
    known.std.copy_(torch.linspace(0.5, 2, 6))
    return {
        "none": NoNorm(),
        "global": known,
        "utterance": UtteranceNorm(),
        "active": ActiveNorm(margin=10.0, limit=1.5),
    }


@pytest.mark.parametrize("name", make_norms())
@pytest.mark.parametrize("length", [1, 2, 5, 333])
def test_normalisation_settled_on_blocks_is_that_of_the_whole(name, length):
    norm = make_norms()[name]
    generator = torch.Generator().manual_seed(1)
    # Levels of two recordings that come and go, and a band that is constant.
    frames = torch.randn(2, length, 6, generator=generator)
    frames += 4 * torch.sin(torch.arange(length) / 9)[:, None] - 6
    frames[..., 2] = -7.25
    whole = norm(frames, torch.full((2,), length))
    for size in (1, 13, 2000):
        normalise = norm.settle(blocks_of(frames, size))
        parts = [normalise(block) for block in blocks_of(frames, size)]
        torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=2e-5, rtol=1e-4)


def test_only_a_normalisation_that_hears_all_needs_frames_to_settle():
    for norm in make_norms().values():
        assert isinstance(norm, BlockNorm)
        if not norm.hears_all:
            norm.settle(())
    assert {name for name, norm in make_norms().items() if norm.hears_all} == {
        "utterance", "active",
    }  # fmt: skip
