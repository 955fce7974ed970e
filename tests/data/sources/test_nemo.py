import io
import json
import tarfile
from pathlib import Path

import pytest
from data.sources.sounds import encode, noise

from speechgru.audio import read_audio
from speechgru.data.sources.braces import expand_braces
from speechgru.data.sources.nemo import NemoCorpus
from speechgru.data.sources.tar_members import Member, list_members
from speechgru.interfaces import InputError


def pack(path: Path, members: dict[str, bytes], **changes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, changes.pop("mode", "w:")) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in changes.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content) if info.isfile() else None)
    return path


def write_manifest(path: Path, *records: dict) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def line(name: str, shard: int | None, text: str = "GO", **more) -> dict:
    record = {"audio_filepath": name, "duration": 0.1, "text": text, **more}
    return record if shard is None else {**record, "shard_id": shard}


def read(path: Path, **options):
    return NemoCorpus("nemo", str(path), None, None, **options).read("train")


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "train"
    for shard in (0, 1, 10):
        members = {f"{shard}_{i}.wav": encode(100 * shard + i) for i in range(2)}
        pack(home / f"audio_{shard}.tar", members)
    write_manifest(
        home / "tarred_audio_manifest.json",
        line("0_0.wav", 0, "A", speaker="ann"),
        line("0_1.wav", 0, "B"),
        line("10_1.wav", 10, "C"),
        line("10_1.wav", 10, "D", offset=0.05) | {"duration": 0.05},
    )
    return home


def test_audio_is_read_inside_the_tars(folder, capsys):
    utterances = read(folder / "tarred_audio_manifest.json")
    assert [(u.id, u.text, u.speaker) for u in utterances] == [
        ("0_0", "A", "ann"),
        ("0_1", "B", None),
        ("10_1", "C", None),
        ("10_1#0.05", "D", None),
    ]
    assert utterances[2].audio_path == folder / "audio_10.tar"
    waveform, _ = read_audio(utterances[2].audio)
    assert waveform.tolist() == noise(1001).astype("float32").tolist()
    # One of shard 10; of shard 1 nothing was asked for.
    assert "1 files in the tars are in no line" in capsys.readouterr().err


def test_braces_name_manifests_and_tars(folder):
    write_manifest(folder / "manifest_0.json", line("0_0.wav", 0))
    write_manifest(folder / "manifest_1.json", line("1_0.wav", 1))
    tars = "audio__OP_0..1_CL_.tar"
    utterances = read(folder / "manifest_{0..1}.json", tars=tars)
    assert [u.id for u in utterances] == ["0_0", "1_0"]


def test_lines_without_a_shard_are_looked_for_in_all(folder):
    path = write_manifest(folder / "a.json", line("1_1.wav", None))
    assert read(path)[0].audio_path == folder / "audio_1.tar"
    path = write_manifest(folder / "b.json", line("no.wav", None))
    with pytest.raises(InputError, match=r'b\.json:1: "no\.wav" is in none of 3 tars'):
        read(path)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (line("0_9.wav", 0), r'"0_9\.wav" is not in .*audio_0\.tar'),
        (line("0_0.wav", 2), r"shard_id is 2, expected one of the 3 tars"),
        (line("0_0.wav", 0) | {"shard_id": "0"}, r'shard_id is "0", expected'),
        (line("0_0.wav", 0) | {"duration": -1}, r"duration is -1 s"),
    ],
)
def test_a_line_that_does_not_fit_is_named(folder, record, message):
    path = write_manifest(folder / "a.json", line("0_1.wav", 0), record)
    with pytest.raises(InputError, match=rf"a\.json:2: {message}"):
        read(path)


def test_broken_json_is_named(folder):
    path = folder / "a.json"
    path.write_text(json.dumps(line("0_1.wav", 0)) + '\n{"audio_filepath": "0_0')
    with pytest.raises(InputError, match=r"a\.json:2: not JSON"):
        read(path)


