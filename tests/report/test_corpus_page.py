"""The doctor's files: a page that is whole by itself, and nothing lost to them."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from speechgru.data.validation.diagnosis import Diagnosis, Measured
from speechgru.data.validation.histograms import Histogram
from speechgru.data.validation.problem import Problem
from speechgru.data.validation.remark import Remark
from speechgru.data.validation.summary import SplitSummary
from speechgru.interfaces import InputError, Utterance
from speechgru.options import DoctorOptions, choose
from speechgru.report.corpus_page import make_corpus_page
from speechgru.report.doctor import check_outputs, write_outputs
from speechgru.report.histogram_picture import draw_histogram

UTTERANCES = [Utterance(f"u{n}", Path(f"{n}.wav"), 1.0, "a") for n in range(3)]


@pytest.fixture
def diagnosis():
    summary = SplitSummary(3, 0.001, 1, (1, 1, 1), None, -20.0, 0.1, {8000: 3})
    histogram = Histogram("level", "dBFS", [-2, -1, 0], {"train": [1, 2]})
    return Diagnosis(
        {"train": UTTERANCES},
        [(1, Problem("train", "u1", "missing", "u1: <script>alert(1)</script>"))],
        [Remark("quiet", "train", "1 & a half")],
        Measured({"train": summary}, [histogram], {"train": {"<": 7}}, ["an epoch"]),
    )


class Tags(HTMLParser):
    """Sees that elements are closed in their order."""

    VOID = ("meta",)

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_by_itself(diagnosis):
    page = make_corpus_page("doctor: <mine>", diagnosis)
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    names = [name for name, _ in tags.seen]
    assert "script" not in names
    assert names.count("svg") == 1
    assert not any({"src", "href"} & {*attributes} for _, attributes in tags.seen)
    assert "url(" not in page
    assert "<h1>doctor: &lt;mine&gt;</h1>" in page


def test_the_page_tells_what_was_found(diagnosis):
    page = make_corpus_page("doctor", diagnosis)
    text = re.sub(r"<[^>]+>", " ", page.partition("<main>")[2])
    for said in (
        "Problem: missing, 1 in all",
        "&lt;script&gt;alert(1)",
        "1 &amp; a half",
        "an epoch",
        "With problems 1",
    ):
        assert said in re.sub(r"\s+", " ", text)


def test_a_histogram_shows_shares_and_tells_counts():
    histogram = Histogram("level", "dB", [0, 1, 2], {"train": [1, 3], "dev": [0, 0]})
    picture = draw_histogram(histogram)
    heights = [float(y) for y in re.findall(r"V([\d.]+)H", picture)]
    bottom, top = heights[2], heights[1]  # nothing of dev; the most of train
    assert heights[0] == pytest.approx(bottom - (bottom - top) / 3, abs=0.1)
    assert "<title>1 to 2 dB: train 3, dev 0</title>" in picture
    assert ">75</text>" in picture


def test_files_are_written_again_but_never_over_others(diagnosis, tmp_path):
    files = {"json": tmp_path / "a.json", "page": tmp_path / "a.html"}
    options = DoctorOptions(corpus=choose("corpus", "yesno"), **files)
    for _ in range(2):
        check_outputs(options, ["train"])
        assert len(write_outputs(options, diagnosis)) == 2
    for path in files.values():
        path.write_text('{"audio_filepath": "mine"}')
        with pytest.raises(InputError, match="is there already, and no report"):
            check_outputs(options, ["train"])
        path.unlink()
    (tmp_path / "a.json").mkdir()
    with pytest.raises(InputError, match="is there already"):
        check_outputs(options, ["train"])


def test_a_folder_with_manifests_is_refused_before_the_work(tmp_path):
    (tmp_path / "train.jsonl").write_text("mine")
    options = DoctorOptions(corpus=choose("corpus", "yesno"), fix=tmp_path)
    with pytest.raises(InputError, match=r"train\.jsonl: is there already"):
        check_outputs(options, ["train", "dev"])
