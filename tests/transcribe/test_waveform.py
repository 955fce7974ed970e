"""Waveforms as soundfile, NumPy and torch give them."""

import array

import numpy as np
import pytest
import torch

from speechgru.interfaces import InputError
from speechgru.transcribe.waveform import to_waveform

RATE = 8000
TONE = (0.25 * np.sin(np.arange(2000) / 7)).astype(np.float32)


def check(content, tolerance=1e-6, expected=TONE):
    waveform = to_waveform(content, RATE)
    assert (waveform.dtype, waveform.device.type) == (torch.float32, "cpu")
    np.testing.assert_allclose(waveform.numpy(), expected, atol=tolerance)


@pytest.mark.parametrize(
    "content",
    [
        TONE,
        TONE.astype(np.float64),
        TONE.astype(">f4"),
        TONE[::-1][::-1],
        torch.from_numpy(TONE.copy()).double().requires_grad_(),
        TONE.tolist(),
        tuple(TONE.tolist()),
        array.array("f", TONE),
    ],
)
def test_floats_of_any_library_are_the_same_waveform(content):
    check(content)


def test_a_read_only_and_a_reversed_array_are_taken_as_they_are():
    frozen = TONE.copy()
    frozen.flags.writeable = False
    check(frozen)
    check(TONE[::-1], expected=TONE[::-1])


@pytest.mark.parametrize(
    ("dtype", "scale", "silence"),
    [
        *((np.int8, 128, 0), (np.uint8, 128, 128), (np.int16, 2**15, 0)),
        *((np.int32, 2**31, 0), (">i2", 2**15, 0)),
    ],
)
def test_integers_are_scaled_by_the_range_of_their_type(dtype, scale, silence):
    integers = np.round(TONE.astype(np.float64) * scale + silence).astype(dtype)
    check(integers, tolerance=0.51 / scale + 1e-7)
    check(torch.from_numpy(integers.astype(np.dtype(dtype).newbyteorder("="))), 0.01)


@pytest.mark.parametrize("shape", ["samples first", "channels first"])
@pytest.mark.parametrize("num_channels", [1, 2, 64])
def test_the_small_axis_is_that_of_the_channels(shape, num_channels):
    shares = np.arange(num_channels) - (num_channels - 1) / 2
    samples = TONE[:, None] * (1 + 0.01 * shares)
    check(samples if shape == "samples first" else samples.T)


@pytest.mark.parametrize("shape", [(64, 64), (65, 100), (2, 3), (1, 1, 800), (0, 0)])
def test_a_shape_that_could_mean_two_things_is_an_error_that_names_it(shape):
    with pytest.raises(InputError, match=rf"shape \({shape[0]}, {shape[1]}.*expected"):
        to_waveform(np.zeros(shape, np.float32), RATE)


def test_channels_that_extinguish_each_other_are_an_error_with_a_remedy():
    opposite = np.stack([TONE, -0.95 * TONE])
    for content in (opposite, opposite.T, torch.from_numpy(opposite)):
        with pytest.raises(InputError, match=r"2 channels cancel out.*ffmpeg -i IN"):
            to_waveform(content, RATE)
    # One that is silent, one of another voice, and silence in both are none such.
    other = np.roll(TONE, 11)
    check(np.stack([2 * TONE, 0 * TONE]))
    check(np.stack([TONE, other]), expected=(TONE + other) / 2)
    check(np.zeros((2, 2000)), expected=0 * TONE)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.arange(800), r"int64 of shape \(800,\), expected floats"),
        ([0, 1, 2] * 300, "int64"),
        (np.zeros(800, bool), "bool"),
        (np.zeros(800, np.complex64), "complex64"),
        (torch.zeros(800, dtype=torch.complex64), "complex64"),
        (["a", "b"], "a list that is no array of numbers"),
        ((TONE, RATE), "a tuple that is no array of numbers .*sample_rate="),
        (np.full(800, np.inf), "holds NaN or infinite"),
        (np.array([0.0, np.nan]), "holds NaN"),
        (1e5 * TONE, r"samples reach 2\.5e\+04, expected floats in \[-1, 1\]"),
    ],
)
def test_what_has_no_known_scale_is_refused(content, message):
    with pytest.raises(InputError, match=message):
        to_waveform(content, RATE)


@pytest.mark.parametrize("rate", [None, 0, -8000, 0.5, np.nan, "8000", True, [8000]])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(InputError, match=r"sample_rate is .*expected Hz"):
        to_waveform(TONE, rate)


@pytest.mark.parametrize("rate", [8000, 8000.0, np.int64(8000), np.float32(8000)])
def test_a_rate_may_be_any_whole_number(rate):
    torch.testing.assert_close(to_waveform(TONE, rate), torch.from_numpy(TONE))


def test_one_channel_can_be_taken():
    other = np.roll(TONE, 11)
    for content in (np.stack([TONE, other]), np.stack([TONE, other], axis=1)):
        for channel, expected in enumerate([TONE, other]):
            taken = to_waveform(content, RATE, channel)
            np.testing.assert_array_equal(taken.numpy(), expected)
    with pytest.raises(InputError, match="channel is 2, but there are channels 0 to 1"):
        to_waveform(content, RATE, 2)
    with pytest.raises(InputError, match="channel is 1, but there is only channel 0"):
        to_waveform(TONE, RATE, 1)


def test_24_bits_in_32_are_noticed(caplog):
    samples = np.round(TONE.astype(np.float64) * 2**23).astype(np.int32)
    to_waveform(samples, RATE)
    assert "if they are of 24 bits, shift them to the left by 8" in caplog.text
    caplog.clear()
    check(samples << 8, tolerance=1e-6)
    assert not caplog.text


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32])
def test_nothing_is_an_empty_waveform(dtype):
    check(np.zeros(0, dtype), expected=TONE[:0])
