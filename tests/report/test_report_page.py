"""The page of `speechgru report`, as a user sees it in a browser."""

import base64
import json
import random
import re
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from speechgru.cli.report import main
from speechgru.files import to_json
from speechgru.interfaces import Span
from speechgru.report.page import worst_first
from speechgru.score.alignment import align_characters
from speechgru.score.calibration import calibrate
from speechgru.score.results import Result, make_result, write_results
from speechgru.score.summary import percent, summarise

try:
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.select import Select
    from selenium.webdriver.support.wait import WebDriverWait
except ImportError:
    pytest.skip(
        "selenium is not installed; it is in the extra dev: pip install '.[dev]'",
        allow_module_level=True,
    )

SAMPLE_RATE = 16000
SECONDS = 2.0  # of every utterance that can be heard
WORST = 12
ATTACK = """<img/src=x/onerror="hacked=1">"""
# Numbers as names, since objects of JavaScript put those first.
SPEAKERS = ("ann", "1089", "bob", "121", ATTACK, "שלום 😀", None)
LONG = "LLANFAIRPWLLGWYNGYLLGOGERYCHWYRNDROBWLLLLANTYSILIOGOGOGOCH"


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window."""
    names = ("chromium", "chromium-browser", "google-chrome")
    binary = next(filter(None, map(shutil.which, names)), None)
    chromedriver = shutil.which("chromedriver")
    if binary is None:
        pytest.skip("no browser; it is in Debian's package chromium")
    if chromedriver is None:
        pytest.skip("no chromedriver; it is in Debian's package chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for switch in (
        *("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run"),
        *("disable-background-networking", "disable-component-update", "mute-audio"),
        *("disable-sync", "window-size=1280,900"),
        "autoplay-policy=no-user-gesture-required",
    ):
        options.add_argument(f"--{switch}")
    options.set_capability(
        "goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"}
    )
    service = webdriver.ChromeService(chromedriver)
    try:
        driver = webdriver.Chrome(options=options, service=service)
    except WebDriverException as error:
        pytest.skip(f"{binary} does not start: {error.msg}")
    yield driver
    driver.quit()


def sing(path: Path, *frequencies: float) -> Path:
    """SECONDS of sound, divided among the frequencies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(int(SECONDS * SAMPLE_RATE / len(frequencies))) / SAMPLE_RATE
    tones = [0.5 * np.sin(2 * np.pi * frequency * time) for frequency in frequencies]
    soundfile.write(path, np.concatenate(tones), SAMPLE_RATE)
    return path


def mishear(generator: random.Random, said: list[str]) -> list[str]:
    """Lose, replace and invent words."""
    heard = []
    for word in said:
        chance = generator.random()
        if chance > 0.15:
            heard.append(word)
        elif chance > 0.05:
            heard.append(generator.choice(["GO", "ON", "IN"]))
        if generator.random() < 0.05:
            heard.append("UM")
    return heard


def spread(words: list[str]) -> tuple[Span, ...]:
    """Words that begin at equal distances over SECONDS, surer and surer."""
    step = SECONDS / max(1, len(words))
    return tuple(
        Span(word, step * i, step * (i + 0.5), (i + 1) / len(words))
        for i, word in enumerate(words)
    )


@dataclass(frozen=True)
class Written:
    """A page and what it was made of."""

    path: Path
    results: list[Result]

    def __getitem__(self, id: str) -> Result:
        (found,) = (result for result in self.results if result.id == id)
        return found


@pytest.fixture(scope="module")
def large(tmp_path_factory, checkpoint) -> Written:
    """A run with 253 utterances, of which the worst can be heard."""
    folder = tmp_path_factory.mktemp("large")
    generator = random.Random(7)
    results = []
    for index in range(250):
        said = generator.choices(["GO", "ON", "UP", "DOWN", "LEFT"], k=1 + index % 9)
        heard = mishear(generator, said)
        known = {
            "speaker": SPEAKERS[index % len(SPEAKERS)],
            "duration": generator.choice([1.5, SECONDS, 3.3, 7.0]),
            "confidence": generator.choice([None, 0.25, generator.random()]),
        }
        texts = " ".join(said), " ".join(heard)
        results.append(
            make_result(f"u{index * 83 % 250:03d}", *texts, "levenshtein", **known)
        )
    results += [
        make_result(
            f"attack-{ATTACK}",
            *(f"{ATTACK} GO", f"{ATTACK} {ATTACK} GO", "levenshtein"),
            duration=SECONDS,
            words=spread([ATTACK, ATTACK, "GO"]),
        ),
        make_result("empty", "", "UM", "levenshtein"),
        make_result("right-to-left", "שלום עולם", "שלום", "levenshtein"),
    ]
    spoken = {result.id for result in worst_first(results)[:WORST]}
    results = [
        replace(
            result,
            duration=SECONDS,
            audio_path=sing(folder / f"wav/{result.id}.wav", 500, 4000),
            words=spread(result.hypothesis.split()),
        )
        if result.id in spoken
        else result
        for result in results
    ]
    (folder / "config.yaml").write_text(f"recipe: '{ATTACK}'\n")
    metrics = folder / "metrics/version_0/metrics.csv"
    metrics.parent.mkdir(parents=True)
    rows = [f"{i},{9 / (i + 1)},{6 / (i + 1)},{1 / (i + 1)}\n" for i in range(8)]
    head = "epoch,train/loss,val/loss,val/wer\n"
    metrics.write_text(head + "".join(rows) + "8,nan,nan,\n")
    return write_page(folder, results, f"checkpoint={checkpoint}", f"worst={WORST}")


