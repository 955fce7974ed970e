import json
import os
from pathlib import Path

import pytest

from speechgru.data.manifest import read_manifest, write_manifest
from speechgru.interfaces import InputError, Utterance

GOOD = {"audio_filepath": "wav/a.wav", "duration": 1.5, "text": "GO"}


def write_lines(path: Path, *records) -> Path:
    lines = [r if isinstance(r, str) else json.dumps(r) for r in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_audio_paths_are_relative_to_the_manifest(tmp_path):
    path = write_lines(
        tmp_path / "m.jsonl", GOOD, {**GOOD, "audio_filepath": "/b/c.flac"}
    )
    first, second = read_manifest(path)
    assert first == Utterance("wav/a", tmp_path / "wav/a.wav", 1.5, "GO")
    assert (second.id, second.audio_path) == ("/b/c", Path("/b/c.flac"))


def test_segments_of_one_file_have_ids_of_their_own(tmp_path):
    path = write_lines(
        tmp_path / "m.jsonl", {**GOOD, "offset": 0}, {**GOOD, "offset": 2.25}
    )
    first, second = read_manifest(path)
    assert (first.id, first.offset, first.partial) == ("wav/a#0", 0.0, True)
    assert (second.id, second.offset, second.partial) == ("wav/a#2.25", 2.25, True)


def test_id_and_speaker_may_be_given_as_text_or_whole_number(tmp_path):
    path = write_lines(tmp_path / "m.jsonl", {**GOOD, "id": 7, "speaker": "ann"})
    utterance = read_manifest(path)[0]
    assert (utterance.id, utterance.speaker) == ("7", "ann")


def test_other_line_ends_marks_and_separators_are_accepted(tmp_path):
    path = tmp_path / "m.jsonl"
    lines = [
        {**GOOD, "text": "one\u2028two\x85"},
        {**GOOD, "id": "b", "text": "ÄÖÜ"},
    ]
    encoded = [json.dumps(r, ensure_ascii=False).encode() for r in lines]
    path.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(encoded) + b"\r\n\r\n")
    assert [u.text for u in read_manifest(path)] == ["one\u2028two\x85", "ÄÖÜ"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{'text': 1}", "m.jsonl:2: not JSON .*correct the line"),
        ("[1, 2]", r"m.jsonl:2: \[1, 2\] is not an object"),
        ({"text": "GO"}, "no audio_filepath and no duration, expected"),
        ({**GOOD, "audio_filepath": ""}, "audio_filepath is empty"),
        ({**GOOD, "audio_filepath": "."}, r"audio_filepath is '\.', expected a file's"),
        ({**GOOD, "audio_filepath": "a\0b", "id": "a"}, r"audio_filepath is 'a\\x00b'"),
        ({**GOOD, "duration": -1}, "m.jsonl:2: duration is -1 s, expected more than 0"),
        ({**GOOD, "duration": 0}, "duration is 0 s, expected more than 0"),
        ({**GOOD, "duration": float("nan")}, "duration is NaN, expected a number"),
        ({**GOOD, "duration": float("inf")}, "duration is Infinity, expected a"),
        ({**GOOD, "duration": "2"}, 'duration is "2", expected a number'),
        ({**GOOD, "duration": True}, "duration is true, expected a number"),
        ({**GOOD, "offset": -0.5}, "offset is -0.5 s, expected 0 or more"),
        ({**GOOD, "text": 7}, "text is 7, expected a string"),
        ({**GOOD, "text": None}, "text is null, expected a string"),
        ({**GOOD, "id": [1]}, r"id is \[1\], expected a string"),
        ('{"audio_filepath":"a","duration":1,"text":"\\ud800"}', "half a surrogate"),
        ({**GOOD}, "m.jsonl:2: id 'wav/a' is also that of line 1, expected unique"),
    ],
)
def test_a_bad_line_is_named(line, message, tmp_path):
    path = write_lines(tmp_path / "m.jsonl", GOOD, line)
    with pytest.raises(InputError, match=message):
        read_manifest(path)


def test_text_that_is_not_utf8_is_named(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_bytes(b'{"text": "\xe9"}\n')
    with pytest.raises(InputError, match=r"m.jsonl:1: not UTF-8 text \(byte 0xe9\)"):
        read_manifest(path)


def test_all_bad_lines_are_counted_and_twenty_listed(tmp_path):
    path = write_lines(tmp_path / "m.jsonl", GOOD, *["no"] * 30)
    with pytest.raises(InputError) as caught:
        read_manifest(path)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("m.jsonl: 30 bad lines")
    assert len(lines) == 22
    assert lines[-1] == "... and 10 more"


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_manifest_is_an_error(content, tmp_path):
    (tmp_path / "m.jsonl").write_text(content)
    with pytest.raises(InputError, match=r"m.jsonl: holds no utterances"):
        read_manifest(tmp_path / "m.jsonl")


def test_a_missing_manifest_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"cannot be read .* expected a manifest"):
        read_manifest(tmp_path / "m.jsonl")


def test_what_is_written_is_read_again(tmp_path):
    utterances = [
        Utterance("a", tmp_path / "out/wav/a.wav", 1.25, "GO – é"),
        Utterance("b", tmp_path / "b.wav", 2.0, "", "ann", offset=3.5, partial=True),
    ]
    path = tmp_path / "out" / "m.jsonl"
    write_manifest(path, utterances)
    paths = [json.loads(line)["audio_filepath"] for line in path.open(encoding="utf-8")]
    assert paths == ["wav/a.wav", "../b.wav"]
    again = read_manifest(path)
    assert [u.audio_path.resolve() for u in again] == [u.audio_path for u in utterances]
    assert [
        (u.id, u.duration, u.text, u.speaker, u.offset, u.partial) for u in again
    ] == [
        (u.id, u.duration, u.text, u.speaker, u.offset, u.partial) for u in utterances
    ]


def test_a_relative_path_below_a_linked_folder_is_found_again(tmp_path):
    (tmp_path / "deep/real").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "deep/real")
    (tmp_path / "a.wav").write_bytes(b"x")
    path = tmp_path / "link" / "m.jsonl"
    write_manifest(path, [Utterance("a", tmp_path / "a.wav", 1.0, "GO")])
    assert read_manifest(path)[0].audio_path.read_bytes() == b"x"


def test_a_failed_write_leaves_the_older_manifest(tmp_path, monkeypatch):
    path = tmp_path / "m.jsonl"
    old = [Utterance("a", tmp_path / "a.wav", 1.0, "OLD")]
    write_manifest(path, old)

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(InputError, match=r"m.jsonl: cannot be written .No space left"):
        write_manifest(path, [Utterance("a", tmp_path / "a.wav", 1.0, "NEW")])
    assert read_manifest(path) == old
    assert os.listdir(tmp_path) == ["m.jsonl"]
