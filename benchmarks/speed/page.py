"""Measure how long a browser takes to open a page of `speechgru report`.

The utterances are noise with made-up transcripts; the worst 100 have sound and
spectrogram in the page. Needs selenium, Chromium and its chromedriver.
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path
from random import Random

import numpy as np
import soundfile
from selenium import webdriver
from selenium.webdriver.support.wait import WebDriverWait

from speechgru.files import replace_file
from speechgru.report.build import build_report
from speechgru.score.results import Result, make_result, write_results

SAMPLE_RATE = 16000  # Hz
WORDS = [f"WORD{index}" for index in range(300)]
ERROR_RATE = 0.15
READY = (
    # When the rows stand on the screen, in ms since the page was asked for.
    "return document.querySelector('#list > li') && document.readyState == 'complete'"
    " && performance.timing.loadEventEnd > 0"
    " && performance.timing.loadEventEnd - performance.timing.navigationStart"
)


def make_utterance(index: int, random: Random, folder: Path) -> Result:
    """Three to twelve words of which some are heard wrong, and noise."""
    said = random.choices(WORDS, k=random.randint(3, 12))
    heard = [
        random.choice([word, *WORDS[:3]]) if random.random() < ERROR_RATE else word
        for word in said
        if random.random() > ERROR_RATE / 3
    ]
    duration = 0.4 * len(said)
    path = folder / f"{index}.wav"
    noise = np.random.default_rng(index).normal(size=int(duration * SAMPLE_RATE))
    soundfile.write(path, 0.05 * noise, SAMPLE_RATE)
    return make_result(
        f"utterance-{index}",
        " ".join(said),
        " ".join(heard),
        "levenshtein",
        speaker=f"speaker-{index % 40}",
        duration=duration,
        audio_path=path,
        confidence=random.random(),
    )


def open_page(page: Path) -> float:
    """Seconds until everything is drawn, in a browser that has just started."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome")
    for switch in ("headless=new", "no-sandbox", "disable-gpu"):
        options.add_argument(f"--{switch}")
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    with webdriver.Chrome(options=options, service=service) as browser:
        browser.get(page.as_uri())
        ready = WebDriverWait(browser, 60).until(lambda it: it.execute_script(READY))
    return ready / 1000


def main() -> None:
    """Make the page, open it several times, print the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--utterances", type=int, default=2000)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    random = Random(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = [
            make_utterance(index, random, folder) for index in range(options.utterances)
        ]
        write_results(folder / "results.jsonl", results)
        report = build_report([folder / "results.jsonl"])
        page = report.output
        replace_file(page, report.page.encode())
        seconds = [open_page(page) for _ in range(options.times)]
        size = page.stat().st_size / 2**20
    print(
        f"{options.utterances} utterances, {size:.1f} MiB: open after "
        f"{statistics.median(seconds):.2f} s (median of {options.times}; "
        f"{min(seconds):.2f} to {max(seconds):.2f})"
    )


if __name__ == "__main__":
    main()
