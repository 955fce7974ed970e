"""The command that makes a page of results, and what it puts into the page."""

import base64
import json
import os
import re
import shutil
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile
import torch
from conftest import make_tones

from speechgru.audio import load_audio
from speechgru.checkpoint.load import load_checkpoint
from speechgru.cli.evaluate import main as evaluate
from speechgru.cli.report import main
from speechgru.data.manifest import read_manifest, write_manifest
from speechgru.files import printable, to_json
from speechgru.interfaces import BLANK, InputError
from speechgru.options import ReportOptions
from speechgru.ranges import OptionError
from speechgru.report.build import build_report
from speechgru.report.page import worst_first
from speechgru.score.compare import compare, holm
from speechgru.score.results import Result, make_result, read_results, write_results
from speechgru.score.summary import summarise

SAMPLE_RATE = 16000  # Hz, of the page

pytestmark = pytest.mark.usefixtures("threads")


class PageParser(HTMLParser):
    """Find what a browser finds."""

    def __init__(self) -> None:
        super().__init__()
        self.element = ""
        self.texts: dict[str, str] = {}

    def handle_starttag(self, tag, attributes):
        self.element = dict(attributes).get("id") or tag

    def handle_endtag(self, tag):
        self.element = ""

    def handle_data(self, text):
        self.texts[self.element] = self.texts.get(self.element, "") + text


@dataclass(frozen=True)
class Page:
    """What the command wrote and printed."""

    path: Path
    data: dict
    titles: list[str]
    printed: str

    def utterance(self, id: str, system: int = 0) -> dict:
        utterances = self.data["systems"][system]["utterances"]
        (found,) = (utterance for utterance in utterances if utterance["id"] == id)
        return found

    def ids_with(self, key: str, system: int = 0) -> set[str]:
        utterances = self.data["systems"][system]["utterances"]
        return {each["id"] for each in utterances if each[key] is not None}

    def samples(self, id: str, system: int = 0) -> np.ndarray:
        """What a player of the sound gets."""
        recording = self.data["recordings"][self.utterance(id, system)["media"]]
        content = BytesIO(base64.b64decode(recording["flac"]))
        samples, sample_rate = soundfile.read(content, dtype="int16")
        assert sample_rate == SAMPLE_RATE
        assert recording["seconds"] == len(samples) / SAMPLE_RATE
        return samples

    def mel(self, id: str) -> np.ndarray:
        """(frames, bins) bytes."""
        mel = self.data["recordings"][self.utterance(id)["media"]]["mel"]
        return decode_bytes(mel["values"]).reshape(mel["frames"], mel["bins"])


@pytest.fixture
def report(capfd):
    """Run the command and read the page."""

    def run(*arguments: object) -> Page:
        capfd.readouterr()
        assert main([str(argument) for argument in arguments]) == 0
        printed = "".join(capfd.readouterr())
        path = Path(re.search(r"^report: (.*) \(.* MiB\)$", printed, re.M)[1])
        parser = PageParser()
        parser.feed(path.read_text(encoding="utf-8"))
        parser.close()
        data = json.loads(parser.texts["data"])
        return Page(path, data, [parser.texts[tag] for tag in ("title", "h1")], printed)

    return run


def decode_bytes(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.uint8)


def sing(path: Path, *frequencies: float, amplitude: float = 0.5) -> Path:
    """A file of half a second for each frequency."""
    time = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    tones = [np.sin(2 * np.pi * frequency * time) for frequency in frequencies]
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, amplitude * np.concatenate(tones), SAMPLE_RATE)
    return path


def heard(id: str, said: str = "GO ON", heard: str = "GO IN", **known) -> Result:
    return make_result(id, said, heard, "levenshtein", **known)


def write(path: Path, *results: Result) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_results(path, results)
    return path


def write_summary(results: Path, **changes) -> None:
    """What `evaluate` writes beside them."""
    described = {"corpus": "a", "split": "test", "checkpoint": "best.ckpt"}
    record = described | summarise(read_results(results)).to_record() | changes
    results.with_suffix(".summary.json").write_bytes(to_json(record))