@pytest.fixture(scope="module")
def linked(tmp_path_factory) -> Written:
    """Sound only in files, one of which is gone."""
    folder = tmp_path_factory.mktemp("linked")
    audio = sing(folder / "wav/ä #1.wav", 500)
    words = tuple(replace(word, confidence=None) for word in spread(["GO", "IN"]))
    results = [
        make_result(id, "GO ON", "GO IN", "levenshtein", words=words, **known)
        for id, known in {
            "gone": {"audio_path": folder / "gone.wav", "duration": SECONDS},
            "part": {"audio_path": audio, "offset": 0.5, "duration": 1.0},
            "timeless": {"audio_path": audio},
            "whole": {"audio_path": audio, "duration": SECONDS},
        }.items()
    ]
    return write_page(folder, results, "worst=0", "link_audio=true")


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> tuple[Written, Written]:
    """Two systems in one page, long words and long names."""
    folder = tmp_path_factory.mktemp("pair")
    audio = sing(folder / "a.wav", 500)
    known = {"audio_path": audio, "duration": SECONDS}
    systems = [
        [
            make_result(
                *(LONG, f"GO {LONG}", f"{heard} {LONG}", "levenshtein"),
                words=spread(f"{heard} A B C D E F G H {LONG}".split()),
                speaker=LONG,
                **known,
            ),
            make_result("other", "GO", other, "levenshtein", speaker="ann", **known),
        ]
        for heard, other in (("ON", "UP"), ("GO", "GO UP"))
    ]
    paths = [folder / f"{number}_{LONG}.jsonl" for number in ("first", "second")]
    for path, results in zip(paths, systems, strict=True):
        write_results(path, results)
    assert main([*map(str, paths), "worst=1"]) == 0
    first, second = (Written(folder / "report.html", results) for results in systems)
    return first, second


def write_page(folder: Path, results: list[Result], *options: str) -> Written:
    write_results(folder / "results.jsonl", results)
    described = {"corpus": "a", "split": "test", "checkpoint": "best.ckpt"}
    (folder / "results.summary.json").write_bytes(
        to_json(described | summarise(results).to_record())
    )
    assert main([str(folder), *options]) == 0
    return Written(folder / "report.html", results)


@dataclass(frozen=True)
class Row:
    """An utterance in the list."""

    id: str
    edits: str
    has_sound: bool
    facts: str


