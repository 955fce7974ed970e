import sys
from pathlib import Path

import pytest

from speechgru.audio import inspect_audio
from speechgru.data.corpora.synth_digits import DIGITS, SynthDigits
from speechgru.interfaces import InputError

VOICES = {"train": ["en-us+m1", "en+f1"], "dev": ["en-us+m2"], "test": ["en+f3"]}


def build(root: Path, **changes) -> SynthDigits:
    options = {
        "name": "synth_digits",
        "root": root,
        "voices": VOICES,
        "utterances": {"train": 8, "dev": 4, "test": 4},
        "num_digits": [3, 7],
        "speeds": [120, 180],
        "pitches": [30, 70],
        "sample_rate": 16000,
        "seed": 1,
    }
    return SynthDigits(**{**options, **changes})


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> SynthDigits:
    pytest.importorskip("espeakng_loader")
    corpus = build(tmp_path_factory.mktemp("synth_digits"))
    corpus.prepare()
    return corpus


def test_transcripts_are_three_to_seven_digits(corpus):
    for split, number in corpus.utterances.items():
        utterances = corpus.read(split)
        assert len(utterances) == number
        for utterance in utterances:
            words = utterance.text.split()
            assert 3 <= len(words) <= 7
            assert set(words) <= set(DIGITS)


def test_audio_is_what_the_manifest_says(corpus):
    for utterance in corpus.read("train"):
        info = inspect_audio(utterance.audio_path)
        assert (info.sample_rate, info.num_channels) == (16000, 1)
        assert info.duration == utterance.duration
        # A digit takes a quarter to a whole second at these speeds.
        assert 0.2 < info.duration / len(utterance.text.split()) < 1


def test_voices_take_turns_and_stay_in_their_split(corpus):
    speakers = [u.speaker for u in corpus.read("train")]
    assert speakers == ["en-us+m1", "en+f1"] * 4
    assert {u.speaker for u in corpus.read("test")} == {"en+f3"}


def test_preparing_again_keeps_the_audio(corpus):
    path = corpus.read("test")[0].audio_path
    before = path.stat().st_mtime_ns
    assert corpus.prepare().splits["test"].utterances == 4
    assert path.stat().st_mtime_ns == before


def test_choices_depend_on_seed_split_and_index_alone(corpus, tmp_path):
    fewer = build(tmp_path / "a", utterances={"train": 2, "dev": 3, "test": 1})
    fewer.prepare()
    for split in corpus.splits:
        texts = [u.text for u in fewer.read(split)]
        assert texts == [u.text for u in corpus.read(split)][: len(texts)]
    other = build(tmp_path / "b", utterances={"train": 2, "dev": 1, "test": 1}, seed=2)
    other.prepare()
    assert [u.text for u in other.read("train")] != [
        u.text for u in corpus.read("train")[:2]
    ]


def test_other_settings_make_it_anew(corpus, tmp_path):
    small = {"train": 1, "dev": 1, "test": 1}
    build(tmp_path, utterances=small).prepare()
    again = build(tmp_path, utterances=small, sample_rate=8000)
    again.prepare()
    assert inspect_audio(again.read("dev")[0].audio_path).sample_rate == 8000
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "dev.jsonl",
        "settings.json",
        "test.jsonl",
        "train.jsonl",
        "wav",
    ]


def test_a_deleted_file_makes_it_anew(corpus, tmp_path):
    small = build(tmp_path, utterances={"train": 1, "dev": 1, "test": 1})
    small.prepare()
    path = small.read("dev")[0].audio_path
    path.unlink()
    small.prepare()
    assert path.is_file()


@pytest.mark.parametrize("voice", ["nowhere+x1", "en-us+nobody"])
def test_an_unknown_voice_is_refused(corpus, tmp_path, voice):
    voices = {**VOICES, "train": [voice]}
    with pytest.raises(InputError, match="espeak-ng has no voice '"):
        build(tmp_path, voices=voices).prepare()
    assert not list(tmp_path.glob("*.jsonl"))


def test_a_variant_in_two_splits_is_refused(tmp_path):
    voices = {**VOICES, "test": ["en-gb-scotland+f1"]}
    message = "variant 'f1' speaks in train and in test, expected other voices"
    with pytest.raises(InputError, match=message):
        build(tmp_path, voices=voices)


def test_a_split_without_voices_is_refused(tmp_path):
    with pytest.raises(InputError, match="dev: no voices, expected one or more"):
        build(tmp_path, voices={**VOICES, "dev": []})


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(InputError, match=r"pip install 'speechgru\[synth\]'"):
        build(tmp_path).prepare()
