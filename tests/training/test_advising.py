"""`speechgru advise` takes some steps of what it recommends, and writes nothing."""

import re

import pytest

pytestmark = pytest.mark.usefixtures("threads")


def test_advice_tells_what_steps_cost_here(tones, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = call("advise", "corpus=manifest", *tones.overrides, "steps=2")
    assert code == 0, err
    assert "to train on: 0.01 h in 61 utterances" in out
    assert re.search(r"here, by 2 steps of a model of [\d,]+ parameters: \d", out)
    assert "no run here heard less than 0.07 h" in out
    assert list(tmp_path.iterdir()) == []


def test_without_steps_no_cost_is_told(tones, call):
    train = f"corpus.train={tones.folder / 'train.jsonl'}"
    code, out, _ = call("advise", "corpus=manifest", train, "steps=null")
    assert code == 0
    assert "here, by" not in out
    assert "nothing is held out to choose the best checkpoint by" in out