class View:
    """What a user sees and does."""

    def __init__(self, browser) -> None:
        self.browser = browser
        self.wait = WebDriverWait(browser, 20)
        self.requested: list[str] = []

    def open(self, written: Written) -> "View":
        self.browser.get(written.path.as_uri())
        return self

    def find(self, selector: str):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector: str) -> list:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def press(self, *keys: str) -> None:
        ActionChains(self.browser).send_keys(*keys).perform()

    def choose(self, label: str, text: str) -> None:
        Select(self.find(f"select[aria-label={label}]")).select_by_visible_text(text)

    def search(self, text: str) -> None:
        self.find("input[type=search]").clear()
        self.find("input[type=search]").send_keys(text)

    def count(self) -> tuple[int, int]:
        shown, _, total = self.find("output").text.partition(" of ")
        return int(shown), int(total)

    def drawn_rows(self) -> list[Row]:
        texts = self.browser.execute_script(
            "return [...document.querySelectorAll('#list .meta')].map(e => e.innerText)"
        )
        rows = []
        for head, _, facts in (text.partition("\n") for text in texts):
            edits, _, rest = head.partition(" of ")
            num_words, _, id = rest.partition(" ")
            id, has_sound = id.removeprefix("♪ "), id.startswith("♪ ")
            rows.append(Row(id, f"{edits}/{num_words}", has_sound, facts))
        return rows

    def rows(self) -> list[Row]:
        """All, drawn by scrolling."""

        def is_complete(_) -> bool:
            self.browser.execute_script("scrollTo(0, document.body.scrollHeight)")
            return len(self.drawn_rows()) == self.count()[0]

        self.wait.until(is_complete)
        return self.drawn_rows()

    def ids(self) -> list[str]:
        return [row.id for row in self.rows()]

    def table(self, section: str) -> list[list[str]]:
        return self.browser.execute_script(
            "return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)].map("
            "row => [...row.cells].map(cell => cell.innerText.trim()))",
            section,
        )

    def opened(self) -> list[str]:
        """The ids of the utterances that are open."""
        heads = self.find_all("button[aria-expanded=true] .meta")
        return [head.text.partition("\n")[0].rpartition(" ")[2] for head in heads]

    def click(self, element, share: float = 0.5) -> None:
        """Click at a share of its width, away from what floats above the page."""
        self.browser.execute_script(
            "arguments[0].scrollIntoView({block: 'center'})", element
        )
        x = round((share - 0.5) * element.rect["width"])
        pointer = ActionChains(self.browser)
        pointer.move_to_element_with_offset(element, x, 0).click().perform()

    def click_row(self, id: str) -> None:
        index = [row.id for row in self.drawn_rows()].index(id)
        self.click(self.find_all("#list > li > button")[index])

    def audio(self):
        """The player, once it knows its sound; it plays slowly."""
        audio = self.find("audio")
        self.wait.until(lambda _: audio.get_property("readyState") >= 1)
        self.browser.execute_script("arguments[0].playbackRate = 0.25", audio)
        return audio

    def plays(self) -> None:
        """See that the sound goes on."""
        audio = self.audio()
        start = audio.get_property("currentTime")
        self.wait.until(
            lambda _: (
                audio.get_property("currentTime") > start or audio.get_property("ended")
            )
        )

    def pixels(self, name: str) -> np.ndarray:
        """(height, width, RGBA) of the picture whose name begins so."""
        path = f"//*[starts-with(text(), '{name}')]/following-sibling::canvas[1]"
        image = self.browser.execute_script(
            "return arguments[0].toDataURL()", self.browser.find_element(By.XPATH, path)
        )
        content = BytesIO(base64.b64decode(image.partition(",")[2]))
        return np.asarray(Image.open(content).convert("RGBA")).astype(int)

    def background(self) -> tuple[int, ...]:
        color = self.find("body").value_of_css_property("background-color")
        return tuple(map(int, re.findall(r"\d+", color)[:3]))

    def messages(self) -> list[str]:
        return [entry["message"] for entry in self.browser.get_log("browser")]

    def requests(self) -> list[str]:
        """What the browser has asked for; its log is emptied by reading."""
        for entry in self.browser.get_log("performance"):
            event = json.loads(entry["message"])["message"]
            if event["method"] == "Network.requestWillBeSent":
                self.requested.append(event["params"]["request"]["url"])
        return self.requested


@pytest.fixture
def view(browser):
    """A browser whose page, whatever a test does, errs not and loads nothing."""
    View(browser).messages(), View(browser).requests()
    view = View(browser)
    yield view
    assert view.messages() == []
    assert view.requests()
    for url in view.requests():
        assert url.startswith(("file:", "data:", "blob:"))


def seek(results: list[Result], query: str) -> set[str]:
    """The ids of results that hold every word of the query somewhere."""
    found = set()
    for result in results:
        text = f"{result.id} {result.reference} {result.hypothesis}".lower()
        if all(word in text for word in query.lower().split()):
            found.add(result.id)
    return found


def edit_kinds(result: Result) -> set[str]:
    return {pair.edit for pair in result.alignment}


def rate(result: Result) -> float:
    return result.word_errors.rate


def test_the_page_alone_is_loaded(large, view):
    view.open(large)
    view.click_row(worst_first(large.results)[0].id)
    view.audio()
    entries = view.browser.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    first, *others = view.requests()
    assert first == large.path.as_uri()
    assert all(url.startswith(("data:", "blob:")) for url in (*entries, *others))


def test_rates_are_those_of_the_summary(large, view):
    view.open(large)
    summary = summarise(large.results)
    text = view.find("#summary").text
    for rate in (summary.words, summary.characters, summary.sentences):
        assert f"{percent(rate.counts.rate)} %" in text
        assert f"[{percent(rate.low)}, {percent(rate.high)}]" in text
    counts = summary.words.counts
    assert f"{counts.substitutions} substitutions" in text
    assert f"{counts.deletions} deletions" in text
    assert f"{counts.insertions} insertions" in text
    speakers = sorted(summary.by_speaker.items(), key=lambda item: -item[1].counts.rate)
    for section, rates in (
        ("speakers", speakers),
        ("lengths", summary.by_length.items()),
    ):
        assert [row[:3] for row in view.table(section)] == [
            [
                name,
                str(rate.counts.reference_length),
                percent(rate.counts.rate).replace("inf", "∞"),
            ]
            for name, rate in rates
        ]


def test_learning_curves_are_drawn_where_there_are_numbers(large, view):
    view.open(large)
    lines = [
        [tuple(map(float, point.split(","))) for point in line.split()]
        for line in (
            e.get_attribute("points") for e in view.find_all("#learning polyline")
        )
    ]
    # val/wer, train/loss and val/loss; nothing of the last epoch, which is NaN.
    assert [len(line) for line in lines] == [8, 8, 8]
    for line in lines:
        assert line == sorted(line)
        heights = [y for _, y in line]
        assert heights == sorted(heights)
    titles = [svg.text.split("\n") for svg in view.find_all("#learning svg")]
    assert titles[0][0] == "error rate on dev (%)"
    assert titles[1][0] == "loss"
    legend = [text.partition(" ")[0] for text in titles[1]]
    assert {"train", "dev"} < set(legend)
    epochs = {tick for title in titles for tick in title if tick.isdigit()}
    assert epochs >= {"2", "4", "6", "8"}


