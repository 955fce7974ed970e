"""Recordings inside a larger file are read as if each were a file."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from speechgru.audio import AudioError, inspect_audio, read_audio
from speechgru.data.inventory import find_differences, record_utterances
from speechgru.data.manifest import read_manifest, write_manifest
from speechgru.data.segments import SegmentReader
from speechgru.data.validation.examine import examine
from speechgru.interfaces import FilePart, InputError, Utterance
from speechgru.score.results import make_result, read_results, write_results

RATE = 16000


@pytest.fixture(params=["FLAC", "MP3"])
def utterances(request, tmp_path) -> list[Utterance]:
    """Three in a tar, the last as two parts of one recording."""
    path = tmp_path / "shard.tar"
    with tarfile.open(path, "w") as tar:
        for index in range(3):
            noise = np.random.default_rng(index).standard_normal(RATE)
            content = io.BytesIO()
            soundfile.write(content, 0.1 * noise, RATE, format=request.param)
            soundfile.write(tmp_path / f"{index}.{request.param}", 0.1 * noise, RATE)
            member = tarfile.TarInfo(f"{index}.flac")
            member.size = len(content.getvalue())
            tar.addfile(member, io.BytesIO(content.getvalue()))
    with tarfile.open(path) as tar:
        ranges = [(member.offset_data, member.size) for member in tar]
    whole = [
        Utterance(f"u{i}", path, 1.0, "GO", byte_range=ranges[i]) for i in range(2)
    ]
    return whole + [
        Utterance(f"u2{half}", path, 0.5, "ON", None, offset, True, ranges[2])
        for half, offset in (("a", 0.0), ("b", 0.5))
    ]


def test_what_is_read_is_what_the_file_alone_gives(utterances, tmp_path):
    [suffix] = {path.suffix for path in tmp_path.glob("0.*")}
    reader = SegmentReader()
    for utterance, name in zip(utterances, "0122", strict=True):
        waveform, rate = reader.read(utterance)
        part = (utterance.offset, utterance.duration) if utterance.partial else ()
        alone, _ = read_audio(tmp_path / f"{name}{suffix}", *part)
        assert rate == RATE
        assert torch.equal(waveform, alone)
        assert inspect_audio(utterance.audio).sample_rate == RATE


def test_a_manifest_keeps_them(utterances, tmp_path):
    write_manifest(tmp_path / "a.jsonl", utterances)
    assert list(read_manifest(tmp_path / "a.jsonl")) == utterances
    line = '{"audio_filepath": "s.tar", "duration": 1, "text": "", "byte_range": %s}\n'
    (tmp_path / "b.jsonl").write_text(line % "[512, 9]" + line % "[1024, 9]")
    assert [u.id for u in read_manifest(tmp_path / "b.jsonl")] == ["s@512", "s@1024"]
    for bad in ("[1]", "[-1, 5]", "[0, 0]", "[0.5, 3]", '"0-5"', "[true, 3]"):
        (tmp_path / "b.jsonl").write_text(line % bad)
        with pytest.raises(InputError, match=r"b\.jsonl:1: byte_range is .*expected"):
            read_manifest(tmp_path / "b.jsonl")


def test_the_doctor_tells_them_apart(utterances):
    def diagnose(train, dev):
        splits = {"train": train, "dev": dev}
        return examine(splits, None, RATE, False, None, None).problems

    first, second, left, right = utterances
    assert diagnose([first, left], [second, right]) == []
    problems = diagnose([first, left], [Utterance("copy", *_like(first))])
    assert [problem.kind for problem in problems] == ["leaked"]


def _like(utterance: Utterance) -> tuple:
    return (utterance.audio_path, 1.0, "GO", None, 0.0, False, utterance.byte_range)


def test_a_range_beyond_the_file_is_named(utterances):
    path = utterances[0].audio_path
    beyond = FilePart(path, path.stat().st_size - 10, 20)
    with pytest.raises(AudioError, match=r"shard\.tar at byte .*expected to end befo"):
        read_audio(beyond)
    with pytest.raises(AudioError, match="at byte 3"):
        read_audio(FilePart(path, 3, 2000))


def test_a_run_notices_another_range(utterances):
    before = {"train": record_utterances(utterances[:1])}
    moved = Utterance(*_named(utterances[0]), byte_range=utterances[1].byte_range)
    now = {"train": record_utterances([moved])}
    assert "byte_range was" in find_differences(before, now)[0]
    assert find_differences(before, before) == []


def _named(utterance: Utterance) -> tuple:
    return (utterance.id, utterance.audio_path, utterance.duration, utterance.text)


def test_results_keep_them(utterances, tmp_path):
    result = make_result(
        "u0",
        "GO",
        "GO",
        "nist",
        audio_path=Path(utterances[0].audio_path),
        byte_range=utterances[0].byte_range,
    )
    write_results(tmp_path / "r.jsonl", [result])
    assert read_results(tmp_path / "r.jsonl")[0].audio == utterances[0].audio
