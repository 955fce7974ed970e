import numpy as np
import pytest
import soundfile
import torch

from speechgru.audio import inspect_audio, load_audio
from speechgru.data.corpora.long_form import LongForm
from speechgru.data.manifest import write_manifest
from speechgru.interfaces import InputError, Utterance

RATE = 8000
NUM_UTTERANCES = 30
SECONDS = 2.0


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """Tones of 2 s behind 0.1 s of soft noise."""
    folder = tmp_path_factory.mktemp("short")
    generator = np.random.default_rng(0)
    utterances = []
    for index in range(NUM_UTTERANCES):
        samples = 0.001 * generator.standard_normal(round(SECONDS * RATE))
        times = np.arange(len(samples) - 800) / RATE
        samples[800:] += 0.3 * np.sin(2 * np.pi * (200 + 10 * index) * times)
        path = folder / f"{index}.wav"
        soundfile.write(path, samples, RATE)
        utterances.append(
            Utterance(f"u{index}", path, SECONDS, f"TONE {index}", f"s{index % 3}")
        )
    write_manifest(folder / "test.jsonl", utterances)
    return folder / "test.jsonl"


def build(root, manifest, **changes) -> LongForm:
    options = {
        "name": "long_form",
        "root": root,
        "manifest": manifest,
        "minutes": [1, 4],
        "gaps": [0.0, 4.0],
        "noise": [10.0, 20.0],
        "sample_rate": RATE,
        "seed": 1,
    }
    return LongForm(**{**options, **changes})


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, manifest) -> LongForm:
    corpus = build(tmp_path_factory.mktemp("data"), manifest)
    corpus.prepare()
    return corpus


def test_recordings_last_about_as_long_as_is_asked(corpus):
    assert [u.duration for u in corpus.read("1min")] == pytest.approx([60] * 2, abs=12)
    assert [u.duration for u in corpus.read("4min")] == pytest.approx([240], abs=30)


def test_every_utterance_counts_as_much_as_the_others(corpus):
    once = sorted(f"TONE {index}" for index in range(NUM_UTTERANCES))
    assert sorted(u.text for u in corpus.read("1min-apart")) == once
    # All last two minutes together.
    assert sorted(u.text for u in corpus.read("4min-apart")) == sorted(once * 2)


def test_a_transcript_is_that_of_the_utterances_in_their_order(corpus):
    for split in ("1min", "4min-noisy"):
        for recording in corpus.read(split):
            parts = [
                part
                for part in corpus.read(f"{split}-apart")
                if part.audio_path == recording.audio_path
            ]
            assert recording.text == " ".join(part.text for part in parts)
            assert recording.speaker is None
            assert {part.speaker for part in parts} == {"s0", "s1", "s2"}


def test_apart_is_where_the_utterance_lies(corpus, manifest):
    part = corpus.read("1min-apart")[5]
    found = load_audio(part.audio_path, RATE, False, part.offset, part.duration)
    name = part.text.removeprefix("TONE ")
    original = load_audio(manifest.parent / f"{name}.wav", RATE, False)
    torch.testing.assert_close(found, original, rtol=0, atol=1e-4)


def test_gaps_hold_the_background_and_are_no_longer_than_is_asked(corpus):
    ends = 0.0
    for part in corpus.read("4min-apart"):
        gap = part.offset - ends
        assert 0 <= gap <= 4
        if gap > 0.2:
            sound = load_audio(part.audio_path, RATE, False, ends, gap)
            assert 0.0003 < float(sound.square().mean().sqrt()) < 0.003
        ends = part.offset + part.duration


def test_noise_is_added_to_the_same_recording(corpus):
    for clean, noisy in zip(
        corpus.read("1min"), corpus.read("1min-noisy"), strict=True
    ):
        assert (clean.text, clean.duration) == (noisy.text, noisy.duration)
        sounds = [load_audio(u.audio_path, RATE, False) for u in (clean, noisy)]
        noise = sounds[1] - sounds[0]
        speech = torch.cat(
            [
                load_audio(p.audio_path, RATE, False, p.offset, p.duration)
                for p in corpus.read("1min-apart")
            ]
        )
        for stretch in noise.split(10 * RATE)[:-1]:
            ratio = 10 * (speech.square().mean() / stretch.square().mean()).log10()
            assert 7 < float(ratio) < 23


def test_preparing_again_keeps_all_and_another_place_gets_the_same(
    corpus, manifest, tmp_path
):
    path = corpus.read("4min")[0].audio_path
    before = path.stat().st_mtime_ns
    corpus.prepare()
    assert path.stat().st_mtime_ns == before
    again = build(tmp_path, manifest)
    again.prepare()
    for split in ("1min-noisy", "4min"):
        for one, other in zip(corpus.read(split), again.read(split), strict=True):
            assert one.audio_path.read_bytes() == other.audio_path.read_bytes()
    other = build(tmp_path / "b", manifest, seed=2, minutes=[1])
    other.prepare()
    assert other.read("1min")[0].text != corpus.read("1min")[0].text


def test_other_rates_are_converted(manifest, tmp_path):
    corpus = build(tmp_path, manifest, minutes=[1], sample_rate=16_000)
    report = corpus.prepare()
    assert inspect_audio(corpus.read("1min")[0].audio_path).sample_rate == 16_000
    assert report.splits["1min-apart"].hours == pytest.approx(60 / 3600)


def test_a_manifest_that_has_changed_is_noticed(manifest, tmp_path):
    copy = tmp_path / "own" / "test.jsonl"
    copy.parent.mkdir()
    lines = manifest.read_text().replace(
        '"audio_filepath": "', f'"audio_filepath": "{manifest.parent}/'
    )
    copy.write_text(lines)
    corpus = build(tmp_path, copy, minutes=[1])
    corpus.prepare()
    copy.write_text(lines.replace("TONE 7", "TONE SEVEN"))
    with pytest.raises(InputError, match=r"manifest is .* to make it anew, run"):
        corpus.read("1min")


def test_a_manifest_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none.jsonl: cannot be read"):
        build(tmp_path, tmp_path / "none.jsonl").prepare()
