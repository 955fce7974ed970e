import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechgru.data.augment.chain import Chain
from speechgru.data.augment.speed import SpeedPerturbation
from speechgru.data.validation.examine import examine
from speechgru.interfaces import InputError, Utterance
from speechgru.text.tokenizer import CharacterTokenizer

RATE = 16000
HOP = 160


class LetterTokenizer:
    """A to Z and the space: no more than the doctor needs."""

    tokens = ("<blank>", " ", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ")

    def normalize(self, text: str) -> str:
        return text.upper().replace(".", "").strip()

    def encode(self, text: str) -> list[int]:
        for letter in (normal := self.normalize(text)):
            if letter not in self.tokens:
                raise InputError(
                    f"character '{letter}' is not among the {len(self.tokens)} tokens; "
                    "normalise the transcript or extend text.alphabet"
                )
        return [self.tokens.index(letter) for letter in normal]

    def decode(self, token_ids) -> str:
        return "".join(self.tokens[i] for i in token_ids)


def check(shortest=None, resample=False, **splits):
    return examine(
        splits,
        LetterTokenizer(),
        RATE,
        resample,
        output_lengths=lambda num_samples: num_samples // HOP,
        shortest=shortest,
    )


class Maker:
    """Writes audio into a folder and describes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.random = np.random.default_rng(0)

    def __call__(self, id: str, text: str = "GO", samples=None, rate=RATE, **changes):
        path = self.folder / f"{id}.wav"
        if samples is None:
            samples = 0.1 * self.random.standard_normal(rate)
        soundfile.write(path, samples, rate, subtype=changes.pop("subtype", "PCM_16"))
        utterance = Utterance(id, path, len(samples) / rate, text)
        return replace(utterance, **changes)

    def corrupt(self, id: str, content) -> Utterance:
        utterance = self(id)
        whole = utterance.audio_path.read_bytes()
        utterance.audio_path.write_bytes(content(whole))
        return utterance


@pytest.fixture
def make(tmp_path):
    return Maker(tmp_path)


def expect(diagnosis, kind: str, message: str, split: str = "train", id: str = "bad"):
    """One problem, as described, and every other utterance healthy."""
    assert [(p.split, p.id, p.kind) for p in diagnosis.problems] == [(split, id, kind)]
    assert message in diagnosis.problems[0].message
    assert id not in [u.id for u in diagnosis.healthy(split)]
    report = diagnosis.report()
    assert f"\n{kind}: 1\n  {split}: " in report
    assert message in report
    assert "1 of 2 utterances have problems" in report


def test_a_healthy_corpus_is_summarised(make):
    train = [make("a", "GO ON", speaker="ann"), make("b", "STOP", speaker="bob")]
    dev = [make("c", "YES", speaker="cyd", rate=RATE)]
    diagnosis = check(train=train, dev=dev)
    assert diagnosis.problems == []
    assert diagnosis.notes == []
    assert diagnosis.healthy("train") == train
    assert diagnosis.report() == (
        "split  utterances  hours  speakers  shortest  median  longest  tokens/s  "
        "level  silence   rate\n"
        "                                           s       s        s             "
        "dBFS        %     Hz\n"
        "train           2  0.001         2      1.00    1.00     1.00       4.5  "
        "-20.0        0  16000\n"
        "dev             1  0.000         1      1.00    1.00     1.00       3.0  "
        "-19.9        0  16000\n"
        "healthy: no problems in 3 utterances"
    )


def test_a_missing_file_is_found(make):
    bad = make("bad")
    bad.audio_path.unlink()
    message = "bad.wav: cannot be opened (No such file or directory), expected an audio"
    expect(check(train=[make("a"), bad]), "missing", message)


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (lambda whole: b"", "empty-file", "bad.wav: 0 bytes, expected audio"),
        (
            lambda whole: np.random.default_rng(1).bytes(9000),
            "undecodable",
            "bad.wav: not decodable as audio",
        ),
        (
            lambda whole: whole[: len(whole) * 2 // 3],
            "truncated",
            "bad.wav: truncated, 21318 of the 32000 bytes of sound that it announces",
        ),
        (
            lambda whole: whole[:40] + struct.pack("<I", 0),
            "no-samples",
            "bad.wav: a header without samples, expected audio",
        ),
    ],
    ids=["0 bytes", "random bytes", "truncated", "header only"],
)
def test_a_damaged_file_is_found(make, content, kind, message):
    bad = make.corrupt("bad", content)
    before = bad.audio_path.read_bytes()
    expect(check(train=[make("a"), bad]), kind, message)
    assert bad.audio_path.read_bytes() == before


def test_silence_is_found(make):
    bad = make("bad", samples=np.zeros(RATE))
    message = "bad.wav: all 16000 samples are zero, expected speech; record it again"
    expect(check(train=[make("a"), bad]), "all-zeros", message)


def test_samples_that_are_no_numbers_are_found(make):
    samples = np.full(RATE, np.nan)
    bad = make("bad", samples=samples, subtype="FLOAT")
    message = "bad.wav: 16000 of 16000 samples are NaN or infinite, expected numbers"
    expect(check(train=[make("a"), bad]), "nan-samples", message)


def test_another_sample_rate_is_found_unless_resampled(make):
    train = [make("a"), make("bad", rate=8000)]
    message = (
        "bad.wav: sample_rate is 8000 Hz, expected 16000; resample the corpus or set "
        "data.resample=true"
    )
    expect(check(train=train), "sample-rate", message)
    assert check(train=train, resample=True).problems == []


def test_stereo_is_only_noted(make):
    noise = 0.1 * np.random.default_rng(1).standard_normal(RATE)
    diagnosis = check(train=[make("a"), make("b", samples=np.stack([noise, noise], 1))])
    assert diagnosis.problems == []
    assert diagnosis.notes == ["1 files have 2 channels; they are averaged to mono"]
    assert "note: 1 files have 2 channels" in diagnosis.report()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "is empty,"),
        ("   ", "is 3 spaces,"),
        ("...", "is '...', of which normalisation leaves nothing,"),
    ],
)
def test_a_transcript_without_words_is_found(make, text, found):
    message = f"bad: transcript {found} expected words; write it or drop the utterance"
    expect(check(train=[make("a"), make("bad", text)]), "empty-transcript", message)


def test_characters_outside_the_tokens_are_found(make):
    message = "bad: character 'É' is not among the 28 tokens; normalise the transcript"
    expect(check(train=[make("a"), make("bad", "CAFé")]), "unknown-token", message)


def test_without_a_tokenizer_tokens_are_not_examined(make):
    train = [make("a", "CAFé " * 100), make("b", "")]
    diagnosis = examine({"train": train}, None, RATE, False, lambda n: n // HOP, None)
    assert [p.kind for p in diagnosis.problems] == ["empty-transcript"]
    assert diagnosis.measured.summaries["train"].tokens_per_second is None


def test_a_transcript_that_ctc_cannot_align_is_found(make):
    text = ("AB" * 51)[:101]  # 101 targets, 100 frames
    message = (
        "bad: 101 targets cannot align with 100 output frames; lower the subsampling "
        "or drop the utterance"
    )
    expect(check(train=[make("a"), make("bad", text)]), "too-short", message)


def test_ctc_needs_a_frame_between_equal_neighbours(make):
    fitting = make("a", "AB" * 49 + "AA")  # 100 frames for 100 targets, 1 repeat
    diagnosis = check(train=[make("b"), replace(fitting, id="bad")])
    message = "bad: 100 targets cannot align with 100 output frames (1 more for repeat"
    expect(diagnosis, "too-short", message)
    assert check(train=[make("c", "AB" * 49 + "A")]).problems == []


def test_training_audio_must_fit_at_its_shortest(make):
    splits = {"train": [make("bad", "AB" * 45)], "dev": [make("b", "AB" * 45)]}
    message = (
        "bad: 90 targets cannot align with 80 output frames, at the highest speed of "
        "the augmentation"
    )
    diagnosis = check(shortest=lambda duration, _: duration * 0.8, **splits)
    expect(diagnosis, "too-short", message)


def test_what_aligns_unchanged_is_sped_up_less_and_no_problem(make):
    chain = Chain({"speed": SpeedPerturbation([0.9, 1.25])}, seed=0)
    train = [
        make("fits", "AB" * 40),  # 100 frames, 80 at the highest speed
        make("slower", "AB" * 45),
        make("unchanged", "AB" * 50),
    ]
    diagnosis = check(shortest=chain.shortest, train=train)
    assert diagnosis.problems == []
    assert diagnosis.notes[-1] == (
        "2 utterances of train cannot align at the highest speed of the augmentation, "
        "and are sped up less: slower, unchanged"
    )
    diagnosis = check(
        shortest=chain.shortest, train=[make("a"), make("bad", "AB" * 51)]
    )
    message = "bad: 102 targets cannot align with 100 output frames; lower the subs"
    expect(diagnosis, "too-short", message)


def test_audio_shorter_than_a_window_has_no_frames(make):
    def output_lengths(num_samples: int) -> int:
        raise ValueError("shorter than one window")

    diagnosis = examine(
        {"train": [make("a")]}, LetterTokenizer(), RATE, False, output_lengths, None
    )
    message = "a: 2 targets cannot align with 0 output frames"
    assert message in diagnosis.problems[0].message


def test_duplicate_ids_are_found_and_the_first_stays(make):
    first, second = make("bad"), replace(make("a"), id="bad")
    diagnosis = check(train=[first, second])
    assert [p.kind for p in diagnosis.problems] == ["duplicate-id"]
    message = "bad: id occurs twice in train, expected unique ids; rename or drop one"
    assert diagnosis.problems[0].message == message
    assert diagnosis.healthy("train") == [first]


def test_a_duration_that_disagrees_with_the_file_is_found(make):
    almost, bad = make("a", duration=1.019), make("bad", duration=1.5)
    message = "bad.wav: the audio lasts 1.000 s, expected 1.500 s as in the manifest"
    expect(check(train=[almost, bad]), "duration", message)


def test_a_segment_that_ends_after_its_file_is_found(make):
    good = replace(make("a"), offset=0.5, duration=0.5, partial=True)
    bad = replace(make("bad"), offset=0.7, duration=0.5, partial=True)
    message = "bad.wav: 0.7 s + 0.5 s ends 0.200 s after the file does"
    expect(check(train=[good, bad]), "outside-file", message)


def test_test_audio_that_is_also_in_train_is_found(make, tmp_path):
    train = make("a")
    copy = tmp_path / "copy.flac"
    soundfile.write(copy, *soundfile.read(train.audio_path))
    bad = replace(train, id="bad", audio_path=copy)
    message = (
        "bad: test audio that is also in train (as a), expected audio of its own; "
        "drop one of the two"
    )
    # The order of the splits does not matter: training data stays.
    for splits in (
        {"train": [train], "test": [bad]},
        {"test": [bad], "train": [train]},
    ):
        expect(check(**splits), "leaked", message, split="test")


def test_test_segments_that_overlap_with_training_segments_are_found(make):
    whole = make("a")
    segment = replace(whole, offset=0.0, duration=0.5, partial=True)
    bad = replace(whole, id="bad", offset=0.4, duration=0.5, partial=True)
    beside = replace(whole, id="bad", offset=0.5, duration=0.5, partial=True)
    expect(
        check(train=[segment], dev=[bad]),
        "leaked",
        "bad: dev audio that is also in train (as a)",
        split="dev",
    )
    assert check(train=[segment], dev=[beside]).problems == []


def test_repeated_audio_within_a_split_is_only_noted(make):
    first = make("a")
    diagnosis = check(train=[first, replace(first, id="b")])
    assert diagnosis.problems == []
    assert diagnosis.notes == [
        "1 utterances of train repeat the audio of another: b; they count twice, keep "
        "one of each"
    ]


def test_shared_speakers_are_only_noted(make):
    diagnosis = check(
        train=[make("a", speaker="ann")], test=[make("b", "STOP", speaker="ann")]
    )
    assert diagnosis.problems == []
    assert diagnosis.notes == ["train and test share speakers, 1 in all: ann"]


def test_the_report_lists_ten_of_a_kind_and_counts_all(make):
    diagnosis = check(train=[make(f"u{i:02}", "") for i in range(13)])
    lines = diagnosis.report().splitlines()
    assert "empty-transcript: 13" in lines
    assert sum(line.startswith("  train: u") for line in lines) == 10
    assert "  ... and 3 more" in lines


def test_what_normalisation_changes_is_told_and_no_problem(tmp_path):
    make = Maker(tmp_path)
    train = [make("a", "<unk> costs $5"), make("b", "50% of C++, yes")]
    diagnosis = examine(
        {"train": train}, CharacterTokenizer.from_texts([u.text for u in train]),
        RATE, False, output_lengths=None, shortest=None,
    )  # fmt: skip
    assert not diagnosis.problems
    report = diagnosis.report()
    assert "note: transcripts have brackets, trained on as words (1 in all): " in report
    assert "'$5' -> '5' (1, first in a), '50%' -> '50' (1, first in b)" in report
    assert "note: transcripts lose characters by normalisation: '+' 2, " in report


def test_parts_of_one_mp3_are_decoded_and_not_the_file_for_each(tmp_path, monkeypatch):
    from speechgru.data import segments

    path = tmp_path / "long.mp3"
    noise = np.random.default_rng(2).standard_normal(4 * RATE)
    soundfile.write(path, 0.1 * noise, RATE)
    parts = [
        Utterance(str(i), path, 0.5, "GO", offset=0.5 * i, partial=True)
        for i in range(8)
    ]
    calls, read_audio = [], segments.read_audio
    monkeypatch.setattr(
        segments,
        "read_audio",
        lambda *arguments: calls.append(arguments) or read_audio(*arguments),
    )
    train, dev = parts[:5:2] + parts[1:5:2], parts[4:]
    diagnosis = check(train=train, dev=dev)
    asked_for = [(path, part.offset, part.duration) for part in train + dev]
    assert sorted(calls) == sorted(asked_for)
    assert [(p.split, p.id, p.kind) for p in diagnosis.problems] == [
        ("dev", "4", "leaked")
    ]


def test_problems_keep_their_order_where_files_alternate(make):
    a, b = make("a", ""), make("b", "")
    part = replace(a, id="c", offset=0.5, duration=0.5, partial=True)
    again = replace(b, id="a")
    diagnosis = check(train=[a, b, part, again])
    assert [(p.id, p.kind) for p in diagnosis.problems] == [
        ("a", "empty-transcript"),
        ("b", "empty-transcript"),
        ("c", "empty-transcript"),
        ("a", "duplicate-id"),
        ("a", "empty-transcript"),
    ]


def test_channels_that_cancel_out_are_a_problem_with_a_remedy(make):
    tone = 0.3 * np.sin(np.arange(RATE) / 9)
    opposite = make("opposite", samples=np.stack([tone, -tone], axis=1))
    [problem] = check(train=[make("good"), opposite]).problems
    assert (problem.id, problem.kind) == ("opposite", "cancelling-channels")
    assert "keep one: ffmpeg -i IN" in problem.message


def test_a_name_with_a_newline_stays_on_its_line(make):
    odd = replace(make("good", ""), id="a\nb\x1b[31m")
    report = check(train=[odd]).report()
    assert "\n  train: a\\nb\\x1b[31m: transcript is empty" in report
    assert len(report.splitlines()) == 6