def snapshot(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def run_folder(checkpoint, tmp_path_factory) -> Path:
    """A run and its results on six tones, one of which is a part of its file."""
    folder = tmp_path_factory.mktemp("runs") / "some-run"
    folder.mkdir()
    shutil.copy(checkpoint, folder / "best.ckpt")
    (folder / "config.yaml").write_text("data: {name: <tönes>}\n", encoding="utf-8")
    metrics = folder / "metrics/version_0/metrics.csv"
    metrics.parent.mkdir(parents=True)
    metrics.write_text("epoch,train/loss,val/wer\n0,3.5,\n0,,0.75\n1,inf,0.5\n")
    manifest = make_tones(folder, "test", 6)
    utterances = read_manifest(manifest)
    shorter = utterances[2].duration - 0.15
    utterances[2] = replace(utterances[2], offset=0.1, duration=shorter, partial=True)
    write_manifest(manifest, utterances)
    corpus = ["corpus=manifest", f"corpus.test={manifest}"]
    assert evaluate([str(folder / "best.ckpt"), *corpus]) == 0
    return folder


@pytest.fixture
def run_results(run_folder) -> list[Result]:
    return read_results(run_folder / "best-manifest-test.jsonl")


def test_a_run_folder_tells_all_of_its_results(report, run_folder, run_results):
    page = report(run_folder)
    assert page.path == run_folder / "report.html"
    (system,) = page.data["systems"]
    assert system["name"] == "best-manifest-test"
    assert page.titles == ["speechgru: best-manifest-test"] * 2
    assert system["path"] == str(run_folder / "best-manifest-test.jsonl")
    assert system["summary"] == summarise(run_results).to_record()
    assert system["description"]["model"] == {"corpus": "noise", "seed": 3}
    assert system["config"] == "data: {name: <tönes>}\n"
    assert system["curves"] == [
        {"epoch": 0, "train/loss": 3.5, "val/wer": 0.75},
        {"epoch": 1, "train/loss": None, "val/wer": 0.5},
    ]
    assert [utterance["id"] for utterance in system["utterances"]] == [
        result.id for result in run_results
    ]
    for result in run_results:
        found = page.utterance(result.id)
        assert found["pairs"] == [list(pair) for pair in result.alignment]
        assert found["words"] == [vars(word) for word in result.words]
        assert (found["speaker"], found["duration"], found["confidence"]) == (
            *("tone", result.duration, result.confidence),
        )
        assert found["edits"] == result.word_errors.edits
        assert found["num_words"] == len(result.reference.split())
    assert page.data["comparisons"] == []
    assert page.data["why_not_compared"] == ""


def test_every_results_of_a_run_is_a_system(report, run_folder, tmp_path):
    for name in ("best.v1", "a"):
        write_summary(write(tmp_path / f"run/{name}.jsonl", heard("x")))
    write(tmp_path / "run/no-results.jsonl", heard("x"))
    page = report(tmp_path / "run", run_folder, "worst=0")
    names = ["a", "best.v1", "best-manifest-test"]
    assert [system["name"] for system in page.data["systems"]] == names
    assert page.path == tmp_path / "run/report.html"
    # The first two lie in no run.
    configs = [system["config"] is None for system in page.data["systems"]]
    assert configs == [True, True, False]


def test_results_in_a_run_folder_tell_of_the_run(report, run_folder, tmp_path):
    results = run_folder / "best-manifest-test.jsonl"
    page = report(results, "worst=0", f"output={tmp_path}/new/page.html")
    assert page.path == tmp_path / "new/page.html"
    assert len(page.data["systems"][0]["curves"]) == 2


def test_a_folder_without_results_names_the_remedy(tmp_path):
    write(tmp_path / "manifest.jsonl", heard("x"))
    message = (
        f"{tmp_path}: holds no results, expected those of `evaluate`; run first: "
        f"speechgru evaluate {tmp_path}/best.ckpt corpus=NAME"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        main([str(tmp_path)])
    with pytest.raises(InputError, match=r"gone\.jsonl: cannot be read"):
        main([str(tmp_path / "gone.jsonl")])


def test_the_sound_is_that_of_the_utterance(report, tmp_path):
    whole = sing(tmp_path / "whole.wav", 440, amplitude=1.0)
    samples, _ = soundfile.read(whole, dtype="int16")
    extremes = np.array([-32768, 32767, -1, 0, 1], np.int16)
    soundfile.write(whole, np.concatenate([samples, extremes]), SAMPLE_RATE)
    file = sing(tmp_path / "file.flac", 300, 600, 900)
    results = write(
        tmp_path / "a.jsonl",
        heard("whole", audio_path=whole, duration=0.5),
        heard("start", audio_path=file, offset=0.0, duration=0.4),
        heard("part", audio_path=file, offset=0.45, duration=0.75),
        heard("rest", audio_path=file, offset=1.25),
    )
    page = report(results)
    assert np.array_equal(
        page.samples("whole"), soundfile.read(whole, dtype="int16")[0]
    )
    samples, _ = soundfile.read(file, dtype="int16")
    assert np.array_equal(page.samples("start"), samples[:6400])
    assert np.array_equal(page.samples("part"), samples[7200:19200])
    assert np.array_equal(page.samples("rest"), samples[20000:])


def test_sound_of_another_rate_is_converted(report, run_folder, run_results):
    page = report(run_folder)
    assert page.ids_with("media") == {result.id for result in run_results}
    for result in run_results:
        part = (result.offset or 0.0, result.duration)
        expected = 32768 * load_audio(result.audio_path, SAMPLE_RATE, True, *part)
        found = page.samples(result.id)
        assert len(found) == pytest.approx(SAMPLE_RATE * result.duration, abs=1)
        assert np.abs(found - expected.numpy()).max() <= 0.51


def test_the_spectrogram_shows_tones_where_they_are(report, tmp_path):
    short = sing(tmp_path / "short.wav", 500, 4000)
    long = sing(tmp_path / "long.wav", *[500] * 9, *[4000] * 9)
    results = write(
        tmp_path / "a.jsonl",
        heard("short", audio_path=short),
        heard("long", audio_path=long),
    )
    page = report(results)
    # 100 frames a second and one; pairs of frames are averaged beyond 800.
    for id, num_frames in {"short": 101, "long": 451}.items():
        mel = page.mel(id)
        assert mel.shape == (num_frames, 80)
        assert (mel.min(), mel.max()) == (0, 255)
        loudest, middle = mel.argmax(axis=1), num_frames // 2
        low, high = loudest[: middle - 2], loudest[middle + 3 :]
        assert set(low) == {low[0]}
        assert set(high[:-1]) == {high[0]}
        assert low[0] + 20 < high[0]


@pytest.mark.parametrize("num_samples", [1, 100])
def test_a_moment_of_silence_has_a_page_too(report, checkpoint, tmp_path, num_samples):
    soundfile.write(tmp_path / "a.wav", np.zeros(num_samples), SAMPLE_RATE)
    results = write(tmp_path / "a.jsonl", heard("a", audio_path=tmp_path / "a.wav"))
    page = report(results, f"checkpoint={checkpoint}")
    assert np.array_equal(page.samples("a"), np.zeros(num_samples))
    assert page.mel("a").shape == (1, 80)
    assert page.utterance("a")["posteriors"]["frames"] == 1


def test_posteriors_are_what_the_model_says_of_the_utterance_alone(
    report, run_folder, run_results
):
    page = report(run_folder)
    loaded = load_checkpoint(run_folder / "best.ckpt")
    assert len({result.duration for result in run_results}) > 1
    for result in run_results:
        part = (result.offset or 0.0, result.duration)
        waveform = load_audio(result.audio_path, 8000, False, *part)
        with torch.inference_mode():
            log_probs, lengths = loaded.model(
                waveform[None], torch.tensor([len(waveform)])
            )
        expected = log_probs[0].exp().numpy().T
        found = page.utterance(result.id)["posteriors"]
        assert found["frames"] == lengths.item()
        assert found["seconds_per_frame"] == 0.02
        rows = decode_bytes(found["values"]).reshape(-1, found["frames"])
        shares = dict(zip(found["tokens"], rows / 255, strict=True))
        blank = shares.pop(None)
        assert np.abs(blank - expected[BLANK]).max() <= 1 / 255
        assert len(shares) > 1
        for id, token in enumerate(loaded.tokenizer.tokens):
            if token in shares:
                assert np.abs(shares[token] - expected[id]).max() <= 1 / 255
            elif id != BLANK:
                assert expected[id].max() < 0.1


def test_a_checkpoint_is_chosen_or_left_out(report, run_folder, checkpoint, tmp_path):
    audio = sing(tmp_path / "a.wav", 440)
    alone = write(tmp_path / "alone/a.jsonl", heard("a", audio_path=audio))
    page = report(alone)
    assert page.ids_with("media") == {"a"}
    assert page.ids_with("posteriors") == set()
    assert report(alone, f"checkpoint={checkpoint}").ids_with("posteriors") == {"a"}
    page = report(run_folder, "checkpoint=false")
    assert len(page.ids_with("media")) == 6
    assert page.ids_with("posteriors") == set()
    for named in (alone, tmp_path / "gone.ckpt", "true"):
        with pytest.raises(InputError, match="checkpoint"):
            main([str(alone), f"checkpoint={named}"])


def test_a_checkpoint_that_is_gone_is_told(report, tmp_path):
    audio = sing(tmp_path / "a.wav", 440)
    results = write(tmp_path / "a.jsonl", heard("a", audio_path=audio))
    write_summary(results, checkpoint="../gone/best.ckpt")
    page = report(results)
    gone = f"{tmp_path}/../gone/best.ckpt: is gone, so the page shows no posteriors of "
    assert f"{gone}{results}\n" in page.printed
    assert page.ids_with("media") == {"a"}
    assert page.ids_with("posteriors") == set()
    assert "is gone" not in report(results, "checkpoint=false").printed


def test_most_edits_come_first_then_the_highest_rate():
    results = [
        heard("right", "GO", "GO"),
        heard("one of two", "GO ON", "GO IN"),
        heard("b one of one", "GO", "IN"),
        heard("a one of one", "GO", "IN"),
        heard("one of none", "", "IN"),
        heard("two of five", "A B C D E", "A B C"),
    ]
    assert [result.id for result in worst_first(results)] == [
        *("two of five", "one of none", "a one of one", "b one of one"),
        *("one of two", "right"),
    ]
    assert worst_first(results[::-1]) == worst_first(results)


def test_only_the_worst_have_sound(report, checkpoint, tmp_path):
    audio = {id: sing(tmp_path / f"{id}.wav", 440 + 100 * ord(id)) for id in "abcd"}
    errors = {"a": 1, "b": 3, "c": 0, "d": 2}
    first = [
        heard(id, "GO GO GO", " ".join(["IN"] * count + ["GO"] * (3 - count)))
        for id, count in errors.items()
    ]
    first = [replace(result, audio_path=audio[result.id]) for result in first]
    second = [replace(result, id="bcda"["abcd".index(result.id)]) for result in first]
    second = [replace(result, audio_path=audio[result.id]) for result in second]
    paths = write(tmp_path / "1.jsonl", *first), write(tmp_path / "2.jsonl", *second)
    page = report(*paths, "worst=2", f"checkpoint={checkpoint}")
    for system, worst in enumerate([{"b", "d"}, {"c", "a"}]):
        for kind in ("media", "posteriors"):
            assert page.ids_with(kind, system) == worst
        assert page.ids_with("audio", system) == set()
        assert page.ids_with("why_silent", system) == set()
    assert "worst=N" in page.data["why_silent"]
    page = report(*paths, "worst=0", f"checkpoint={checkpoint}")
    assert page.data["recordings"] == []
    assert page.ids_with("posteriors") == set()


def test_others_are_played_from_their_files_if_wanted(report, tmp_path):
    folder = tmp_path / "sø & <100 %>#?"
    whole = sing(folder / "wav/ä b.wav", 440)
    results = write(
        tmp_path / "new/a.jsonl",
        heard("worst", "GO", "IN", audio_path=whole),
        heard("part", "GO", "GO", audio_path=whole, offset=0.25, duration=0.125),
        heard("rest", "GO", "GO", audio_path=whole, offset=0.25),
        heard("start", "GO", "GO", audio_path=whole, offset=0.0, duration=0.5),
        heard("whole", "GO", "GO", audio_path=whole, duration=0.5),
    )
    assert report(results, "worst=1").ids_with("audio") == set()
    page = report(results, "worst=1", "link_audio=true")
    assert page.ids_with("media") == {"worst"}
    assert page.ids_with("audio") == {"part", "rest", "start", "whole"}
    link = page.utterance("whole")["audio"]
    assert re.fullmatch(r"[\w./%~-]+", link, re.ASCII)
    assert (page.path.parent / unquote(link)).samefile(whole)
    assert page.utterance("part")["audio"] == f"{link}#t=0.25,0.375"
    assert page.utterance("rest")["audio"] == f"{link}#t=0.25"
    assert page.utterance("start")["audio"] == f"{link}#t=0.0,0.5"
    inside = write(folder / "a.jsonl", *read_results(results))
    page = report(inside, "link_audio=true", "worst=0")
    assert page.utterance("whole")["audio"] == "wav/%C3%A4%20b.wav"


def test_audio_that_cannot_be_read_is_told_and_stops_nothing(report, tmp_path):
    good = sing(tmp_path / "good.wav", 440)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "cut.wav").write_bytes(good.read_bytes()[:-1000])
    (tmp_path / "folder.wav").mkdir()
    reasons = {
        "gone": "No such file",
        "empty": "0 bytes",
        "text": "not decodable",
        "cut": "truncated",
        "folder": "Is a directory",
    }
    results = write(
        tmp_path / "a.jsonl",
        heard("beyond", audio_path=good, offset=0.4, duration=2.0),
        *(heard(name, audio_path=tmp_path / f"{name}.wav") for name in reasons),
        heard("good", audio_path=good),
    )
    page = report(results)
    assert page.ids_with("media") == {"good"}
    assert page.ids_with("why_silent") == {*reasons, "beyond"}
    assert page.printed.count("without sound") == 6
    for name, reason in reasons.items():
        why = page.utterance(name)["why_silent"]
        assert f"{name}.wav: " in why
        assert reason in why
        assert f"a: {name} without sound: {why}\n" in page.printed


def test_results_of_another_system_make_a_page(report, tmp_path):
    results = tmp_path / "other.jsonl"
    lines = [
        {"id": "1", "reference": "GO ON", "hypothesis": "GO"},
        {"id": "2", "reference": "UP", "hypothesis": ""},
    ]
    results.write_text("\n".join(map(json.dumps, lines)))
    page = report(results, "link_audio=true")
    assert page.utterance("1")["pairs"] == [["GO", "GO"], ["ON", None]]
    (system,) = page.data["systems"]
    assert (system["description"], system["config"], system["curves"]) == (
        None,
        None,
        [],
    )
    assert page.ids_with("why_silent") == {"1", "2"}
    assert page.utterance("1")["why_silent"] == (
        "the results do not say where its audio lies"
    )
    for key in ("media", "audio", "posteriors", "speaker", "duration", "confidence"):
        assert page.ids_with(key) == set()


def test_why_there_is_no_sound_is_told_once(report, tmp_path):
    page = report(
        write(tmp_path / "a.jsonl", *(heard(f"{id:02d}") for id in range(23)))
    )
    assert len(page.ids_with("why_silent")) == 23
    assert page.printed.count("without sound") == 1
    assert "a: 23 utterances without sound: the results do not say" in page.printed


def test_reasons_are_listed_up_to_a_number(report, tmp_path):
    results = [
        heard(f"{id:02d}", audio_path=tmp_path / f"{id}.wav") for id in range(23)
    ]
    page = report(write(tmp_path / "a.jsonl", *results))
    assert page.printed.count("without sound") == 20
    assert "a: and 3 more, see the page\n" in page.printed


def test_systems_that_heard_the_same_are_compared(report, tmp_path):
    generator = np.random.default_rng(1)
    systems = [
        [
            heard(
                str(id), "GO ON UP", " ".join(generator.choice(["GO", "ON", "UP"], 3))
            )
            for id in range(30)
        ]
        for _ in range(3)
    ]
    paths = [
        write(tmp_path / f"{i}.jsonl", *system) for i, system in enumerate(systems)
    ]
    page = report(*paths)
    names = [(pair["first"], pair["second"]) for pair in page.data["comparisons"]]
    assert names == [("0", "1"), ("0", "2"), ("1", "2")]
    tested = []
    for pair in page.data["comparisons"]:
        first, second = (systems[int(pair[key])] for key in ("first", "second"))
        expected = compare(first, second)
        tested.append(expected.matched_pairs.p)
        assert expected.difference != 0
        for key in ("difference", "low", "high"):
            assert pair[key] == getattr(expected, key)
    assert [pair["p"] for pair in page.data["comparisons"]] == holm(tested)
    assert page.data["why_not_compared"] == ""


def test_systems_that_did_not_hear_the_same_are_not_compared(report, tmp_path):
    first = write(tmp_path / "first.jsonl", heard("x", "GO ON"), heard("y"))
    other = write(tmp_path / "other.jsonl", heard("x", "Go on"), heard("y"))
    fewer = write(tmp_path / "fewer.jsonl", heard("x"))
    for second, reason in ((other, "the reference of x is"), (fewer, "first y")):
        page = report(first, second)
        assert page.data["comparisons"] == []
        why = page.data["why_not_compared"]
        assert why.startswith(f"Not compared: {second.stem}: ")
        assert reason in why
        assert len(page.data["systems"]) == 2


def test_intervals_are_drawn_as_wanted(report, tmp_path):
    results = [
        heard(f"{id:02d}", "GO ON", "GO ON" if id % 3 else "IN", speaker=str(id // 4))
        for id in range(12)
    ]
    path = write(tmp_path / "a.jsonl", *results)
    for unit in ("speaker", "utterance"):
        (system,) = report(path, f"resample={unit}").data["systems"]
        assert system["summary"]["resampled"] == unit
        assert system["summary"] == summarise(results, unit).to_record()


def test_words_are_mapped_as_wanted(report, tmp_path):
    path = write(tmp_path / "a.jsonl", heard("a", "cl ih n", "sil ix n"))
    (system,) = report(path, "word_map=timit39").data["systems"]
    (utterance,) = system["utterances"]
    assert utterance["pairs"] == [["sil", "sil"], ["ih", "ih"], ["n", "n"]]
    assert system["summary"]["mapped_by"] == "timit39"


def test_recordings_are_held_once(report, tmp_path):
    audio = sing(tmp_path / "a.wav", 300, 600)
    (tmp_path / "link.wav").symlink_to(audio)
    results = [
        heard("whole", audio_path=audio, duration=1.0),
        heard("start", audio_path=audio, offset=0.0, duration=0.5),
        heard("end", audio_path=audio, offset=0.5, duration=0.5),
    ]
    first = write(tmp_path / "1.jsonl", *results)
    # Another system may not have said how long it is.
    results[0] = heard("whole", audio_path=tmp_path / "link.wav")
    second = write(tmp_path / "2/2.jsonl", *results[::-1])
    page = report(first, second)
    assert len(page.data["recordings"]) == 3
    for result in results:
        again = page.samples(result.id, system=1)
        assert np.array_equal(page.samples(result.id), again)
    halves = page.samples("start"), page.samples("end")
    assert np.array_equal(np.concatenate(halves), page.samples("whole"))


def test_the_same_results_twice_are_refused(run_folder):
    results = run_folder / "best-manifest-test.jsonl"
    detour = run_folder / ".." / run_folder.name / results.name
    for twice in ([results, results], [run_folder, results], [results, detour]):
        with pytest.raises(InputError, match="the same results are given twice"):
            main(list(map(str, twice)))


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/x.jsonl"], ["x"]),
        (["a/x.jsonl", "b/y.jsonl"], ["x", "y"]),
        (["a/x.jsonl", "b/x.jsonl"], ["a/x", "b/x"]),
        (["a/x.jsonl", "b/x.jsonl", "c/y.jsonl"], ["a/x", "b/x", "c/y"]),
        (["a/c/x.jsonl", "b/c/x.jsonl"], ["a/c/x", "b/c/x"]),
        (["c/x.jsonl", "b/c/x.jsonl"], None),
        (["x.v1", "x.v2"], ["x.v1", "x.v2"]),
        (["x.v1.jsonl", "x.v2.jsonl"], ["x.v1", "x.v2"]),
        (["x", "x.jsonl"], ["x", "x.jsonl"]),
    ],
)
def test_systems_have_short_names_of_their_own(report, tmp_path, paths, names):
    written = [write(tmp_path / path, heard("x")) for path in paths]
    if names is None:
        names = [f"{tmp_path.name}/c/x", "b/c/x"]
    found = [system["name"] for system in report(*written).data["systems"]]
    assert found == names


HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "-->",
    "@data@",
    "@title@@",
    '"quoted"\'\\',
    "&amp;&lt;",
    "${a}`",
    "😀👩‍👩‍👧",
    "שלום",
    "مرحبا\u202e",
    "a\u2028b\u2029c\x00\x7f\ufeff",
    "__proto__",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_comes_through_unchanged(report, tmp_path, text):
    result = heard(text, f"GO {text}", f"{text} GO", speaker=text)
    page = report(write(tmp_path / "a.jsonl", result))
    found = page.utterance(text)
    assert found["speaker"] == text
    assert [said for said, _ in found["pairs"] if said] == result.reference.split()
    assert [word for _, word in found["pairs"] if word] == result.hypothesis.split()
    assert list(page.data["systems"][0]["summary"]["by_speaker"]) == [text]


@pytest.mark.parametrize(
    "name", [*(text for text in HOSTILE if not {"/", "\0"} & {*text}), "a\udcff"]
)
def test_file_names_come_through_unchanged(report, tmp_path, name):
    audio = sing(tmp_path / "a.wav", 440)
    folder = tmp_path / name
    folder.mkdir()
    shutil.move(audio, folder)
    (folder / "config.yaml").write_text(name, encoding="utf-8", errors="replace")
    results = write(
        folder / f"{name}.jsonl",
        heard("x", audio_path=folder / "a.wav"),
        heard("y", "GO", "GO", audio_path=folder / "a.wav"),
        heard("z", audio_path=folder / "gone.wav"),
    )
    page = report(
        *(results, "worst=2", "link_audio=true"),
        *("checkpoint=false", f"output={tmp_path}/page.html"),
    )
    (system,) = page.data["systems"]
    assert (system["name"], system["path"]) == (name, str(results))
    assert page.titles == [f"speechgru: {name}".replace("\udcff", "?")] * 2
    # Of a message, which a terminal may show as well.
    assert printable(str(folder / "gone.wav")) in page.utterance("z")["why_silent"]
    link = page.utterance("y")["audio"]
    linked = unquote(link, errors="surrogateescape")
    assert (tmp_path / linked).samefile(folder / "a.wav")


@pytest.mark.parametrize(
    ("option", "error", "message"),
    [
        ("worst=-1", InputError, "worst is -1, expected a whole number from 0"),
        ("worst=x", OptionError, "worst is 'x', expected a whole number"),
        ("worst=true", OptionError, "worst is True"),
        ("worst=1.5", OptionError, "worst is 1.5"),
        ("link_audio=maybe", OptionError, "link_audio is 'maybe'"),
        ("resample=word", InputError, "resample is 'word'"),
        ("best=1", Exception, "best"),
    ],
)
def test_a_bad_option_is_refused(run_folder, tmp_path, option, error, message):
    output = tmp_path / "page.html"
    with pytest.raises(error, match=message):
        main([str(run_folder), f"output={output}", option])
    assert not output.exists()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1, 2]", b'"a"', b"{}", b"\xff", b"[" * 100000]
)
def test_a_damaged_summary_is_named(tmp_path, content):
    results = write(tmp_path / "a.jsonl", heard("x"))
    (tmp_path / "a.summary.json").write_bytes(content)
    for argument in (results, tmp_path):
        with pytest.raises(
            InputError, match=r"a\.summary\.json: not .* evaluate again"
        ):
            main([str(argument)])


