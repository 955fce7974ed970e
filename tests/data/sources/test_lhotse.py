import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest
from data.sources.sounds import encode, noise, put

from speechgru.audio import read_audio
from speechgru.data.sources.lhotse import LhotseCorpus
from speechgru.interfaces import InputError


def read(path: Path, **options):
    return LhotseCorpus("lhotse", str(path), None, None, **options).read("train")


def supervision(text: str | None = "GO", **changes) -> dict:
    record = {"id": "s", "recording_id": "r", "start": 0, "duration": 0.1}
    return {**record, "channel": 0, "text": text, **changes}


def recording(source: str, **changes) -> dict:
    sources = [{"type": "file", "channels": [0], "source": source}]
    record = {"id": "r", "sources": sources, "sampling_rate": 8000}
    return {**record, "num_samples": 800, "duration": 0.1, **changes}


def cut(source: str = "a.wav", **changes) -> dict:
    record = {"id": "c", "start": 0, "duration": 0.1, "channel": 0, "type": "MonoCut"}
    parts = {"supervisions": [supervision()], "recording": recording(source)}
    return {**record, **parts, **changes}


def write(path: Path, *cuts: dict) -> Path:
    content = "".join(json.dumps(each) + "\n" for each in cuts).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.fixture
def real(tmp_path):
    """Cuts that lhotse itself has made: a whole recording and a part of one."""
    lhotse = pytest.importorskip("lhotse")
    whole = lhotse.Recording.from_file(put(tmp_path / "a.wav", 1, 0.1))
    long = lhotse.Recording.from_file(put(tmp_path / "b.flac", 2, 1.0))

    def segment(name, duration, **more):
        return lhotse.SupervisionSegment(
            name, "r", 0, duration, text=name.upper(), **more
        )

    return lhotse.CutSet.from_cuts(
        [
            lhotse.MonoCut(
                *("one", 0, 0.1, 0),
                recording=whole,
                supervisions=[segment("go on", 0.1, speaker="ann", language="en")],
            ),
            lhotse.MonoCut(
                *("two", 0.25, 0.5, 0),
                recording=long,
                supervisions=[segment("stop", 0.5, custom={"mood": "good"})],
                custom={"split": 3},
            ),
        ]
    )


def test_cuts_of_lhotse_are_read(real, tmp_path, capsys):
    real.to_file(tmp_path / "cuts.jsonl.gz")
    first, second = read(tmp_path / "cuts.jsonl.gz")
    assert (first.id, first.text, first.speaker) == ("one", "GO ON", "ann")
    assert (first.duration, first.partial) == (0.1, False)
    assert (second.offset, second.duration, second.partial) == (0.25, 0.5, True)
    assert second.audio_path == tmp_path / "b.flac"
    said = capsys.readouterr().err
    assert "left out of cuts: custom of 1, language of 1" in said


def test_shar_of_lhotse_is_read_in_place(real, tmp_path):
    (tmp_path / "shar").mkdir()
    real.to_shar(tmp_path / "shar", fields={"recording": "flac"}, shard_size=1)
    first, second = read(tmp_path / "shar")
    assert (first.id, first.speaker, first.partial) == ("one", "ann", False)
    assert first.audio_path.name == "recording.000000.tar"
    assert second.audio_path.name == "recording.000001.tar"
    assert (second.text, second.duration, second.partial) == ("STOP", 0.5, False)
    expected = noise(2, 1.0)[2000:6000].astype("float32").tolist()
    assert read_audio(second.audio)[0].tolist() == expected


def test_relative_paths_begin_where_the_first_recording_is(tmp_path, monkeypatch):
    put(tmp_path / "cuts/a.wav")
    put(tmp_path / "here/b.wav")
    monkeypatch.chdir(tmp_path / "here")
    path = tmp_path / "cuts/cuts.jsonl"
    assert read(write(path, cut("a.wav")))[0].audio_path == tmp_path / "cuts/a.wav"
    assert read(write(path, cut("b.wav")))[0].audio_path == tmp_path / "here/b.wav"
    with pytest.raises(InputError, match=r"set corpus\.root=FOLDER"):
        read(write(path, cut("c.wav")))


COMMAND = {"type": "command", "channels": [0], "source": "cat a.wav"}
STEREO = {"type": "file", "channels": [0, 1], "source": "a.wav"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"type": "MixedCut"}, "a MixedCut, expected a MonoCut"),
        ({"recording": None, "features": {}}, "without a recording, .*features are"),
        ({"recording": recording("a", sources=[COMMAND])}, "commands are not run"),
        ({"recording": recording("a", sources=[STEREO])}, "of 2 channels"),
        ({"recording": recording("a", transforms=[{}])}, "transformed when it is"),
        ({"recording": recording("a", sources=3)}, "no list of sources"),
        ({"supervisions": []}, "0 supervisions, expected one"),
        ({"supervisions": [supervision(), supervision()]}, "2 supervisions"),
        ({"supervisions": [supervision(None)]}, "without text"),
        ({"supervisions": [supervision(duration=2)]}, "from 0 to 2 s, expected within"),
        ({"custom": {"x": {"storage_type": "lilcom"}}}, "custom data 'x'"),
        ({"start": -1}, "start is -1"),
        ({"duration": "long"}, "duration is"),
        ({"id": ""}, "id is empty"),
    ],
)
def test_a_cut_that_is_no_utterance_is_named(tmp_path, changes, message):
    put(tmp_path / "a.wav")
    path = write(tmp_path / "cuts.jsonl", cut(), cut(**{"id": "d", **changes}))
    with pytest.raises(InputError, match=rf"cuts\.jsonl:2: .*{message}"):
        read(path)


def pack(path: Path, *members: tuple[str, bytes]) -> None:
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


META = json.dumps(
    recording("", sources=[{"type": "shar", "channels": [0], "source": ""}])
).encode()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("d.wav", encode()), ("d.json", META)], 'expected that of the tar, "d"'),
        ([("c.wav", encode())], "not followed by its recording"),
        ([("c.wav", encode()), ("x.json", META)], "not followed by its recording"),
        ([("c.wav", encode()), ("c.json", b"[1]")], "is no recording"),
        ([("c.nodata", b""), ("c.nometa", b"")], "without a recording"),
        ([], r"cuts\.000000\.jsonl: holds more than"),
        ([("../c.wav", encode()), ("../c.json", META)], "unsafe member"),
    ],
)
def test_a_broken_shard_is_named(tmp_path, members, message):
    write(tmp_path / "cuts.000000.jsonl", cut(recording=None))
    pack(tmp_path / "recording.000000.tar", *members)
    with pytest.raises(InputError, match=message):
        read(tmp_path)


def test_a_shard_without_audio_is_named(tmp_path):
    write(tmp_path / "cuts.000000.jsonl.gz", cut())
    with pytest.raises(InputError, match=r"lacks its cuts or its recording\.000000"):
        read(tmp_path)