def test_confidences_are_held_against_what_was_said(large, view):
    view.open(large)
    bins = calibrate(large.results).bins
    assert len(bins) > 3
    points = view.find_all("#calibration circle")
    titles = [point.get_property("textContent") for point in points]
    assert titles == [
        f"{one.num_words} words: confidence {100 * one.confidence:.2f} %, right "
        f"{100 * one.accuracy:.2f} %"
        for one in bins
    ]


ORDERS = {
    "most errors first": lambda r: (-r.word_errors.edits, -rate(r)),
    "highest WER first": lambda r: (-rate(r), -r.word_errors.edits),
    "least confident first": lambda r: (r.confidence is None, r.confidence or 0),
    "longest first": lambda r: -(r.duration or 0),
    "by id": lambda _: 0,
}


def test_rows_are_in_the_order_asked_for(large, view):
    view.open(large)
    assert [row.id for row in view.drawn_rows()] == [
        result.id for result in worst_first(large.results)[: len(view.drawn_rows())]
    ]
    for name, key in ORDERS.items():
        view.choose("Order", name)
        expected = sorted(large.results, key=lambda r: (key(r), r.id))
        assert view.ids() == [result.id for result in expected]


def test_rows_tell_of_their_utterances(large, view):
    for row in view.open(large).rows():
        result = large[row.id]
        errors = result.word_errors
        assert row.edits == f"{errors.edits}/{errors.reference_length}"
        facts = [
            result.speaker,
            None if result.duration is None else f"{result.duration:.1f} s",
            None
            if result.confidence is None
            else f"confidence {result.confidence:.2f}",
        ]
        assert row.facts == ", ".join(filter(None, facts))
        assert row.has_sound == (result.audio_path is not None)


def test_scrolling_draws_the_rest(large, view):
    view.open(large)
    numbers = [len(view.drawn_rows())]
    assert numbers[0] < len(large.results)
    while numbers[-1] < len(large.results):
        view.press(Keys.END)
        view.wait.until(lambda _: len(view.drawn_rows()) > numbers[-1])
        numbers.append(len(view.drawn_rows()))
    assert numbers[-1] == len(large.results)


@pytest.mark.parametrize(
    "query", ["u17", "DOWN", "down  lef", "Um go 1", "nowhere", "<img", " "]
)
def test_search_finds_words_and_ids(large, view, query):
    view.open(large).search(query)
    expected = seek(large.results, query)
    assert view.count() == (len(expected), len(large.results))
    assert set(view.ids()) == expected
    marks = {mark.text.lower() for mark in view.find_all("mark")[:20]}
    assert bool(marks) == bool(query.split() and expected)
    for mark in marks:
        assert any(word in mark for word in query.lower().split())


def test_filters_combine_and_are_cleared(large, view):
    view.open(large)
    total = len(large.results)
    kinds = {
        "with errors": lambda r: r.word_errors.edits > 0,
        "with substitutions": lambda r: "S" in edit_kinds(r),
        "with deletions": lambda r: "D" in edit_kinds(r),
        "with insertions": lambda r: "I" in edit_kinds(r),
        "without errors": lambda r: r.word_errors.edits == 0,
        "all utterances": lambda r: True,
    }
    for name, passes in kinds.items():
        view.choose("Errors", name)
        expected = {result.id for result in large.results if passes(result)}
        assert view.count() == (len(expected), total)
        assert set(view.ids()) == expected != set()
    for speaker in (*SPEAKERS[:-1], "(not known)"):
        view.choose("Speaker", speaker)
        expected = {
            r.id for r in large.results if (r.speaker or "(not known)") == speaker
        }
        assert set(view.ids()) == expected != set()
    view.choose("Speaker", "121")
    view.choose("Errors", "with deletions")
    view.search("left")
    expected = {
        *(r.id for r in large.results if r.speaker == "121" and "D" in edit_kinds(r))
    } & seek(large.results, "left")
    assert set(view.ids()) == expected != set()
    view.click(view.find("#clear"))
    assert view.count() == (total, total)
    assert view.find("input[type=search]").get_property("value") == ""
    chosen = [
        Select(view.find(f"select[aria-label={x}]")) for x in ("Speaker", "Errors")
    ]
    texts = [select.first_selected_option.text for select in chosen]
    assert texts == ["all speakers", "all utterances"]


