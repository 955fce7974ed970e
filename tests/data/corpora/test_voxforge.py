import http.server
import json
import shutil
import tarfile
import threading
from functools import partial

import numpy as np
import pytest
import soundfile

from speechgru.data.corpora.voxforge import VoxForge
from speechgru.data.corpora.voxforge_sessions import name_speaker
from speechgru.interfaces import InputError

SESSIONS = {
    "ann-20080101-abc": "wav",
    "ann-20090202-xyz": "flac",
    "bob-marley-20100303-hne": "wav",
    "cem_20100303-aaa": "wav",
    "anonymous-20100404-bbb": "wav",
    "Aaron-new": "wav",
}


def lay_out(folder, session, kind):
    """A session of two recordings, with PROMPTS as VoxForge writes it."""
    home = folder / session
    (home / "etc").mkdir(parents=True)
    (home / kind).mkdir()
    lines = []
    for number in (1, 2):
        path = home / kind / f"a000{number}.{kind}"
        soundfile.write(path, np.full(8000, 0.1), 16000)
        lines.append(
            f"{session}/mfc/a000{number} GO  TO {session.upper()} {number}\r\n"
        )
    (home / "etc/PROMPTS").write_text("".join(lines))
    (home / "etc/README").write_text("User Name:x\n")
    return home


@pytest.fixture
def sessions(tmp_path):
    folder = tmp_path / "unpacked"
    for session, kind in SESSIONS.items():
        lay_out(folder, session, kind)
    return folder


def pack(sessions, folder):
    folder.mkdir()
    for session in sessions.iterdir():
        with tarfile.open(folder / f"{session.name}.tgz", "w:gz") as archive:
            archive.add(session, arcname=session.name)
    return folder


def build(tmp_path, archive, **changes):
    options = {
        "name": "voxforge",
        "root": tmp_path / "root",
        "archive": None if archive is None else str(archive),
        "address": "http://voxforge.invalid/16kHz_16bit/",
        "download": False,
        "dev_share": 0.2,
        "test_share": 0.2,
        "seed": 1,
    }
    return VoxForge(**{**options, **changes})


@pytest.mark.parametrize("packed", [True, False])
def test_sessions_are_dealt_out_by_speakers(tmp_path, sessions, packed):
    corpus = build(tmp_path, pack(sessions, tmp_path / "tgz") if packed else sessions)
    report = corpus.prepare()
    assert sum(split.utterances for split in report.splits.values()) == 12
    speakers = [{u.speaker for u in corpus.read(split)} for split in corpus.splits]
    assert sorted(map(len, speakers)) == [1, 1, 3]
    # Ann says most; who is not known may be anybody.
    assert {"ann", "anonymous-20100404-bbb", "Aaron-new"} == speakers[0]
    texts = {u.id: u.text for u in corpus.read("train")}
    assert texts["ann-20090202-xyz-a0002"] == "GO TO ANN-20090202-XYZ 2"
    again = build(tmp_path, corpus.archive, root=tmp_path / "again")
    again.prepare()
    assert [u.id for u in again.read("test")] == [u.id for u in corpus.read("test")]


@pytest.mark.parametrize(
    ("session", "speaker"),
    [
        ("1snoke-20120412-hge", "1snoke"),
        ("bob-marley-20100303-hne", "bob-marley"),
        ("cem_20100303-aaa", "cem"),
        ("Cem-20110303-aaa", "cem"),
        ("anonymous-20080425-awc", None),
        ("Anonymous-20080425-awc", None),
        ("Aaron-new", None),
        ("-20080101-abc", None),
    ],
)
def test_who_speaks_stands_before_the_date(session, speaker):
    assert name_speaker(session) == speaker


def test_what_cannot_be_used_is_left_out_and_listed(tmp_path, sessions):
    home = sessions / "ann-20080101-abc"
    with (home / "etc/PROMPTS").open("a") as file:
        file.write("ann-20080101-abc/mfc/a0009 NOBODY SAYS THIS\n\n")
    soundfile.write(home / "wav/b0001.wav", np.full(8000, 0.1), 16000)
    (home / "wav/a0002.wav").write_bytes(b"")
    other = sessions / "ann-20090202-xyz"
    (other / "flac/a0001.flac").write_bytes(b"no sound at all")
    with (other / "etc/PROMPTS").open("a") as file:
        file.write("x/mfc/a0002 ANOTHER TEXT\n")
    anonymous = sessions / "anonymous-20100404-bbb"
    (anonymous / "etc/PROMPTS").write_bytes(b"x/mfc/a0001 CAF\xc9\n")
    (sessions / "dora-20110101-abc/etc").mkdir(parents=True)
    report = build(tmp_path, sessions).prepare()
    assert "voxforge left out, see" in str(report)
    lines = (tmp_path / "root/left-out.jsonl").read_text().splitlines()
    found = {record["file"]: record["reason"] for record in map(json.loads, lines)}
    assert {name: reason[:13] for name, reason in found.items()} == {
        "ann-20080101-abc/a0002.wav": "0 bytes",
        "ann-20080101-abc/b0001.wav": "no transcript",
        "ann-20080101-abc/a0009": "no recording",
        "ann-20090202-xyz/a0001.flac": str(other)[:13],
        "ann-20090202-xyz/a0002.flac": "two transcrip",
        "anonymous-20100404-bbb/etc": str(other)[:13],
        "anonymous-20100404-bbb/a0001.wav": "no transcript",
        "anonymous-20100404-bbb/a0002.wav": "no transcript",
        "dora-20110101-abc/": "neither recor",
    }
    assert sum(split.utterances for split in report.splits.values()) == 7


def test_prompts_as_they_were_shown_stand_for_others(tmp_path, sessions):
    etc = sessions / "ann-20080101-abc/etc"
    (etc / "PROMPTS").unlink()
    (etc / "prompts-original").write_text("a0001 Go, then.\na0002\tStop.\n")
    corpus = build(tmp_path, sessions)
    corpus.prepare()
    texts = {u.id: u.text for u in corpus.read("train")}
    assert texts["ann-20080101-abc-a0001"] == "Go, then."
    assert texts["ann-20080101-abc-a0002"] == "Stop."


def test_sessions_are_downloaded_from_the_page_that_lists_them(tmp_path, sessions):
    served = pack(sessions, tmp_path / "served")
    (served / "notes.txt").write_text("no session")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = partial(Quiet, directory=served)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,)).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/"
        corpus = build(tmp_path, None, address=address, download=True)
        report = corpus.prepare()
    finally:
        server.shutdown()
        server.server_close()
    assert sum(split.utterances for split in report.splits.values()) == 12
    assert build(tmp_path, None).prepare() == report


def test_without_sessions_it_says_where_they_are(tmp_path, sessions, monkeypatch):
    monkeypatch.delenv("SPEECHGRU_ARCHIVES", raising=False)
    with pytest.raises(
        InputError, match=r"no sessions, .* or set corpus.download=true"
    ):
        build(tmp_path, None).prepare()
    for session in list(SESSIONS)[2:4]:
        shutil.rmtree(sessions / session)
    with pytest.raises(InputError, match="those of three known speakers or more"):
        build(tmp_path, sessions).prepare()
    assert not list((tmp_path / "root").glob("*.jsonl"))
