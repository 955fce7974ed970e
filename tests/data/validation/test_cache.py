"""What files held is remembered, as long as they stay as they are."""

import os

import numpy as np
import pytest
import soundfile

from speechgru.data.segments import SegmentReader
from speechgru.data.validation import cache as cache_module
from speechgru.data.validation import listening
from speechgru.data.validation.cache import ExaminedAudio
from speechgru.data.validation.examine import examine
from speechgru.interfaces import Utterance

RATE = 8000


@pytest.fixture
def utterances(tmp_path):
    generator = np.random.default_rng(0)
    made = []
    for number in range(6):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, 0.1 * generator.standard_normal(RATE), RATE)
        made.append(Utterance(f"u{number}", path, 1.0, "a"))
    return made


@pytest.fixture
def decoded(monkeypatch):
    """Ids of those that were decoded; caches are written however small."""
    monkeypatch.setattr(cache_module, "PAUSE", 0.0)
    ids = []
    listen = listening._listen

    def spy(reader, utterance):
        ids.append(utterance.id)
        return listen(reader, utterance)

    monkeypatch.setattr(listening, "_listen", spy)
    return ids


def check(utterances, cache):
    splits = {"train": utterances}
    return examine(splits, None, RATE, False, None, None, cache).report()


def test_only_what_has_changed_is_decoded_again(utterances, decoded, tmp_path):
    cache = tmp_path / "caches" / "some.jsonl"
    report = check(utterances, cache)
    assert len(decoded) == 6
    decoded.clear()
    assert check(utterances, cache) == report
    assert decoded == []
    soundfile.write(utterances[2].audio_path, np.zeros(RATE), RATE)
    os.utime(utterances[2].audio_path, ns=(1, 1))
    assert "all 8000 samples are zero" in check(utterances, cache)
    assert decoded == ["u2"]


def test_another_part_of_a_file_is_other_audio(utterances, decoded, tmp_path):
    cache = tmp_path / "some.jsonl"
    check(utterances, cache)
    decoded.clear()
    path = utterances[0].audio_path
    check([Utterance("part", path, 0.5, "a", offset=0.2, partial=True)], cache)
    assert decoded == ["part"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff",
        b'{"speechgru": "examined audio", "version": 1}\n' + 90 * b"0" + b" [1, 2]",
        b"[]\nx y\n",
    ],
    ids=["empty", "bytes", "older", "lines"],
)
def test_a_cache_that_cannot_be_read_is_made_anew(
    utterances, decoded, tmp_path, content
):
    cache = tmp_path / "some.jsonl"
    check(utterances, cache)
    whole = cache.read_bytes()
    cache.write_bytes(content)
    decoded.clear()
    check(utterances, cache)
    assert len(decoded) == 6
    assert len(cache.read_bytes()) == len(whole)
    check(utterances, cache)
    assert len(decoded) == 6


def test_a_damaged_row_costs_no_more_than_its_file(utterances, decoded, tmp_path):
    cache = tmp_path / "some"
    check(utterances, cache)
    content = bytearray(cache.read_bytes())
    content[len(content) // 2] ^= 1
    cache.write_bytes(content)
    decoded.clear()
    check(utterances, cache)
    assert len(decoded) == 1


def test_what_was_killed_goes_on_where_it_was(utterances, decoded, tmp_path):
    cache = tmp_path / "some"
    known = ExaminedAudio(cache)
    listened = listening.listen_to_all(
        enumerate(utterances), len(utterances), known, SegmentReader()
    )
    for _ in range(4):
        next(listened)
    del listened, known  # nothing is closed
    with cache.open("ab") as file:
        file.write(b"a row that was cut off")
    assert decoded == ["u0", "u1", "u2", "u3"]
    check(utterances, cache)
    assert decoded[4:] == ["u4", "u5"]
    check(utterances, cache)
    assert len(decoded) == 6


def test_a_cache_of_what_has_changed_since_does_not_grow(utterances, decoded, tmp_path):
    cache = tmp_path / "some"
    sizes = []
    for time in range(6):
        for utterance in utterances:
            os.utime(utterance.audio_path, ns=(time, time))
        check(utterances, cache)
        sizes.append(cache.stat().st_size)
    assert len(decoded) == 36
    assert max(sizes) <= 3 * sizes[0]


def test_a_problem_is_looked_at_again(utterances, decoded, tmp_path):
    cache = tmp_path / "some.jsonl"
    utterances[1].audio_path.write_bytes(b"RIFF")
    check(utterances, cache)
    decoded.clear()
    check(utterances, cache)
    assert decoded == ["u1"]


def test_several_processes_find_what_one_finds(utterances, monkeypatch):
    utterances[1].audio_path.write_bytes(b"RIFF")
    monkeypatch.setattr(listening, "_WORTH_IT", 1)
    monkeypatch.setattr(listening, "_CHUNK", 2)
    alone, together = (
        [
            (index, utterance, heard[0] if heard[0] == "truncated" else heard[:4])
            for index, utterance, heard in listening.listen_to_all(
                enumerate(utterances),
                len(utterances),
                ExaminedAudio(None),
                SegmentReader(),
                num_processes,
            )
        ]
        for num_processes in (1, 2)
    )
    assert alone == together
    assert [index for index, _, _ in together] == list(range(6))


def test_nothing_is_written_without_a_place(utterances, decoded, tmp_path):
    before = sorted(os.listdir(tmp_path))
    known = ExaminedAudio(None)
    known.close()
    check(utterances, None)
    assert sorted(os.listdir(tmp_path)) == before


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(
    utterances, decoded, tmp_path, caplog
):
    cache = tmp_path / "caches" / "some.jsonl"
    cache.mkdir(parents=True)
    assert check(utterances, cache) == check(utterances, None)
    assert "some.jsonl: cannot be written" in caplog.text
    assert len(decoded) == 12
