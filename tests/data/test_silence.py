"""Silence in front of, behind and within utterances, and utterances without words."""

import math
import random
from pathlib import Path

import pytest
import torch

from speechgru.data.augment.chain import Chain
from speechgru.data.augment.silence import Silence, find_pause, own_background
from speechgru.data.wordless import Wordless, make_sound
from speechgru.interfaces import InputError, Utterance

RATE = 8000


def noise(seconds: float, level: float, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return level * torch.randn(round(seconds * RATE), generator=generator)


def utterance() -> torch.Tensor:
    """Half a second, a pause of 0.4 s that is 40 dB softer, half a second."""
    words = [noise(0.5, 0.1, seed) for seed in (1, 2)]
    return torch.cat([words[0], noise(0.4, 0.001), words[1]])


def make_silence(**options) -> Silence:
    defaults = {
        "probability": 1.0,
        "least": 0.5,
        "most": 2.0,
        "low": -80.0,
        "high": -45.0,
        "sample_rate": RATE,
    }
    return Silence(**defaults | options)


def lengthened(waveform: torch.Tensor, seed: int, **options) -> torch.Tensor:
    return make_silence(**options).lengthen(waveform, 1.0, random.Random(seed))


def decibels(waveform: torch.Tensor) -> float:
    return 10 * math.log10(waveform.square().mean() + 1e-20)


def test_every_sample_of_the_utterance_is_kept_in_order():
    waveform = utterance()
    first, second = waveform[:40], waveform[-RATE // 2 :][:40]
    for seed in range(40):
        longer = lengthened(waveform, seed)
        assert len(longer) == len(waveform) + RATE
        windows = longer.unfold(0, len(first), 1)
        starts = [
            int((windows == part).all(1).nonzero()[0]) for part in (first, second)
        ]
        assert starts[0] + round(0.9 * RATE) <= starts[1]


def test_silence_comes_in_front_behind_and_into_the_pause():
    waveform = utterance()
    places = set()
    for seed in range(60):
        longer = lengthened(waveform, seed)
        front = not torch.equal(longer[:100], waveform[:100])
        behind = not torch.equal(longer[-100:], waveform[-100:])
        starts = (longer.unfold(0, 40, 1) == waveform[:40]).all(1).nonzero()
        whole = longer[int(starts[0]) :][: len(waveform)]
        places.add((front, not torch.equal(whole, waveform), behind))
    # All combinations but none at all.
    assert len(places) == 7
    assert (False, False, False) not in places


def test_without_a_pause_silence_comes_in_front_and_behind():
    words = noise(0.5, 0.1)
    for seed in range(20):
        longer = lengthened(words, seed)
        assert len(longer) == len(words) + RATE
        start = int((longer.unfold(0, 40, 1) == words[:40]).all(1).nonzero()[0])
        assert torch.equal(longer[start : start + len(words)], words)


def test_what_is_put_in_is_no_louder_than_asked_for_or_than_the_background():
    words = noise(1.0, 0.1)
    for seed in range(40):
        longer = lengthened(words, seed, low=-70, high=-60)
        if not torch.equal(longer[:100], words[:100]):
            # The whole of this recording is as loud as its background.
            assert decibels(longer[:800]) < -18


def test_the_seed_alone_decides():
    first = lengthened(utterance(), 3)
    torch.manual_seed(5)
    assert torch.equal(lengthened(utterance(), 3), first)
    assert not torch.equal(lengthened(utterance(), 4), first)
    assert make_silence().changes_time
    assert make_silence().shortest(1.5) == 1.5


def test_durations_are_drawn_between_the_least_and_the_most():
    generator = random.Random(0)
    augment = make_silence(probability=0.5)
    added = [augment.added(generator) for _ in range(400)]
    assert added.count(0.0) == pytest.approx(200, abs=40)
    some = sorted(seconds for seconds in added if seconds)
    assert some[0] >= 0.5
    assert some[-1] <= 2.0
    # The logarithm is drawn evenly.
    assert some[len(some) // 2] == pytest.approx(1.0, abs=0.12)


def plan(chain: Chain) -> dict[str, float]:
    """The planned durations of eight utterances."""
    utterances = [Utterance(id, Path("a.wav"), 1.4, "") for id in "abcdefgh"]
    return dict(zip("abcdefgh", chain.plan(utterances).tolist(), strict=True))


def test_an_utterance_is_as_long_as_planned_in_every_epoch():
    chain = Chain({"silence": make_silence(probability=0.5)}, seed=1)
    planned = plan(chain)
    assert 1.4 in planned.values()
    assert len(set(planned.values())) > 3
    for id, duration in planned.items():
        heard = [chain(utterance(), epoch, id, view=0) for epoch in range(3)]
        assert {len(waveform) for waveform in heard} == {round(duration * RATE)}
        assert torch.equal(heard[0], heard[1]) == (duration == 1.4)
    other = Chain({"silence": make_silence(probability=0.5)}, seed=2)
    assert plan(other) != planned
    assert set(plan(Chain({}, seed=1)).values()) == {1.4}


def test_both_views_of_an_utterance_have_the_same_silence():
    chain = Chain({"silence": make_silence()}, seed=1)
    first, second = (chain(utterance(), 0, "a", view) for view in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"probability": 1.5}, "probability is 1.5"),
        ({"least": 0.0}, "least is 0.0, expected a number above 0"),
        ({"least": 3.0}, "least is 3.0 and most 2.0"),
        ({"most": math.inf}, "most is inf"),
        ({"low": -10.0}, "low is -10.0 and high -45.0"),
        ({"high": math.nan}, "high is nan"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        make_silence(**options)


def test_the_pause_is_found_in_its_middle():
    assert find_pause(utterance(), RATE) == pytest.approx(0.7 * RATE, abs=0.02 * RATE)


def test_a_plosive_the_ends_and_a_click_are_no_pauses():
    words = noise(0.5, 0.1)
    closure = torch.cat([words, noise(0.1, 0.0001), words])
    assert find_pause(closure, RATE) is None
    ends = torch.cat([torch.zeros(RATE), words, torch.zeros(RATE)])
    assert find_pause(ends, RATE) is None
    assert find_pause(torch.zeros(RATE), RATE) is None
    assert find_pause(torch.zeros(7), RATE) is None


def test_the_own_background_is_as_loud_and_coloured_as_the_quietest_stretch():
    hiss = noise(2.0, 0.001)
    low = torch.sin(2 * math.pi * 200 * torch.arange(len(hiss)) / RATE) * 0.01
    waveform = torch.cat([noise(1.0, 0.3, seed=4), low + hiss])
    numbers = torch.Generator().manual_seed(0)
    background = own_background(waveform, 3 * RATE, RATE, numbers)
    assert len(background) == 3 * RATE
    assert decibels(background) == pytest.approx(decibels(low), abs=1.5)
    spectrum = torch.fft.rfft(background).abs().square()
    below_400 = spectrum[: 400 * 3].sum() / spectrum.sum()
    assert below_400 > 0.9


def test_sounds_without_words_are_of_many_kinds_and_within_full_scale():
    sounds = [make_sound(RATE, RATE, random.Random(seed)) for seed in range(200)]
    assert all(len(sound) == RATE and sound.abs().max() <= 1 for sound in sounds)
    assert all(sound.isfinite().all() for sound in sounds)
    levels = [decibels(sound) for sound in sounds]
    assert min(levels) < -150  # digital silence
    assert sum(-90 < level < -60 for level in levels) > 20
    assert sum(-60 < level < -10 for level in levels) > 40


def test_wordless_utterances_are_as_many_and_as_long_as_asked_for():
    durations = [0.5, 1.0, 2.5] * 10
    silent = Wordless(0.1, durations, RATE, seed=1)
    assert len(silent) == 3
    assert set(silent.durations) <= set(durations)
    for index, duration in enumerate(silent.durations):
        first = silent.load(index, epoch=0)
        assert len(first) == round(duration * RATE)
        assert torch.equal(first, Wordless(0.1, durations, RATE, 1).load(index, 0))
    assert len(Wordless(0.0, durations, RATE, 1)) == 0


def test_wordless_utterances_change_with_epoch_view_and_seed():
    def sounds(seed: int, epoch: int, view: int) -> torch.Tensor:
        silent = Wordless(1.0, [1.0] * 8, RATE, seed)
        return torch.stack([silent.load(index, epoch, view) for index in range(8)])

    first = sounds(1, 0, 0)
    assert not torch.equal(sounds(1, 1, 0), first)
    assert not torch.equal(sounds(1, 0, 1), first)
    assert not torch.equal(sounds(2, 0, 0), first)


@pytest.mark.parametrize("share", [-0.1, 1.5, math.nan])
def test_a_share_of_wordless_utterances_is_between_0_and_1(share):
    with pytest.raises(InputError, match="wordless is"):
        Wordless(share, [1.0], RATE, 1)
