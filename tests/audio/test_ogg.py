import random

import numpy as np
import pytest
import soundfile
import torch
from audio.sounds import encode, make_noise, replace_at

from speechgru.audio import AudioError, inspect_audio, read_audio

ENCODED = {kind: encode(make_noise(), kind) for kind in ("ogg", "opus")}


def pages(encoded: bytes) -> list[int]:
    """Where pages begin; the sound holds no such bytes by chance."""
    starts = [0]
    while (start := encoded.find(b"OggS", starts[-1] + 1)) > 0:
        starts.append(start)
    return starts


@pytest.mark.parametrize("kind", ENCODED)
def test_any_flipped_bit_is_found(kind):
    encoded, generator = ENCODED[kind], random.Random(0)
    for _ in range(100):
        position = generator.randrange(len(encoded))
        flipped = bytes([encoded[position] ^ 1 << generator.randrange(8)])
        with pytest.raises(AudioError) as caught:
            inspect_audio(replace_at(encoded, position, flipped))
        assert caught.value.kind in ("damaged", "truncated", "undecodable")


@pytest.mark.parametrize("kind", ENCODED)
def test_a_cut_between_two_pages_is_found(kind):
    for start in pages(ENCODED[kind])[1:]:
        with pytest.raises(AudioError, match="truncated, the last page does not say"):
            read_audio(ENCODED[kind][:start])


@pytest.mark.parametrize("kind", ENCODED)
def test_a_missing_page_is_found(kind):
    encoded = ENCODED[kind]
    starts = pages(encoded)
    for index, start in enumerate(starts[:-1]):
        with pytest.raises(AudioError) as caught:
            read_audio(encoded[:start] + encoded[starts[index + 1] :])
        assert caught.value.kind == "damaged"


def test_what_lies_between_pages_is_said():
    start = pages(ENCODED["ogg"])[-1]
    spoiled = ENCODED["ogg"][:start] + b"x" * 10 + ENCODED["ogg"][start:]
    with pytest.raises(AudioError, match=f"no page of Ogg at byte {start}"):
        read_audio(spoiled)


def test_zeros_behind_the_last_page_are_no_sound():
    expected, _ = read_audio(ENCODED["ogg"])
    assert torch.equal(read_audio(ENCODED["ogg"] + bytes(4096))[0], expected)


def test_a_last_page_may_be_short(tmp_path):
    # At 6 kb/s the 8 packets behind the first two seconds take less than 128 bytes.
    sound = np.full(34_000, 0.1)
    path = tmp_path / "a.opus"
    soundfile.write(
        path, sound, 16000, format="OGG", subtype="OPUS", compression_level=1.0
    )
    content = path.read_bytes()
    assert len(content) - content.rindex(b"OggS") < 128
    assert inspect_audio(path).num_samples == 34_000
    assert len(read_audio(path)[0]) == 34_000
