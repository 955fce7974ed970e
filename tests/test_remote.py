import contextlib
import functools
import http.server
import json
import multiprocessing
import os
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechgru import read_manifest, write_manifest
from speechgru.audio import AudioError, read_audio
from speechgru.data.sources.csv import CsvCorpus
from speechgru.data.sources.jsonl import ManifestCorpus
from speechgru.data.sources.kaldi import KaldiCorpus
from speechgru.data.sources.lhotse import LhotseCorpus
from speechgru.data.sources.nemo import NemoCorpus
from speechgru.interfaces import InputError
from speechgru.remote import address_of, fetch, locate


class Handler(http.server.SimpleHTTPRequestHandler):
    requested: list[str]

    def do_GET(self):
        self.requested.append(self.path)
        if self.path in ("/403.wav", "/500.wav"):
            self.send_error(int(self.path[1:4]), "Not now")
            return
        if self.path == "/cut.wav":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"RIFF")
            return
        super().do_GET()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve the folder `there`; return its address and what was asked for."""
    monkeypatch.setenv("SPEECHGRU_CACHE", str(tmp_path / "cache"))
    (tmp_path / "there").mkdir()
    handler = type("Own", (Handler,), {"requested": []})
    serve = functools.partial(handler, directory=str(tmp_path / "there"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", handler.requested
        running.shutdown()
        thread.join()


def put_audio(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(exist_ok=True)
    noise = np.random.default_rng(seed).uniform(-0.1, 0.1, 800)
    soundfile.write(path, noise, 8000)


@pytest.mark.parametrize(
    "address",
    [
        "s3://bucket/a/b.wav",
        "https://host:8080/a%20b/c.wav?key=1/2&x=%2F",
        "gs://bucket//double/../up/.hidden",
    ],
)
def test_the_path_of_an_address_gives_the_address_back(address, tmp_path, monkeypatch):
    monkeypatch.setenv("SPEECHGRU_CACHE", str(tmp_path))
    path = locate(address)
    assert os.path.abspath(path).startswith(f"{tmp_path}/remote/")
    assert address_of(path) == address


def test_a_path_of_its_own_is_left_alone(tmp_path):
    assert locate("a/b.wav", tmp_path) == tmp_path / "a/b.wav"
    assert locate("/a.wav", tmp_path) == Path("/a.wav")
    assert address_of(tmp_path / "a.wav") is None
    assert not fetch(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ftp://host/a.wav", "cannot be fetched from ftp://"),
        ("s3://bucket", "names no file"),
        (f"s3://bucket/{'a' * 300}", "more than 200 characters"),
    ],
)
def test_an_address_that_cannot_be_fetched_is_refused(address, message):
    with pytest.raises(InputError, match=message):
        locate(address)


def test_a_manifest_at_an_address_is_read_with_the_audio_beside_it(server, tmp_path):
    address, requested = server
    put_audio(tmp_path / "there/wav/a.wav")
    line = '{"audio_filepath": "wav/a.wav", "duration": 0.1, "text": "GO"}\n'
    (tmp_path / "there/train.jsonl").write_text(line)
    corpus = ManifestCorpus("manifest", f"{address}/train.jsonl", None, None)
    (utterance,) = corpus.read("train")
    assert requested == ["/train.jsonl"]  # the audio when it is read
    waveform, rate = read_audio(utterance.audio)
    assert (len(waveform), rate) == (800, 8000)
    read_audio(utterance.audio)
    assert requested == ["/train.jsonl", "/wav/a.wav"]
    # What is written of it elsewhere still says where it came from.
    write_manifest(tmp_path / "mine.jsonl", [utterance])
    assert f'"{address}/wav/a.wav"' in (tmp_path / "mine.jsonl").read_text()
    assert read_manifest(tmp_path / "mine.jsonl")[0] == utterance


def test_a_manifest_that_changes_there_is_fetched_again(server, tmp_path):
    address, requested = server
    line = '{{"audio_filepath": "{}.wav", "duration": 1, "text": "GO"}}\n'
    (tmp_path / "there/train.jsonl").write_text(line.format("a"))
    corpus = ManifestCorpus("manifest", f"{address}/train.jsonl", None, None)
    assert len(corpus.read("train")) == len(corpus.read("train")) == 1
    assert requested == ["/train.jsonl"]
    text = line.format("a") + line.format("b")
    (tmp_path / "there/train.jsonl").write_text(text)
    assert len(corpus.read("train")) == 2


def test_what_is_there_no_more_is_taken_as_it_was_fetched(server, tmp_path, caplog):
    address, _ = server
    line = '{"audio_filepath": "a.wav", "duration": 1, "text": "GO"}\n'
    (tmp_path / "there/train.jsonl").write_text(line)
    corpus = ManifestCorpus("manifest", f"{address}/train.jsonl", None, None)
    before = list(corpus.read("train"))
    (tmp_path / "there/train.jsonl").unlink()
    assert list(corpus.read("train")) == before
    assert "taken as it was fetched before" in caplog.text


def test_audio_that_is_missing_or_cut_off_is_named_and_not_kept(server, tmp_path):
    address, _ = server
    with pytest.raises(AudioError, match=r"/no\.wav: cannot be fetched \(no such file"):
        read_audio(locate(f"{address}/no.wav"))
    (tmp_path / "there/cut.wav").write_bytes(bytes(1000))
    with pytest.raises(AudioError, match=r"/cut\.wav: cannot be fetched"):
        read_audio(locate(f"{address}/cut.wav"))
    kept = [path for path in (tmp_path / "cache").rglob("*.wav")]
    assert kept == []
    assert not list((tmp_path / "cache").rglob("*.part"))


def read_length(path, results):
    results.put(len(read_audio(path)[0]))


@pytest.mark.parametrize("status", [403, 500])
def test_what_a_host_answers_is_said(server, status):
    with pytest.raises(
        InputError, match=rf"\(HTTP {status} Not now\), expected a file"
    ):
        fetch(locate(f"{server[0]}/{status}.wav"))


def test_processes_that_want_one_file_fetch_it_once(server, tmp_path):
    address, requested = server
    put_audio(tmp_path / "there/wav/a.wav")
    path = locate(f"{address}/wav/a.wav")
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    processes = [
        context.Process(target=read_length, args=(path, results)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    assert [results.get() for _ in processes] == [800] * 3
    for process in processes:
        process.join()
    assert requested == ["/wav/a.wav"]


def test_files_at_an_address_are_read_and_a_folder_refused(server, tmp_path):
    address, _ = server
    put_audio(tmp_path / "there/wav/a.wav")
    (tmp_path / "there/train.csv").write_text("audio,text\nwav/a.wav,GO\n")
    corpus = CsvCorpus("csv", f"{address}/train.csv", None, None)
    assert corpus.read("train")[0].duration == 0.1
    record = {"audio_filepath": "a.wav", "duration": 0.1, "text": "GO", "shard_id": 0}
    (tmp_path / "there/tarred.json").write_text(json.dumps(record))
    with tarfile.open(tmp_path / "there/audio_0.tar", "w") as archive:
        archive.add(tmp_path / "there/wav/a.wav", "a.wav")
    nemo = functools.partial(NemoCorpus, "nemo", f"{address}/tarred.json", None, None)
    (utterance,) = nemo(tars="audio_{0..0}.tar").read("train")
    assert len(read_audio(utterance.audio)[0]) == 800
    with pytest.raises(InputError, match="expected braces"):
        nemo().read("train")
    cut = {
        "id": "c",
        "start": 0,
        "duration": 0.1,
        "supervisions": [{"start": 0, "duration": 0.1, "text": "GO"}],
        "recording": {
            "sources": [{"type": "file", "channels": [0], "source": "wav/a.wav"}],
            "sampling_rate": 8000,
            "duration": 0.1,
        },
    }
    (tmp_path / "there/cuts.jsonl").write_text(json.dumps(cut))
    corpus = LhotseCorpus("lhotse", f"{address}/cuts.jsonl", None, None)
    assert len(read_audio(corpus.read("train")[0].audio)[0]) == 800
    corpus = KaldiCorpus("kaldi", f"{address}/train", None, None)
    with pytest.raises(InputError, match="data folders cannot be read at an address"):
        corpus.read("train")


def test_a_library_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("SPEECHGRU_CACHE", str(tmp_path))
    with contextlib.suppress(ImportError):
        import s3fs  # noqa: F401

        pytest.skip("s3fs is installed")
    with pytest.raises(InputError, match=r'pip install "speechgru\[remote\]"'):
        fetch(locate("s3://bucket/a.wav"))
