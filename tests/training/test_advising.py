"""`speechgru advise` times steps of the training that it recommends."""

import re

import pytest

from speechgru.cli.advise import main

pytestmark = pytest.mark.usefixtures("threads")


def test_advice_tells_what_an_epoch_costs_here_and_writes_nothing(
    tones, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(["corpus=manifest", *tones.overrides, "steps=1"]) == 0
    said = capsys.readouterr().out
    costs = r"here, by 1 steps? of a model of [\d,]+ parameters: \d+\.\d\d s a step"
    assert re.search(costs, said)
    assert re.search(r"an epoch, .* for \d+ epochs, \d+ CPU-minutes", said)
    assert not [*tmp_path.iterdir()]