def test_a_confusion_shows_where_it_happened(large, view):
    view.open(large)
    pairs = [
        (result.id, pair)
        for result in large.results
        for pair in result.alignment
        if pair.edit != "C"
    ]
    counts = Counter(tuple(word or "nothing" for word in pair) for _, pair in pairs)
    table = view.table("confusions")
    assert {(said, heard): int(times) for said, heard, times in table} == counts
    assert [int(times) for *_, times in table] == sorted(counts.values(), reverse=True)
    for words in (("GO", "nothing"), ("nothing", "UM"), ("LEFT", "GO")):
        index = [tuple(row[:2]) for row in view.table("confusions")].index(words)
        view.click(view.find_all("#confusions tbody tr")[index])
        expected = {
            id for id, pair in pairs if tuple(w or "nothing" for w in pair) == words
        }
        assert set(view.ids()) == expected
        assert view.count() == (len(expected), len(large.results))
        said, heard = words
        assert view.find("#pair").text == f"Only where {said} was taken for {heard}."
    view.choose("Speaker", "ann")
    expected = {id for id in expected if large[id].speaker == "ann"}
    assert set(view.ids()) == expected
    view.press(Keys.ESCAPE)
    assert view.count() == (len(large.results), len(large.results))
    assert not view.find("#pair").is_displayed()


def test_errors_of_characters_are_counted(large, view):
    view.open(large)
    counts = Counter(
        tuple({None: "nothing", " ": "space"}.get(text, text) for text in pair)
        for result in large.results
        for pair in align_characters(result.reference, result.hypothesis)
        if pair.edit != "C"
    )
    table = view.table("characters")
    assert len(table) == min(100, len(counts))
    assert all(counts[said, heard] == int(times) for said, heard, times in table)
    assert int(table[0][2]) == max(counts.values())


def test_a_confusion_of_characters_shows_an_utterance_that_has_it(large, view):
    view.open(large)
    row = view.find_all("#characters tbody tr")[0]
    said, heard = (
        {"nothing": None, "space": " "}.get(cell.text, cell.text)
        for cell in row.find_elements(By.TAG_NAME, "td")[:2]
    )
    view.click(row)
    pairs = align_characters(
        large[view.ids()[0]].reference, large[view.ids()[0]].hypothesis
    )
    assert (said, heard) in [(pair.reference, pair.hypothesis) for pair in pairs]


def test_error_rates_are_told_by_loudness_and_pace(view, tmp_path):
    loud = sing(tmp_path / "loud.wav", 440.0)
    soft = tmp_path / "soft.wav"
    soundfile.write(soft, 0.01 * soundfile.read(loud)[0], SAMPLE_RATE)
    results = [
        make_result(
            f"{path.stem}{index}",
            *("GO ON " * (1 + index % 5), text, "levenshtein"),
            duration=SECONDS,
            audio_path=path,
        )
        for index in range(15)
        for path, text in ((loud, "GO"), (soft, ""))
    ]
    view.open(write_page(tmp_path, results, "checkpoint=false", "worst=1"))
    levels = [row[:1] + row[2:3] for row in view.table("levels")]
    assert [name for name, _ in levels] == ["-49 to -49", "-9 to -9"]
    assert levels[0][1] == "100.00"
    paces = [row[0] for row in view.table("paces")]
    assert paces == [f"{2 * n:.1f} to {2 * n:.1f}" for n in range(1, 6)]
    write_page(tmp_path, results, "checkpoint=false", "worst=1", "levels=false")
    view.open(Written(tmp_path / "report.html", []))
    assert view.table("levels") == []


def test_words_are_told_by_their_frequency_in_training(view, tmp_path):
    (tmp_path / "config.yaml").write_text("{}\n")
    (tmp_path / "data.jsonl").write_text('{"split": "train", "text": "GO GO"}\n')
    result = make_result("a", "GO ON UP GO", "GO ON UM UM UM", "levenshtein")
    write_results(tmp_path / "a.jsonl", [result])
    assert main([str(tmp_path / "a.jsonl")]) == 0
    view.open(Written(tmp_path / "report.html", []))
    rows = [row[:3] for row in view.table("frequencies")]
    assert rows == [["0", "2", "50.00"], ["2-4", "2", "50.00"]]
    said = view.find("#frequencies p").text
    assert said.startswith("2 words said, 50.00 %, never occur in training")


def test_kinds_of_errors_are_listed_up_to_a_number(view, tmp_path):
    said = " ".join(f"w{number}" for number in range(400))
    write_results(tmp_path / "a.jsonl", [make_result("a", said, "", "levenshtein")])
    assert main([str(tmp_path / "a.jsonl")]) == 0
    view.open(Written(tmp_path / "report.html", []))
    assert len(view.table("confusions")) == 300
    assert view.find("#confusions p").text == "The 300 most frequent of 400 kinds."


def test_a_speaker_in_the_table_is_picked(large, view):
    view.open(large)
    for how, speaker in (
        (view.click, "1089"),
        (lambda row: row.send_keys(Keys.ENTER), ATTACK),
    ):
        index = [row[0] for row in view.table("speakers")].index(speaker)
        how(view.find_all("#speakers tbody tr")[index])
        expected = {r.id for r in large.results if r.speaker == speaker}
        assert set(view.ids()) == expected
        chosen = Select(view.find("select[aria-label=Speaker]"))
        assert chosen.first_selected_option.text == speaker


