"""Augmentation never makes an utterance too short for its tokens."""

import math
import random
from pathlib import Path

import pytest
import torch

from speechgru.data.augment.chain import Chain
from speechgru.data.augment.silence import Silence
from speechgru.data.augment.speed import SpeedPerturbation
from speechgru.data.feasibility import FewestSamples, frames_needed
from speechgru.interfaces import Utterance

RATE = 8000
SPEEDS = SpeedPerturbation([0.9, 1.1, 1.25, 2.0])


def output_lengths(num_samples: torch.Tensor) -> torch.Tensor:
    """Windows of 400 samples every 160, every other of which is left."""
    if (num_samples < 400).any():
        raise ValueError("shorter than one window")
    return ((num_samples - 400) // 160) // 2 + 1


def test_ctc_needs_a_frame_a_token_and_one_between_equals():
    assert frames_needed([]) == 0
    assert frames_needed([1, 2, 1]) == 3
    assert frames_needed([1, 1, 2, 2, 2]) == 8


def test_no_fewer_samples_make_as_many_frames():
    fewest = FewestSamples(output_lengths, 20_000)
    assert fewest([]) == 0
    assert fewest([1]) == 400
    for count in range(2, 60):
        found = fewest(list(range(count)))
        assert output_lengths(torch.tensor([found])) == count
        assert output_lengths(torch.tensor([found - 1])) == count - 1


def test_more_tokens_than_the_longest_audio_has_frames_never_align():
    most = int(output_lengths(torch.tensor([4000]))[0])
    fewest = FewestSamples(output_lengths, 4000)
    assert fewest(list(range(most))) <= 4000
    assert fewest(list(range(most + 1))) == math.inf


@pytest.mark.parametrize("fewest", [2000, 3210, 3636, 3638, 3999, 4000, 4100])
def test_the_words_keep_the_samples_that_they_need(fewest):
    waveform = torch.zeros(4000)
    chain = Chain({"speed": SPEEDS}, seed=0)
    lengths = {len(chain(waveform, e, "a", 0, fewest)) for e in range(60)}
    free = {len(chain(waveform, e, "a", 0)) for e in range(60)}
    assert free == {4445, 3637, 3200, 2000}
    least = min(fewest, 4000)  # what cannot align unchanged is not sped up
    assert min(lengths) >= least
    assert {each for each in free if each >= least} <= lengths
    # As fast as it may be: a hundredth more would be too much.
    fastest = max(100, 400_000 // fewest)
    assert min(lengths) == math.ceil(400_000 / fastest)


def test_a_limit_leaves_slower_draws_as_they_are():
    waveform = torch.randn(4000, generator=torch.Generator().manual_seed(0))
    chain = Chain({"speed": SPEEDS}, seed=0)
    for epoch in range(30):
        free = chain(waveform, epoch, "a", 0)
        if len(free) >= 3600:
            assert torch.equal(chain(waveform, epoch, "a", 0, 3600), free)


def test_silence_that_is_added_holds_no_words():
    silence = Silence(1.0, 1.0, 2.0, -80, -60, RATE)
    for parts in (
        {"silence": silence, "speed": SPEEDS},
        {"speed": SPEEDS, "silence": silence},
    ):
        chain = Chain(parts, seed=0)
        (planned,) = chain.plan([Utterance("a", Path("a.wav"), 0.5, "")])
        added = round((planned - 0.5) * RATE)
        seen = set()
        for epoch in range(40):
            length = len(chain(torch.ones(4000), epoch, "a", 0, 3800))
            seen.add(4000 / length)
            # All of it is faster, or the words alone: by 1.05 at most.
            assert length >= 3800 + added * 3800 // 4000 - 1
        assert len(seen) > 1


def test_several_speeds_together_keep_the_words():
    chain = Chain({"one": SpeedPerturbation([1.3]), "two": SPEEDS}, seed=0)
    lengths = {len(chain(torch.zeros(4000), e, "a", 0, 2700)) for e in range(40)}
    assert min(lengths) == math.ceil(math.ceil(4000 / 1.3) * 100 / 113)
    assert chain.shortest(0.5, 0.45) == pytest.approx(0.45)
    assert chain.shortest(0.5) == pytest.approx(0.5 / 2.6)


def test_a_limit_below_the_drawn_speed_plays_that_limit():
    waveform = torch.ones(3000)
    changed = SPEEDS.change_speed(waveform, random.Random(0), 1.079)
    assert len(changed) in (math.ceil(300_000 / 107), math.ceil(300_000 / 90))
    alone = SpeedPerturbation([2.0]).change_speed(waveform, random.Random(0), 1.0)
    assert alone is waveform