def test_nothing_but_the_page_is_written(report, run_folder):
    (run_folder / "report.html").write_text("an older page")
    before = snapshot(run_folder.parent)
    page = report(run_folder, "link_audio=true", "worst=2")
    after = snapshot(run_folder.parent)
    assert after.pop(page.path) != before.pop(page.path)
    assert after == before


def test_a_page_made_from_python_is_neither_written_nor_told(tmp_path, capfd):
    results = write(tmp_path / "a.jsonl", heard("x"))
    before = snapshot(tmp_path)
    made = build_report([results], ReportOptions(worst=1))
    assert made.output == tmp_path / "report.html"
    assert made.remarks == (
        "a: x without sound: the results do not say where its audio lies",
    )
    assert snapshot(tmp_path) == before
    assert "".join(capfd.readouterr()) == ""
    main([str(results)])
    assert made.output.read_text(encoding="utf-8") == made.page
    with pytest.raises(OptionError, match="no results are given"):
        build_report([])


@pytest.mark.parametrize("ending", ["jsonl", "summary.json"])
def test_results_do_not_become_their_page(tmp_path, ending):
    results = write(tmp_path / "a.jsonl", heard("x"))
    write_summary(results)
    before = snapshot(tmp_path)
    with pytest.raises(InputError, match="would overwrite these results; set output="):
        main([str(results), f"output={tmp_path}/../{tmp_path.name}/a.{ending}"])
    assert snapshot(tmp_path) == before


def test_a_page_that_cannot_be_written_keeps_the_older_one(tmp_path, monkeypatch):
    results = write(tmp_path / "a.jsonl", heard("x"))
    (tmp_path / "report.html").write_text("an older page")
    before = snapshot(tmp_path)
    with pytest.raises(InputError, match="cannot be written"):
        main([str(results), f"output={results}/page.html"])

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    message = r"report\.html: cannot be written \(No space left on device\); the older"
    with pytest.raises(InputError, match=message):
        main([str(results)])
    assert snapshot(tmp_path) == before