def test_keys_do_what_the_help_says(large, view):
    view.open(large)
    first, second, third = (result.id for result in worst_first(large.results)[:3])
    view.press("?")
    help = view.find("dialog")
    assert help.is_displayed()
    names = [term.text for term in help.find_elements(By.TAG_NAME, "dt")]
    assert names == ["j, k", "Enter", "Space", "/", "Esc", "t"]
    view.press(Keys.ESCAPE)
    assert not help.is_displayed()
    view.press("j", Keys.ENTER)
    assert view.opened() == [first]
    view.press("j")
    assert view.opened() == []
    view.press("j", Keys.ENTER)
    assert view.opened() == [third]
    view.press("k", Keys.ENTER)
    assert view.opened() == [second]
    view.press(Keys.ENTER)
    assert view.opened() == []
    view.press("k", "k", "k", Keys.SPACE)
    assert view.opened() == [first]
    view.plays()
    view.press(Keys.SPACE)
    assert view.audio().get_property("paused")
    before = view.background()
    view.press("t")
    assert view.background() != before
    view.press("/", "u", "1")
    search = view.find("input[type=search]")
    assert view.browser.switch_to.active_element == search
    assert search.get_property("value") == "u1"
    assert view.count()[0] == len(seek(large.results, "u1"))
    view.press(Keys.ESCAPE)
    assert search.get_property("value") == ""
    assert view.count()[0] == len(large.results)
    assert view.browser.switch_to.active_element != search
    view.press("j", Keys.ENTER)
    assert view.opened() == [first]


def test_keys_follow_the_row_in_focus(large, view):
    view.open(large)
    first, second, third = (result.id for result in worst_first(large.results)[:3])
    view.click_row(second)
    view.press("j", Keys.ENTER)
    assert view.opened() == [third]
    back = ActionChains(view.browser).key_down(Keys.SHIFT)
    back.send_keys(Keys.TAB, Keys.TAB).key_up(Keys.SHIFT).send_keys(Keys.ENTER)
    back.perform()
    assert view.opened() == [first]


def test_typing_a_search_presses_no_keys(large, view):
    view.open(large)
    before = view.background()
    typed = "jk t?/ u"
    view.search(typed)
    assert view.find("input[type=search]").get_property("value") == typed
    assert view.background() == before
    assert not view.find("dialog").is_displayed()
    view.find("input[type=search]").send_keys(Keys.ENTER)
    assert view.opened() == []


def test_the_help_takes_all_keys_while_it_is_open(large, view):
    view.open(large)
    before = view.background()
    view.search("u1")
    found = view.count()
    view.find("#help-button").click()
    view.press("t", "/", "x")
    assert view.background() == before
    view.press(Keys.ESCAPE)
    assert not view.find("dialog").is_displayed()
    assert view.count() == found
    view.press(Keys.ESCAPE)
    assert view.count()[0] == len(large.results)


def test_buttons_do_what_the_keys_do(large, view):
    view.open(large)
    view.find("#help-button").click()
    assert view.find("dialog").is_displayed()
    view.find("dialog button").click()
    assert not view.find("dialog").is_displayed()
    before = view.background()
    view.find("#theme").click()
    assert view.background() != before
    view.find("#theme").click()
    assert view.background() == before


def test_the_page_is_as_dark_as_the_system(large, view):
    backgrounds = {}
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        view.browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [feature]}
        )
        backgrounds[scheme] = view.open(large).background()
        view.press("t")
        backgrounds[f"not {scheme}"] = view.background()
    view.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert min(backgrounds["light"]) > 200
    assert max(backgrounds["dark"]) < 60
    assert backgrounds["not light"] == backgrounds["dark"]
    assert backgrounds["not dark"] == backgrounds["light"]


def test_an_opened_utterance_is_heard(large, view):
    view.open(large)
    id = worst_first(large.results)[3].id
    view.click_row(id)
    audio = view.audio()
    assert audio.get_property("duration") == pytest.approx(SECONDS, abs=0.01)
    assert audio.get_property("paused")
    view.press(Keys.SPACE)
    view.plays()
    view.press(Keys.SPACE)
    assert audio.get_property("paused")
    view.press(Keys.SPACE)
    view.plays()
    view.browser.execute_script("heard = arguments[0]", audio)
    view.click_row(id)
    assert view.opened() == []
    assert view.find_all("audio") == []
    assert view.browser.execute_script("return heard.paused")


def test_what_is_played_is_the_file_of_the_utterance(large, view):
    view.open(large)
    result = worst_first(large.results)[0]
    view.click_row(result.id)
    played = view.browser.execute_async_script(
        "const [audio, done] = arguments;"
        "fetch(audio.src).then((answer) => answer.arrayBuffer())"
        ".then((content) => done([...new Uint8Array(content)]))",
        view.audio(),
    )
    samples, sample_rate = soundfile.read(BytesIO(bytes(played)))
    assert sample_rate == SAMPLE_RATE
    expected, _ = soundfile.read(result.audio_path)
    # Browsers differ in whether the largest sample is 1.
    assert np.abs(samples - expected).max() <= 1 / 32767


