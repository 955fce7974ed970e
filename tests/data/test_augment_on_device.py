"""Noise and rooms for a batch, each utterance by its own key."""

import math

import pytest
import torch

from speechgru.data.augment.on_device import DeviceChain, NoiseOnDevice, ReverbOnDevice
from speechgru.factory import build_augment, build_device_augment
from speechgru.features.keyed_draws import keyed_by
from speechgru.interfaces import InputError
from speechgru.options.choices import choose

RATE = 8000
LENGTHS = torch.tensor([RATE, RATE // 2, 3 * RATE // 4])
WAVEFORMS = torch.randn(3, RATE, generator=torch.Generator().manual_seed(0)) / 10
for waveform, length in zip(WAVEFORMS, LENGTHS, strict=True):
    waveform[length:] = 0


def make_both(probability=1.0):
    return {
        "noise": NoiseOnDevice([0, 1, 2], 5, 20, probability),
        "reverb": ReverbOnDevice(0.1, 0.3, 0, 10, probability, RATE),
    }


def change(augment, waveforms=WAVEFORMS, lengths=LENGTHS, keys=(1, 2, 3)):
    with keyed_by(keys, 0):
        return augment(waveforms, lengths)


@pytest.mark.parametrize("name", make_both())
def test_what_an_utterance_gets_depends_on_its_key_alone(name):
    augment = make_both()[name]
    together = change(augment)
    assert not torch.equal(together, WAVEFORMS)
    for index, length in enumerate(LENGTHS):
        assert not together[index, length:].any()
        alone = change(
            augment,
            WAVEFORMS[index : index + 1, :length],
            LENGTHS[index : index + 1],
            [index + 1],
        )
        torch.testing.assert_close(
            alone[0], together[index, :length], atol=1e-5, rtol=0
        )
    others = change(augment, keys=[4, 5, 6])
    assert not torch.isclose(others, together).all(dim=1).any()


@pytest.mark.parametrize("name", make_both())
def test_as_many_are_changed_as_asked_for(name):
    waveforms = WAVEFORMS[:1, :200].expand(1000, -1)
    lengths = torch.full((1000,), 200)
    changed = change(make_both(0.3)[name], waveforms, lengths, range(1000))
    share = (changed != waveforms).any(dim=1).float().mean()
    assert share == pytest.approx(0.3, abs=0.05)
    assert torch.equal(change(make_both(0.0)[name]), WAVEFORMS)


def test_noise_is_as_loud_as_asked_for():
    noisy = change(NoiseOnDevice([0, 2], 10, 10, 1.0))
    for before, after in zip(WAVEFORMS, noisy, strict=True):
        ratio = before.square().sum() / (after - before).square().sum()
        assert 10 * math.log10(ratio) == pytest.approx(10, abs=0.01)


@pytest.mark.parametrize("exponent", [0, 1, 2])
def test_power_falls_with_the_frequency(exponent):
    waveforms, lengths = torch.ones(40, 2 * RATE), torch.full((40,), 2 * RATE)
    augment = NoiseOnDevice([exponent], 0, 0, 1.0)
    noise = change(augment, waveforms, lengths, range(40)) - waveforms
    power = torch.fft.rfft(noise).abs().square().mean(0)
    # Two octaves apart: 1000 to 1100 and 250 to 275 Hz.
    low, high = power[500:550].mean(), power[2000:2200].mean()
    assert math.log2(low / high) == pytest.approx(2 * exponent, abs=0.3)


def test_silence_stays_silent():
    silence = torch.zeros_like(WAVEFORMS)
    for augment in make_both().values():
        assert not change(augment, silence).any()


def test_the_direct_sound_stays_and_the_room_is_as_loud_as_asked_for():
    clicks = torch.zeros(50, RATE)
    clicks[:, 0] = 1
    lengths = torch.full((50,), RATE)
    augment = ReverbOnDevice(0.2, 0.2, 3, 3, 1.0, RATE)
    responses = change(augment, clicks, lengths, range(50))
    torch.testing.assert_close(responses[:, 0], torch.ones(50), atol=1e-5, rtol=0)
    rest = responses[:, 1:]
    energies = 10 * rest.square().sum(1).log10()
    torch.testing.assert_close(energies, torch.full((50,), -3.0), atol=0.01, rtol=0)
    # 60 dB over 0.2 s: 30 dB between the first and the second half of that.
    early, late = rest[:, :200].square().sum(), rest[:, 800:1000].square().sum()
    assert 10 * math.log10(early / late) == pytest.approx(30, abs=2)
    assert not rest[:, 1600:].abs().max() > 1e-5


def test_a_chain_is_built_of_what_runs_on_the_device():
    names = ["speed", "noise_on_device", "reverb_on_device"]
    parts = {name: choose("augment", name) for name in names}
    loading = build_augment(parts, (), RATE)
    assert list(loading.augmentations) == ["speed"]
    chain = build_device_augment(parts, (), RATE)
    assert [type(each) for each in chain] == [NoiseOnDevice, ReverbOnDevice]
    backwards = {name: parts[name] for name in reversed(names)}
    with pytest.raises(InputError, match="put speed before them"):
        build_device_augment(backwards, (), RATE)


def test_an_empty_chain_changes_nothing():
    assert DeviceChain()(WAVEFORMS, LENGTHS) is WAVEFORMS