def test_a_tar_that_changes_is_listed_again(folder):
    source = NemoCorpus("nemo", str(folder / "tarred_audio_manifest.json"), None, None)
    before = source.read("train")[2].byte_range
    members = {"first.wav": encode(5, 0.5), "10_1.wav": encode(6)}
    pack(folder / "audio_10.tar", members)
    after = source.read("train")[2]
    assert after.byte_range != before
    waveform, _ = read_audio(after.audio)
    assert waveform.tolist() == noise(6).astype("float32").tolist()


def test_no_tars_at_all_is_refused(tmp_path):
    path = write_manifest(tmp_path / "a.json", line("a.wav", 0))
    with pytest.raises(InputError, match=r"no audio_\*\.tar beside it"):
        read(path)


def test_members_have_their_places(tmp_path):
    long = "x/" * 80 + "name.wav"  # needs a header of its own
    path = pack(tmp_path / "a.tar", {"./a.wav": b"abc", long: b"defg"})
    content = path.read_bytes()
    members = list(list_members(path))
    assert [member.name for member in members] == ["a.wav", long]
    assert [content[m.start : m.start + m.size] for m in members] == [b"abc", b"defg"]
    assert members[0] == Member("a.wav", 512, 3)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("../a.wav", {}, r"unsafe member '\.\./a\.wav'"),
        ("/etc/a.wav", {}, "unsafe member '/etc/a.wav'"),
        ("a/../../b.wav", {}, "unsafe member"),
        ("a.wav", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "is a link"),
        ("a.wav", {"type": tarfile.LNKTYPE, "linkname": "b"}, "is a link"),
        ("a.wav", {"type": tarfile.CHRTYPE}, "is no plain file"),
        ("a.wav", {"mode": "w:gz"}, "is compressed"),
        ("a.wav", {"mode": "w:xz"}, "is compressed"),
    ],
)
def test_a_hostile_or_compressed_tar_is_refused(tmp_path, name, changes, message):
    path = pack(tmp_path / "a.tar", {name: b"abc"}, **changes)
    with pytest.raises(InputError, match=message):
        list(list_members(path))


def test_a_tar_that_is_cut_off_is_named(tmp_path):
    path = pack(tmp_path / "a.tar", {"a.wav": bytes(5000), "b.wav": bytes(5000)})
    path.write_bytes(path.read_bytes()[:7000])
    with pytest.raises(InputError, match="not a whole tar"):
        list(list_members(path))


def test_a_header_that_claims_gigabytes_takes_no_memory(tmp_path):
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 33
    path = tmp_path / "a.tar"
    with path.open("wb") as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        file.truncate(1 << 34)
    with pytest.raises(InputError, match="not a whole tar"):
        list(list_members(path))


def test_braces_are_expanded():
    assert expand_braces("a_{9..11}.tar") == ["a_9.tar", "a_10.tar", "a_11.tar"]
    assert expand_braces("{x,y}/{0..1}") == ["x/0", "x/1", "y/0", "y/1"]
    assert expand_braces("plain") == ["plain"]
    for pattern in ("{0..999999999}", "{0..999}{0..999}"):
        with pytest.raises(InputError, match="more than 100000 files"):
            expand_braces(pattern)
    with pytest.raises(InputError, match=r"a_{5\.\.3}: {5\.\.3} counts down"):
        expand_braces("a_{5..3}")


def test_brackets_in_a_folder_are_no_pattern(folder):
    other = folder.rename(folder.with_name("train [v2]"))
    assert len(read(other / "tarred_audio_manifest.json")) == 4


def test_a_member_without_a_byte_is_named(tmp_path):
    pack(tmp_path / "audio_0.tar", {"a.wav": b""})
    path = write_manifest(tmp_path / "m.json", line("a.wav", 0))
    with pytest.raises(InputError, match=r"a\.wav.* in .*audio_0\.tar has 0 bytes"):
        read(path)