def test_a_click_into_the_spectrogram_plays_from_there(large, view):
    view.open(large)
    view.click_row(worst_first(large.results)[0].id)
    audio, picture, head = view.audio(), view.find("canvas"), view.find(".playhead")
    for share in (0.95, 0.2, 0.75):
        view.click(picture, share)
        x = picture.rect["x"] + share * picture.rect["width"]
        view.wait.until(lambda _, x=x: abs(head.rect["x"] - x) < 3)
        view.wait.until(lambda _: not audio.get_property("seeking"))
        time = audio.get_property("currentTime")
        assert time == pytest.approx(share * SECONDS, abs=0.01)
    view.press(Keys.SPACE)
    view.plays()


def test_spectrogram_and_posteriors_are_drawn(large, view):
    view.open(large)
    view.click_row(worst_first(large.results)[0].id)
    mels, posteriors = [], []
    for _ in range(2):
        mels.append(view.pixels("log-mel spectrogram")[..., :3].sum(axis=-1))
        posteriors.append(view.pixels("CTC posteriors"))
        view.press("t")
    light, dark = mels if view.background() > (128,) * 3 else mels[::-1]
    assert light.shape == (80, 201)
    for mel in (-light, dark):
        loudest = mel.argmax(axis=0)
        low, high = loudest[:95], loudest[105:-1]
        assert len(set(low)) == len(set(high)) == 1
        assert low[0] - 20 > high[0]
    for picture in posteriors:
        drawn = picture[picture[..., 3] == 255][:, :3]
        assert len(np.unique(drawn, axis=0)) > 1
        columns = (picture[..., 3] > 0).any(axis=0)
        assert columns.mean() > 0.95
    assert not np.array_equal(*posteriors)


def test_words_stand_at_their_times(large, view):
    view.open(large)
    result = max(worst_first(large.results)[:WORST], key=lambda r: len(r.words))
    view.click_row(result.id)
    stage = view.find("canvas").rect
    spans = view.find_all(".spans span")
    assert [span.text for span in spans] == [word.text for word in result.words]
    assert len(spans) > 3
    for span, word in zip(spans, result.words, strict=True):
        share = (span.rect["x"] - stage["x"]) / stage["width"]
        assert share == pytest.approx(word.start / SECONDS, abs=0.002)
        assert span.rect["width"] == pytest.approx(
            stage["width"] * (word.end - word.start) / SECONDS, abs=3
        )
        times = f"{word.start:.2f}-{word.end:.2f} s, confidence {word.confidence:.2f}"
        assert span.get_attribute("title") == times


def test_an_utterance_without_sound_says_why(large, pair, view):
    view.open(large)
    silent = next(r for r in worst_first(large.results) if r.audio_path is None)
    view.click_row(silent.id)
    assert "the results do not say where its audio lies" in view.find(".detail").text
    assert view.find_all("audio") == []
    view.press(Keys.SPACE)
    view.open(pair[0])
    view.click_row(LONG)
    assert "worst=N" in view.find(".detail").text


@pytest.mark.parametrize(("id", "start", "end"), [("whole", 0, 2), ("part", 0.5, 1.5)])
def test_a_linked_file_is_played(linked, view, id, start, end):
    view.open(linked)
    view.click_row(id)
    audio, head, words = view.audio(), view.find(".playhead"), view.find(".spans")

    def is_at(time: float):
        share = (time - start) / (end - start)
        x = words.rect["x"] + share * words.rect["width"]
        return lambda _: abs(head.rect["x"] - x) < 3

    view.wait.until(lambda _: audio.get_property("currentTime") == start)
    view.wait.until(is_at(start))
    view.click(words)
    middle = (start + end) / 2
    assert audio.get_property("currentTime") == pytest.approx(middle, abs=0.01)
    view.wait.until(is_at(middle))
    view.press(Keys.SPACE)
    view.wait.until(lambda _: audio.get_property("paused"))
    view.wait.until(is_at(end))
    view.press(Keys.SPACE)
    view.wait.until(lambda _: start < audio.get_property("currentTime") < end)


def test_a_file_of_unknown_length_goes_on_from_where_it_is(linked, view):
    view.open(linked)
    view.click_row("timeless")
    audio = view.audio()
    view.browser.execute_script("arguments[0].currentTime = 1", audio)
    view.press(Keys.SPACE)
    view.plays()
    assert audio.get_property("currentTime") > 1


def test_a_linked_file_that_is_gone_is_told(linked, view):
    view.open(linked)
    view.click_row("gone")
    message = "No sound can be loaded from gone.wav"
    view.wait.until(lambda _: message in view.find(".detail").text)
    view.press(Keys.SPACE)
    (message,) = view.messages()
    assert "gone.wav" in message


