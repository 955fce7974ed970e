"""The benchmark of silence: what it puts where, and the rows that it prints."""

import math
import random
import re

import pytest
import silence
import torch

RATE = 8000


def decibels(sound: torch.Tensor) -> float:
    return 10 * math.log10(sound.square().mean())


@pytest.mark.parametrize("name", ["white noise", "a room"])
def test_noises_have_the_level_that_the_tables_say(name):
    sound = silence.SOUNDS[name](RATE, RATE, random.Random(0))
    assert decibels(sound) == pytest.approx(-60, abs=0.01)


def test_silence_is_put_on_the_chosen_sides_and_nothing_is_lost():
    waveform = torch.full((100,), 0.5)
    for sides in silence.PLACES.values():
        (changed,) = silence.surrounded([waveform], silence.zeros, sides, 0.01, 1000)
        front, behind = (10 * side for side in sides)
        expected = [torch.zeros(front), waveform, torch.zeros(behind)]
        assert torch.equal(changed, torch.cat(expected))


def test_a_hole_is_20_ms_of_zeros():
    waveform = torch.full((RATE,), 0.5)
    changed = silence.with_hole(waveform, RATE, random.Random(0))
    assert (changed == 0).sum() == 0.02 * RATE
    assert (waveform == 0.5).all()


@pytest.mark.parametrize("name", silence.CLIPS)
def test_clips_are_within_full_scale_and_drawn_from_the_seed(name):
    draw = silence.CLIPS[name]
    for seed in range(5):
        clip = draw(RATE, RATE, random.Random(seed))
        assert len(clip) == RATE
        assert clip.abs().max() <= 1.5
        assert torch.equal(clip, draw(RATE, RATE, random.Random(seed)))


def test_the_tables_hold_every_condition(
    checkpoint, tones, monkeypatch, capsys, threads
):
    monkeypatch.setattr(silence, "DURATIONS", (0.1, 0.2))
    monkeypatch.setattr(silence, "NUM_CLIPS", 10)
    monkeypatch.setattr(silence, "CLIP_DURATIONS", (0.1, 0.2))
    silence.main([str(checkpoint), str(tones.folder / "test.jsonl")])
    output = capsys.readouterr().out
    rows = re.findall(
        r"^\| .* \| (?:in front|behind|both) \| (\S+) \| (\S+) \|$", output, re.M
    )
    rates = [float(rate) for row in rows for rate in row]
    assert len(rates) == 18
    clean, hole, worst, rise = map(
        float,
        re.search(
            r"11 utterances as they are: WER (\S+) %; "
            r"with 20 ms of zeros within: (\S+); "
            r"the worst of all: (\S+), (\S+)",
            output,
        ).groups(),
    )
    assert worst == max(*rates, hole)
    assert rise == pytest.approx(worst - clean, abs=0.011)
    *empty, total = re.findall(r"\| (\d+) of (?:2|10) \|", output)
    assert len(empty) == 5
    assert sum(map(int, empty)) == int(total)
