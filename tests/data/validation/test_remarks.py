"""What is unusual is remarked on, with names, and makes nothing unusable."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import soundfile

from speechgru.data.validation.examine import BATCH_SECONDS, examine
from speechgru.data.validation.limits import DEFAULT_LIMITS, Limits
from speechgru.interfaces import Utterance
from speechgru.options import DoctorOptions, choose
from speechgru.options.corpus import LeftOut
from speechgru.text.tokenizer import CharacterTokenizer

RATE = 16000


@pytest.fixture
def make(tmp_path):
    random = np.random.default_rng(0)

    def make_one(id, text="go on", samples=None, folder="wav", **changes):
        path = tmp_path / folder / f"{id}.wav"
        path.parent.mkdir(exist_ok=True)
        if samples is None:
            samples = 0.1 * random.standard_normal(RATE)
        soundfile.write(path, samples, RATE)
        utterance = Utterance(id, path, len(samples) / RATE, text)
        return replace(utterance, **changes)

    return make_one


def check(limits=DEFAULT_LIMITS, **splits):
    texts = [utterance.text for some in splits.values() for utterance in some]
    tokenizer = CharacterTokenizer.from_texts(texts)
    return examine(
        splits, tokenizer, RATE, False, lambda n: n // 160, None, limits=limits
    )


def kinds(diagnosis):
    return [
        (remark.kind, remark.split, remark.indices.tolist())
        for remark in diagnosis.remarks
    ]


def only_note(diagnosis, kind, split, indices):
    assert diagnosis.problems == []
    assert kinds(diagnosis) == [(kind, split, indices)]
    return diagnosis.notes[0]


def test_clipped_sound_is_named_the_worst_first(make):
    noise = np.random.default_rng(1).standard_normal(RATE)
    slow = np.convolve(noise, np.ones(4), "same")
    train = [
        make("fine"),
        make("some", samples=np.clip(0.3 * slow, -0.99, 0.99)),
        make("much", samples=np.clip(2 * slow, -0.99, 0.99)),
    ]
    note = only_note(check(train=train), "clipped", "train", [2, 1])
    assert note.startswith("2 of 3 utterances of train have 0.1 % of their samples")
    assert ": much (" in note
    assert "take them from a source that is not clipped" in note
    assert check(Limits(clipped=1.0), train=train).notes == []


def test_silence_is_named_where_it_is(make):
    noise = 0.1 * np.random.default_rng(1).standard_normal(RATE)
    late = make("late", samples=np.concatenate([np.zeros(2 * RATE), noise, noise]))
    note = only_note(check(train=[make("a"), late]), "edges", "train", [1])
    assert "late (2.0 s, 0.0 s)" in note
    sparse = np.concatenate([noise, np.zeros(8 * RATE), noise])
    note = only_note(check(dev=[make("b", samples=sparse)]), "silent", "dev", [0])
    assert "b (80 %)" in note


def test_soft_recordings_are_named(make):
    soft = make("soft", samples=0.001 * np.random.default_rng(1).standard_normal(RATE))
    note = only_note(check(train=[make("a"), soft]), "quiet", "train", [1])
    assert "soft (-60 dBFS)" in note


def test_recordings_of_a_lower_rate_are_named(make):
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(RATE))
    spectrum[3800:] = 0
    dull = make("dull", samples=0.1 * np.fft.irfft(spectrum))
    note = only_note(check(train=[make("a"), dull]), "narrow", "train", [1])
    assert "dull (to 3.8 of 8 kHz)" in note
    assert "set features.sample_rate" in note


def test_what_the_model_does_not_hear_may_be_missing(make):
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(RATE))
    spectrum[3900:] = 0  # of 8000 in the file, of 4000 for the model
    utterance = make("a", samples=0.1 * np.fft.irfft(spectrum))
    found = examine({"train": [utterance]}, None, RATE // 2, True, None, None)
    assert (found.problems, found.notes) == ([], [])


def test_a_text_that_does_not_belong_to_its_sound_is_named(make):
    random = np.random.default_rng(3)
    some = [
        make(f"u{number}", "a" + "b" * int(random.integers(8, 14)))
        for number in range(30)
    ]
    assert check(train=some).notes == []
    odd = make("odd", "ab" * 40)
    note = only_note(check(train=[*some, odd]), "pace", "train", [30])
    assert "odd (80.0)" in note
    assert check(train=[*some[:10], odd]).notes == []  # too few to tell


def test_the_pace_is_that_between_the_silences(make):
    noise = 0.1 * np.random.default_rng(1).standard_normal(RATE)
    some = [make(f"u{number}", "abcdefgh") for number in range(30)]
    padded = np.concatenate([np.zeros(20 * RATE), noise])
    late = make("late", "abcdefgh", samples=padded)
    assert [kind for kind, _, _ in kinds(check(train=[*some, late]))] == [
        "silent",
        "edges",
    ]


def test_letters_of_another_script_are_named(make):
    some = [make(f"u{number}", "она ушла") for number in range(30)]
    mixed = make("mixed", "oна ушла")  # the first letter is Latin
    found = check(train=[*some, mixed])
    assert ("scripts", "train", [30]) in kinds(found)
    [note] = [r.message for r in found.remarks if r.kind == "scripts"]
    assert "1 of 31 transcripts of train have letters that are LATIN: mixed (" in note
    assert check(train=some).notes == []


def test_scripts_that_belong_to_a_language_are_not_remarked_on(make):
    some = [make(f"u{number}", "これは漢字") for number in range(30)]
    assert check(train=some).notes == []


def test_texts_that_splits_share_are_named(make):
    train = [make("a", "GO on"), make("b", "stop")]
    test = [make("c", "go on"), make("d", "turn")]
    note = only_note(check(train=train, test=test), "shared-texts", "test", [0])
    assert note.startswith("1 of 2 utterances of test say what one of train says: c;")


def test_copies_within_a_split_are_named_and_those_among_splits_are_problems(make):
    first = make("a")
    copy = make("copy", samples=soundfile.read(first.audio_path)[0], folder="else")
    note = only_note(check(train=[first, copy]), "repeated", "train", [1])
    assert note.startswith("1 utterances of train repeat the audio of another: copy;")
    found = check(train=[first], dev=[make("b", "stop"), copy])
    assert [(p.id, p.kind) for p in found.problems] == [("copy", "leaked")]


def test_several_rates_are_counted(make, tmp_path):
    low = tmp_path / "low.wav"
    soundfile.write(low, 0.1 * np.random.default_rng(1).standard_normal(8000), 8000)
    train = [make("a"), make("b"), Utterance("low", low, 1.0, "go")]
    tokenizer = CharacterTokenizer.from_texts(["go on"])
    found = examine({"train": train}, tokenizer, RATE, True, None, None)
    assert found.notes == [
        "train has recordings of several rates: 16000 Hz 2, 8000 Hz 1"
    ]
    assert found.measured.summaries["train"].rates == {16000: 2, 8000: 1}


def test_what_an_epoch_takes_is_told_where_there_is_enough_audio(make):
    noise = 0.1 * np.random.default_rng(1).standard_normal(700 * RATE)
    found = check(train=[make("a", samples=noise)])
    hours, reading, memory, model = found.measured.estimates
    assert hours == "an epoch of train hears 0.19 h in at least 12 steps of 60 s"
    assert "s of audio per s" in reading
    assert "the longest utterance 44.8 MB, all of train 45 MB" in memory
    assert model.startswith("the model's own time comes on top: the command probe")
    assert check(train=[make("b")]).measured.estimates == []


def test_nothing_at_all_is_healthy():
    for splits in ({}, {"train": []}, {"train": [], "dev": []}):
        found = examine(splits, None, RATE, False, lambda n: n // 160, None)
        assert (found.problems, found.notes) == ([], [])
        assert "healthy: no problems in 0 utterances" in found.report()


def test_the_command_takes_the_limits_and_kinds_that_there_are(make):
    options = DoctorOptions(corpus=choose("corpus", "yesno"))
    assert Limits(**options.limits.to_plain()) == DEFAULT_LIMITS
    assert options.data.batch_seconds == BATCH_SECONDS
    # Every kind of note, found with limits that all are beyond, or below.
    first, other = make("a", "oна"), make("b", "она ушла на работу")
    train = [make(f"u{n}", "она" + "ш" * (n % 4)) for n in range(20)]
    train += [first, replace(first, id="again"), other]
    everything = Limits(0, 0, 0, 0, 1, 1e-3, 1)
    found = check(everything, train=train, dev=[make("d", other.text)])
    named = {remark.kind for remark in found.remarks if len(remark.indices)}
    assert named == {*get_args(LeftOut)}


def test_histograms_count_every_utterance_once(make):
    train = [make(f"u{number}", "go on") for number in range(5)]
    dev = [make("v", "stop", samples=np.full(RATE, 0.01))]
    found = check(train=train, dev=dev)
    names = [histogram.name for histogram in found.measured.histograms]
    assert {"duration", "pace", "silence", "output frames that CTC needs"} <= {*names}
    for histogram in found.measured.histograms:
        assert len(histogram.edges) == len(histogram.counts["train"]) + 1
        assert sum(histogram.counts["train"]) == 5
    assert found.measured.characters["dev"] == {"S": 1, "T": 1, "O": 1, "P": 1}


def test_examining_is_linear_in_the_segments_of_one_file(make, monkeypatch):
    """Neither what is compared nor what is opened grows with the square."""
    from speechgru.data.validation import sharing

    long = make("long", samples=0.1 * np.random.default_rng(1).standard_normal(RATE))
    calls = []
    resolve = sharing.resolve_audio
    monkeypatch.setattr(
        sharing, "resolve_audio", lambda u: calls.append(u.id) or resolve(u)
    )
    for count in (20, 40):
        parts = [
            replace(long, id=f"p{n}", offset=n / 50, duration=1 / 50, partial=True)
            for n in range(count)
        ]
        calls.clear()
        check(train=parts[::2], dev=parts[1::2])
        assert len(calls) == count
