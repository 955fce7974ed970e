"""Scoring a checkpoint from Python."""

import pytest
from conftest import make_tones

import speechgru
from speechgru.options import EvaluateOptions, choose
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
