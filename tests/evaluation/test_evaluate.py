"""Scoring a checkpoint from Python."""

import os
from dataclasses import replace

import pytest
from conftest import make_tones

import speechgru
from speechgru.evaluation.recognise import _on_processes
from speechgru.interfaces import InputError
from speechgru.options import EvaluateOptions, choose
from speechgru.progress import Progress
from speechgru.score.results import read_results

pytestmark = pytest.mark.usefixtures("threads")


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    manifest = make_tones(tmp_path_factory.mktemp("tones"), "test", 4, seed=5)
    return EvaluateOptions(
        corpus=choose("corpus", "manifest", test=str(manifest)), batch_seconds=4
    )


def test_scoring_prints_nothing_and_writes_nothing_until_it_is_saved(
    checkpoint, options, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    beside = sorted(checkpoint.parent.iterdir())
    evaluation = speechgru.evaluate(checkpoint, options)
    assert capsys.readouterr().out == ""
    assert sorted(checkpoint.parent.iterdir()) == beside
    assert not any(tmp_path.iterdir())
    [path] = evaluation.save(tmp_path / "results.jsonl")
    saved = [(each.id, each.hypothesis) for each in read_results(path)]
    assert saved == [(each.id, each.hypothesis) for each in evaluation.results]
    assert (tmp_path / "results.summary.json").is_file()


def test_the_error_rate_is_that_of_the_results(checkpoint, options):
    evaluation = speechgru.evaluate(checkpoint, options)
    edits = sum(each.word_errors.edits for each in evaluation.results)
    words = sum(each.word_errors.reference_length for each in evaluation.results)
    assert evaluation.wer == edits / words
    assert (evaluation.decoder, evaluation.weights) == ("greedy", {})


@pytest.mark.slow
def test_a_process_that_fails_or_is_killed_is_told_of(checkpoint, options, tmp_path):
    manifest = make_tones(tmp_path, "test", 4, seed=5)
    (tmp_path / "wav" / "test-002.wav").unlink()
    corpus = choose("corpus", "manifest", test=str(manifest))
    several = replace(options, corpus=corpus, processes=2)
    with pytest.raises(InputError, match=r"test-002\.wav"):
        speechgru.evaluate(checkpoint, several)

    class Deadly:
        def __reduce__(self):
            return os._exit, (1,)  # where another process reads it

    with (
        Progress("evaluate", 1.0, "min of audio") as progress,
        pytest.raises(InputError, match="one of 2 processes was killed"),
    ):
        list(_on_processes(Deadly(), [], several, progress))