def test_another_system_shows_its_own_utterances(pair, view):
    first, second = pair
    view.open(first)
    names = [f"first_{LONG}", f"second_{LONG}"]
    assert [button.text for button in view.find_all("nav button")] == names
    assert [row[:2] for row in view.table("comparison")] == [
        [names[0], "66.67"],
        [names[1], "33.33"],
    ]
    compared = view.find("#comparison").text
    assert f"{names[1]} less {names[0]}: -33.33 points" in compared
    assert view.ids() == ["other", LONG]
    view.search("other")
    confusions = [["GO", "ON", "1"], ["GO", "UP", "1"]], [["nothing", "UP", "1"]]
    for index, system in ((1, second), (0, first)):
        view.click(view.find_all("nav button")[index])
        # The filter was that of the system before.
        assert view.ids() == [result.id for result in worst_first(system.results)]
        assert view.table("confusions") == confusions[index]
        assert f"{names[index]}.jsonl" in view.find("#about").text
        rates = summarise(system.results).words
        assert f"{percent(rates.counts.rate)} %" in view.find("#summary").text


def test_systems_are_seen_side_by_side(view, tmp_path):
    heard = {
        "alike": ("GO IN", "GO IN", "GO IN"),
        "behind": ("UP", "GO ON", "GO"),
        "better": ("GO ON", "GO", "GO ON"),
        "otherwise": ("GO UP", "GO OUT", "GO IN"),
    }
    names = ("a", "b", "c")
    for index, name in enumerate(names):
        write_results(
            tmp_path / f"{name}.jsonl",
            [
                make_result(id, "GO ON", texts[index], "levenshtein")
                for id, texts in heard.items()
            ],
        )
    assert main([str(tmp_path / f"{name}.jsonl") for name in names]) == 0
    view.open(Written(tmp_path / "report.html", []))
    view.choose("Order", "furthest behind the other systems first")
    assert view.ids() == ["behind", "alike", "otherwise", "better"]
    view.choose("Errors", "heard otherwise by another system")
    assert view.ids() == ["behind", "otherwise", "better"]
    view.click_row("behind")
    others = [
        [part.text for part in row.find_elements(By.CSS_SELECTOR, ".meta, .text > *")]
        for row in view.find_all(".other")
    ]
    assert others == [["0 of 2 b", "GO", "ON"], ["1 of 2 c", "GO", "ON"]]
    assert view.find_all(".other .D")[0].text == "ON"
    view.click(view.find_all("nav button")[1])
    view.choose("Order", "furthest behind the other systems first")
    assert view.ids()[0] == "better"


def test_one_system_is_compared_with_none(large, view):
    view.open(large)
    texts = [option.text for option in view.find_all("option")]
    assert "without errors" in texts
    assert not any("system" in text for text in texts)


def test_why_systems_are_not_compared_is_said(view, tmp_path):
    paths = [tmp_path / f"{name}.jsonl" for name in "ab"]
    for path in paths:
        write_results(path, [make_result(path.stem, "GO", "GO", "levenshtein")])
    assert main(list(map(str, paths))) == 0
    view.open(Written(tmp_path / "report.html", []))
    assert (
        "Not compared: they are results of different" in view.find("#comparison").text
    )
    assert "No errors." in view.find("#summary").text


def test_a_transcript_is_only_text(large, view):
    view.open(large)
    view.search(ATTACK)
    (id,) = (result.id for result in large.results if result.id.startswith("attack"))
    assert id in view.ids()
    view.click_row(id)
    words = [ATTACK, ATTACK, "GO"]
    assert view.find("button[aria-expanded=true] .text").text.split() == words
    assert [span.text for span in view.find_all(".spans span")] == words
    view.press(Keys.ESCAPE)
    row = view.table("confusions").index(["nothing", ATTACK, "1"])
    view.click(view.find_all("#confusions tbody tr")[row])
    assert view.find("#pair").text == f"Only where nothing was taken for {ATTACK}."
    view.click(view.find("summary"))
    assert ATTACK in view.find("details").text
    assert view.find_all("img") == []
    assert view.browser.execute_script("return window.hacked") is None


def test_words_are_read_from_where_their_script_begins(large, view):
    view.open(large)
    for id, towards_right in (("right-to-left", False), ("attack", True)):
        view.search(id)
        first, *_, last = view.find_all("#list .text > span")
        assert (first.rect["x"] < last.rect["x"]) == towards_right


@pytest.mark.parametrize("width", [400, 700, 1000, 1280])
def test_a_window_of_any_width_shows_the_page(large, pair, view, width):
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    view.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        for written in (large, pair[0]):
            view.open(written)
            # Down and up again, so that the row stands at the upper edge.
            for keys in ("j", "j", "j" * 20 + "k" * 19):
                view.press(*keys, Keys.ENTER)
                html = view.find("html")
                seen = html.get_property("clientWidth")
                assert seen > width - 20
                assert html.get_property("scrollWidth") <= seen
                is_on_top = view.browser.execute_script(
                    "const {x, y} = arguments[0].getBoundingClientRect();"
                    "return arguments[0].contains(document.elementFromPoint(x, y + 3))",
                    view.find("button[aria-expanded=true]"),
                )
                assert is_on_top
    finally:
        view.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_long_names_of_speakers_do_not_push_their_rates_out_of_sight(pair, view):
    view.open(pair[0])
    table = view.find("#speakers .scroll")
    assert table.get_property("scrollWidth") <= table.get_property("clientWidth")
    # All of a name is there to be read and copied.
    assert LONG in view.find("#speakers").get_property("textContent")
