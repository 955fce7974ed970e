"""What is written down of the data, and which differences are found."""

import os
from pathlib import Path

import pytest

from speechgru.data import inventory
from speechgru.data.inventory import (
    find_differences,
    read_inventory,
    record_files,
    record_texts,
    record_utterances,
    write_inventory,
)
from speechgru.interfaces import InputError, Utterance
from speechgru.remote import locate


def part(path: Path, offset: float) -> Utterance:
    return Utterance(f"a#{offset}", path, 1.5, "é\u2028B", None, offset, partial=True)


def test_it_reads_back_what_it_wrote(tmp_path):
    audio = tmp_path / "a.wav"
    audio.write_bytes(b"sound")
    inventory = {
        "train": record_utterances([part(audio, 0.1), part(audio, 2.0)]),
        "augment.noise": record_files([audio]),
    }
    write_inventory(tmp_path / "data.jsonl", inventory)
    assert read_inventory(tmp_path / "data.jsonl") == inventory
    assert find_differences(inventory, inventory) == []


@pytest.mark.parametrize("place", [0, 500_000, 999_999])
def test_a_byte_at_the_ends_or_in_the_middle_of_a_long_file_counts(tmp_path, place):
    audio = tmp_path / "a.wav"
    content = bytearray(1_000_000)
    audio.write_bytes(content)
    before = {"train": record_files([audio])}
    content[place] = 1
    audio.write_bytes(content)
    os.utime(audio, (1, 1))
    assert find_differences(before, {"train": record_files([audio])}) == [
        f"train: 1 of 1 changed: {audio} (other audio in the file)"
    ]


def test_a_file_of_the_same_size_and_time_is_not_read_again(tmp_path, monkeypatch):
    audio = tmp_path / "a.wav"
    audio.write_bytes(b"sound")
    (record,) = record_utterances([part(audio, 0.0)])
    known = {record["id"]: {**record, "digest": "known"}}
    (again,) = record_utterances([part(audio, 0.0)], known)
    assert again["digest"] == "known"


def test_texts_that_occur_under_one_name_twice_can_be_fewer(tmp_path):
    twice = {"train": record_texts([("a:1", "A"), ("a:1", "A")])}
    once = {"train": record_texts([("a:1", "A")])}
    (difference,) = find_differences(twice, once)
    assert "in another order from the end on" in difference


def test_a_damaged_inventory_is_named_by_its_line(tmp_path):
    path = tmp_path / "data.jsonl"
    for line in ('{"id": "b"}', '{"split": "train", "id": []}', "[" * 100_000, "3"):
        path.write_text(f'{{"split": "train", "id": "a"}}\n{line}\n')
        with pytest.raises(InputError, match=r"data\.jsonl:2: not what a run writes"):
            read_inventory(path)


def test_a_record_without_a_digest_is_digested_again(tmp_path):
    audio = tmp_path / "a.wav"
    audio.write_bytes(b"sound")
    (record,) = record_utterances([Utterance("a", audio, 1.0, "A")])
    without = {key: value for key, value in record.items() if key != "digest"}
    again = record_utterances([Utterance("a", audio, 1.0, "A")], {"a": without})
    assert again == [record]


def test_of_very_many_some_are_recorded_and_all_durations_counted(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(inventory, "MOST_RECORDED", 10)
    monkeypatch.setattr(inventory, "NUM_DRAWN", 5)
    audio = tmp_path / "a.wav"
    audio.write_bytes(b"sound")
    many = [Utterance(f"u{index}", audio, 1 + index, "A") for index in range(20)]
    before = {"train": record_utterances(many)}
    assert len(before["train"]) == 6
    assert find_differences(before, {"train": record_utterances(many)}) == []
    for other in (many[:-1], many[:5], many[::-1]):
        (difference,) = find_differences(before, {"train": record_utterances(other)})
        assert "20 of the durations" in difference
        assert f"{len(other)}" in difference
    drawn = before["train"][3]["id"]
    changed = [
        Utterance(u.id, audio, u.duration, "B") if u.id == drawn else u for u in many
    ]
    (difference,) = find_differences(before, {"train": record_utterances(changed)})
    assert f"{drawn} (text was 'A', is 'B')" in difference


def test_a_file_of_an_address_is_the_same_whether_it_is_here_or_not(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("SPEECHGRU_CACHE", str(tmp_path))
    path = locate("https://host/train/000000.tar")
    before = {"train": record_utterances([part(path, 0.1)])}
    path.parent.mkdir(parents=True)
    path.write_bytes(b"sound")
    assert (
        find_differences(before, {"train": record_utterances([part(path, 0.1)])}) == []
    )
    other = {"train": record_utterances([part(locate("https://host/b.tar"), 0.1)])}
    [difference] = find_differences(before, other)
    assert "it was at https://host/train/000000.tar, is at https://host/b" in difference
