"""Raw samples mean what libsndfile says that they mean."""

from typing import get_args, get_type_hints

import numpy as np
import pytest
import soundfile

from speechgru.interfaces import InputError
from speechgru.options import StreamOptions
from speechgru.transcribe.online.pcm import ENCODINGS, RawSound

SUBTYPES = {
    "u8": "PCM_U8", "s16le": "PCM_16", "s24le": "PCM_24", "s32le": "PCM_32",
    "f32le": "FLOAT", "f64le": "DOUBLE", "mulaw": "ULAW", "alaw": "ALAW",
}  # fmt: skip


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_samples_are_those_that_libsndfile_decodes(encoding, tmp_path):
    samples = np.random.default_rng(0).uniform(-1, 1, (3000, 2))
    samples[:4] = [[-1, 0.99999], [0, 1e-4], [1e-3, -1e-3], [-1e-4, 0]]
    path = tmp_path / "sound.raw"
    kind = {"format": "RAW", "subtype": SUBTYPES[encoding], "endian": "LITTLE"}
    soundfile.write(path, samples, 8000, **kind)
    expected, _ = soundfile.read(
        path, samplerate=8000, channels=2, dtype="float32", **kind
    )
    sound = RawSound(encoding, 2, 8000)
    decoded = sound.decode(path.read_bytes())
    assert decoded.dtype == np.float32
    assert np.array_equal(decoded, expected)
    assert len(path.read_bytes()) == sound.frame_size * len(samples)


def test_the_laws_know_every_code(tmp_path):
    path = tmp_path / "codes.raw"
    path.write_bytes(bytes(range(256)))
    for encoding in ("mulaw", "alaw"):
        kind = {"format": "RAW", "subtype": SUBTYPES[encoding]}
        expected, _ = soundfile.read(
            path, samplerate=8000, channels=1, dtype="float32", **kind
        )
        decoded = RawSound(encoding, 1, 8000).decode(path.read_bytes())
        assert np.array_equal(decoded[:, 0], expected)


def test_the_option_takes_what_can_be_decoded():
    assert set(get_args(get_type_hints(StreamOptions)["encoding"])) == set(ENCODINGS)


def test_what_no_sound_has_is_told():
    with pytest.raises(InputError, match="0 channels, expected 1 to 64"):
        RawSound("s16le", 0, 8000)
    with pytest.raises(InputError, match="has 12 Hz"):
        RawSound("s16le", 1, 12)
    assert str(RawSound("s16le", 1, 8000)) == "s16le, 1 channel, 8000 Hz"
