"""Gain, noise, reverberation, and what is common to all augmentations."""

import math
import random
from itertools import pairwise

import pytest
import soundfile
import torch

from speechgru.data.augment.chain import Chain
from speechgru.data.augment.gain import Gain
from speechgru.data.augment.noise import ColoredNoise, RecordedNoise
from speechgru.data.augment.reverb import RecordedReverb, SimulatedReverb
from speechgru.data.augment.speed import SpeedPerturbation
from speechgru.interfaces import InputError

RATE = 8000


def speech(num_samples: int = RATE) -> torch.Tensor:
    return torch.randn(num_samples, generator=torch.Generator().manual_seed(0)) / 10


def decibels(signal: torch.Tensor, noise: torch.Tensor) -> float:
    return 10 * math.log10(signal.square().sum() / noise.square().sum())


@pytest.fixture
def recordings(tmp_path):
    """A folder of two: a long one and, below it, a short one."""
    (tmp_path / "below").mkdir()
    soundfile.write(tmp_path / "long.wav", speech(3 * RATE).numpy(), RATE)
    soundfile.write(tmp_path / "below/short.flac", speech(RATE // 10).numpy(), RATE)
    (tmp_path / "notes.txt").write_text("not audio")
    return str(tmp_path)


def make_all(folder: str) -> dict:
    return {
        "gain": Gain(-10, 10),
        "noise": ColoredNoise([0, 1, 2], 5, 20, 1.0),
        "noise_folder": RecordedNoise(folder, 5, 20, 1.0, RATE),
        "reverb": SimulatedReverb(0.1, 0.3, 0, 10, 1.0, RATE),
        "reverb_folder": RecordedReverb(folder, 1.0, RATE),
    }


def test_only_the_generator_decides_and_words_stay_where_they_are(recordings):
    waveform = speech()
    for augment in make_all(recordings).values():
        torch.manual_seed(1)
        first = augment(waveform, random.Random(3))
        torch.manual_seed(2)
        assert torch.equal(augment(waveform, random.Random(3)), first)
        others = [augment(waveform, random.Random(seed)) for seed in range(4, 12)]
        assert not all(torch.equal(other, first) for other in others)
        assert first.shape == waveform.shape
        assert first.dtype == torch.float32
        assert first.isfinite().all()
        assert not augment.changes_time
        assert augment.shortest(1.5) == 1.5
    assert torch.equal(waveform, speech())


def test_gain_is_drawn_in_decibels():
    generator = random.Random(0)
    gains = [decibels(Gain(-6, 3)(speech(), generator), speech()) for _ in range(200)]
    assert min(gains) == pytest.approx(-6, abs=0.2)
    assert max(gains) == pytest.approx(3, abs=0.2)


@pytest.mark.parametrize("kind", ["noise", "noise_folder"])
def test_noise_comes_at_the_ratio_asked_for(recordings, kind):
    augment = make_all(recordings)[kind]
    generator = random.Random(0)
    waveform = speech()
    ratios = [
        decibels(waveform, augment(waveform, generator) - waveform) for _ in range(100)
    ]
    assert 5 <= min(ratios) < 7
    assert 18 < max(ratios) <= 20.001


@pytest.mark.parametrize("exponent", [0, 1, 2])
def test_the_power_of_coloured_noise_falls_with_the_frequency(exponent):
    noise = ColoredNoise([exponent], 0, 0, 1.0).draw(2**16, random.Random(0))
    power = torch.fft.rfft(noise).abs().square()
    octaves = [power[2**k : 2 ** (k + 1)].mean().log2() for k in range(4, 15)]
    slopes = [after - before for before, after in pairwise(octaves)]
    assert sum(slopes) / len(slopes) == pytest.approx(-exponent, abs=0.1)


def test_a_short_recording_is_repeated_and_a_long_one_is_cut(recordings, tmp_path):
    (tmp_path / "long.wav").unlink()
    waveform = speech(2 * RATE)
    noise = RecordedNoise(recordings, 0, 0, 1.0, RATE).draw(
        len(waveform), random.Random(1)
    )
    period = RATE // 10
    torch.testing.assert_close(noise[period:], noise[:-period])


def test_recordings_of_another_rate_are_converted(tmp_path):
    soundfile.write(tmp_path / "a.wav", speech(RATE).numpy(), 2 * RATE)
    augment = RecordedNoise(str(tmp_path), 0, 0, 1.0, RATE)
    assert len(augment.recordings.draw(random.Random(0))) == RATE // 2


def test_the_direct_sound_keeps_its_time_and_loudness(tmp_path):
    response = torch.zeros(300)
    response[40], response[240] = -0.5, 0.25
    soundfile.write(tmp_path / "room.wav", response.numpy(), RATE, subtype="FLOAT")
    click = torch.zeros(1000)
    click[100], click[900] = 1.0, 0.5
    heard = RecordedReverb(str(tmp_path), 1.0, RATE)(click, random.Random(0))
    expected = torch.zeros(1000)
    expected[100], expected[300], expected[900] = 1.0, -0.5, 0.5
    torch.testing.assert_close(heard, expected, atol=1e-5, rtol=0)


def test_a_simulated_room_dies_away_as_it_should():
    room = SimulatedReverb(0.5, 0.5, 3, 3, 1.0, RATE)
    response, direct = room.draw(random.Random(0))
    assert (direct, response[0]) == (0, 1)
    assert decibels(response[:1], response[1:]) == pytest.approx(3, abs=0.01)
    quarter = len(response) // 4
    early = response[1:quarter].square().mean()
    late = response[2 * quarter : 3 * quarter].square().mean()
    # Half of the decay time is half of 60 dB.
    assert 10 * math.log10(early / late) == pytest.approx(30, abs=2)


@pytest.mark.parametrize("kind", ["noise", "noise_folder", "reverb", "reverb_folder"])
def test_only_some_are_changed(recordings, kind):
    augment = make_all(recordings)[kind]
    augment.probability = 0.3
    generator = random.Random(0)
    waveform = speech(800)
    changed = sum(augment(waveform, generator) is not waveform for _ in range(500))
    assert 110 < changed < 190


def test_silence_gets_no_noise(recordings):
    silence = torch.zeros(100)
    for kind in ("noise", "noise_folder"):
        assert torch.equal(
            make_all(recordings)[kind](silence, random.Random(0)), silence
        )


def test_a_chain_applies_all_in_turn_and_keys_each_apart():
    parts = {"speed": SpeedPerturbation([0.8, 0.9, 1.1]), "gain": Gain(-10, 10)}
    chain = Chain(parts, seed=1)
    alone = Chain({"gain": Gain(-10, 10)}, seed=1)
    waveform = speech()
    loud = alone(waveform, 0, "a", 0)[0] / waveform[0]
    both = chain(waveform, 0, "a", 0)
    speed = Chain({"speed": parts["speed"]}, seed=1)(waveform, 0, "a", 0)
    torch.testing.assert_close(both, loud * speed)
    drawn = {
        float(Chain(parts, seed)(waveform, epoch, id, view)[0])
        for seed in (1, 2)
        for epoch in (0, 1)
        for id in ("a", "b")
        for view in (0, 1)
    }
    assert len(drawn) == 16
    assert chain.shortest(1.1) == pytest.approx(1.0)


def test_views_of_an_utterance_have_one_speed():
    chain = Chain({"speed": SpeedPerturbation([0.5, 0.8, 1.25, 2.0])}, seed=1)
    lengths = {len(chain(speech(), 0, "a", view)) for view in range(8)}
    assert len(lengths) == 1
    assert len({len(chain(speech(), epoch, "a", 0)) for epoch in range(20)}) > 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gain(3, -3), "low is 3 and high -3, expected"),
        (lambda: ColoredNoise([], 0, 1, 0.5), r"exponents is \[\], expected"),
        (lambda: ColoredNoise([-1], 0, 1, 0.5), r"exponents is \[-1\], expected"),
        (lambda: ColoredNoise([0], 2, 1, 0.5), "low is 2 and high 1, expected"),
        (lambda: ColoredNoise([0], 0, 1, 1.5), "probability is 1.5, expected"),
        (
            lambda: SimulatedReverb(0.0, 0.5, 0, 1, 0.5, RATE),
            "shortest_decay is 0.0, expected",
        ),
        (
            lambda: SimulatedReverb(0.1, 0.5, 2, 1, 0.5, RATE),
            "lowest_ratio is 2 and highest_ratio 1",
        ),
        (
            lambda: SimulatedReverb(0.1, 0.5, 0, 1, -0.5, RATE),
            "probability is -0.5, expected",
        ),
        (lambda: RecordedNoise("nowhere", 0, 1, 0.5, RATE), "nowhere: no audio files"),
    ],
)
def test_what_cannot_be_meant_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_recording_of_silence_is_refused(tmp_path):
    soundfile.write(tmp_path / "nothing.wav", torch.zeros(100).numpy(), RATE)
    augment = RecordedNoise(str(tmp_path), 0, 1, 1.0, RATE)
    with pytest.raises(InputError, match=r"nothing.wav: holds silence only"):
        augment(speech(), random.Random(0))
