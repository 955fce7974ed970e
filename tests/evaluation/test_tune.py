"""Searching the weights of a language model, and whose weights they are."""

import json
import signal

import pytest
from conftest import make_tones

from speechgru.checkpoint.storage import read_checkpoint, write_checkpoint
from speechgru.cli.evaluate import main as evaluate
from speechgru.cli.tune import main as tune
from speechgru.decode.confidence import Confidence
from speechgru.evaluation.trust import Trust, mends
from speechgru.evaluation.tune_report import (
    describe_calibration,
    describe_trials,
    remark_ties,
)
from speechgru.evaluation.tuning import Trial, Tuning
from speechgru.evaluation.weight_search import find_middle
from speechgru.interfaces import InputError
from speechgru.lm.arpa import write_arpa
from speechgru.lm.kneser_ney import estimate_kneser_ney
from speechgru.lm.weights import (
    LATER_WEIGHTS,
    SEARCH_WEIGHTS,
    read_weights,
    write_weights,
)
from speechgru.score.calibration import Calibration

GRID = ["lm_weights=[0.0,0.3,0.6,1.0,1.5,2.5]", "word_scores=[-4,-2,0,1,2,4]"]
ONE_PAIR = ["lm_weights=[0.5]", "word_scores=[0.0]", "beam_sizes=[4]"]


@pytest.fixture
def lm(tones, tmp_path):
    """A language model of the words of train."""
    lines = (tones.folder / "train.jsonl").read_text().splitlines()
    texts = [json.loads(line)["text"].split() for line in lines]
    path = tmp_path / "words.arpa"
    write_arpa(path, estimate_kneser_ney(texts, 2).ngrams)
    return path


@pytest.fixture
def noisy(tmp_path):
    """Where the model errs, so that weights matter."""
    return f"corpus.dev={make_tones(tmp_path, 'dev', 13, noise=0.03)}"


@pytest.fixture
def command(trained, lm, tones):
    """What `speechgru tune` is given."""
    decoder = ["decoder=prefix_beam", f"decoder.lm={lm}", "decoder.beam_size=4"]
    return [str(trained.checkpoint), "corpus=manifest", *tones.overrides, *decoder]


@pytest.fixture
def other(trained, tmp_path):
    """Another checkpoint of the same kind."""
    checkpoint = read_checkpoint(trained.checkpoint)
    checkpoint["state_dict"]["model.head.bias"] += 0.01
    path = tmp_path / "other.ckpt"
    write_checkpoint(checkpoint, path)
    return path


def read_record(lm):
    return json.loads(lm.with_name("words.prefix_beam.weights.json").read_text())


@pytest.fixture
def stop_behind_two(monkeypatch):
    """Let a signal come while the third pair is tried."""

    def stop(number):
        def try_some(tuning, scored, lm_weight, word_score, *rest):
            tried.append((lm_weight, word_score))
            if len(tried) == 3:
                signal.raise_signal(number)
            return try_weights(tuning, scored, lm_weight, word_score, *rest)

        tried = []
        try_weights = Tuning.try_weights
        monkeypatch.setattr(Tuning, "try_weights", try_some)

    return stop


def test_the_search_is_as_good_as_the_whole_grid(
    command, lm, noisy, monkeypatch, capsys
):
    tunings = []
    calibrate = Tuning.calibrate
    monkeypatch.setattr(
        Tuning, "calibrate", lambda *all: tunings.append(all[0]) or calibrate(*all)
    )
    assert tune([*command, noisy, *GRID, "beam_sizes=[4]"]) == 0
    record = read_record(lm)
    (tuning,) = tunings
    whole = [
        tuning.try_weights(tuning.whole, lm_weight, word_score).edits
        for lm_weight in (0.0, 0.3, 0.6, 1.0, 1.5, 2.5)
        for word_score in (-4, -2, 0, 1, 2, 4)
    ]
    assert 0 < min(whole) < max(whole), "the weights make no difference"
    edits = min(trial["edits"] for trial in record["trials"])
    assert edits <= min(whole)
    assert record["wer"] == edits / tuning.whole.num_words
    assert record["is_whole"]
    captured = capsys.readouterr()
    assert "36 combinations of lm_weight and word_score: 9 of them" in captured.err
    assert "combinations" not in captured.out


def test_of_weights_that_are_as_good_the_middle_is_taken():
    tied = [
        Trial(lm_weight, word_score, 10, 0, 156, 1.0)
        for lm_weight in (0.05, 0.3, 1.0, 1.4)
        for word_score in (-2, 1, 3)
        if (lm_weight, word_score) != (0.3, 3)
    ]
    middle = find_middle(tied)
    assert (middle.lm_weight, middle.word_score) == (0.3, -2)
    assert find_middle(tied[-3:]).word_score == 1
    assert "; all of 11 tried have as few errors" in remark_ties(11, 11)
    assert "; 3 of 11 tried" in remark_ties(3, 11)
    assert not remark_ties(1, 11)


def test_a_search_on_a_sample_ends_with_the_best_on_all(
    command, lm, noisy, monkeypatch, capsys
):
    decoded = []
    try_weights = Tuning.try_weights
    monkeypatch.setattr(
        Tuning,
        "try_weights",
        lambda tuning, scored, *rest: (
            decoded.append(scored is tuning.whole) or try_weights(tuning, scored, *rest)
        ),
    )
    sampled = ["sample_words=8", "batch_seconds=2", "beam_sizes=[2,4]"]
    assert tune([*command, noisy, *GRID, *sampled]) == 0
    record = read_record(lm)
    sizes = {trial["num_words"] for trial in record["trials"]}
    whole = max(sizes)
    finals = [trial for trial in record["trials"] if trial["num_words"] == whole]
    assert len(sizes) == 2
    assert 8 <= min(sizes) < whole
    assert len(finals) == sum(decoded) == 4
    best = min(finals, key=lambda trial: trial["edits"])
    assert record["wer"] == best["edits"] / whole
    assert (record["lm_weight"], record["word_score"]) == (
        best["lm_weight"], best["word_score"],
    )  # fmt: skip
    captured = capsys.readouterr()
    assert f"{min(sizes)} words; the best 4 on all" in captured.err
    assert f"sought on 4 of them, {min(sizes)} words" in captured.out
    assert "of all   lm_weight   word_score   WER, %" in captured.out


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_an_ended_search_keeps_the_best_so_far(
    command, lm, stop_behind_two, capsys, number, status
):
    handlers = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    stop_behind_two(number)
    assert tune([*command, *GRID]) == status
    captured = capsys.readouterr()
    assert f"{number.name}: 2 of 36 combinations tried" in captured.err
    assert "best: lm_weight=" in captured.out
    assert "not calibrated: the search was ended before" in captured.out
    record = read_record(lm)
    best = min(record["trials"], key=lambda trial: trial["edits"])
    assert len(record["trials"]) == 2
    assert record["lm_weight"] == best["lm_weight"]
    assert not record["is_whole"]
    assert lm.with_name("words.prefix_beam.weights.png").exists()
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_an_ended_search_leaves_the_weights_of_a_whole_one(
    command, lm, stop_behind_two, capsys
):
    assert tune([*command, *ONE_PAIR]) == 0
    before = read_record(lm)
    stop_behind_two(signal.SIGINT)
    assert tune([*command, *GRID]) == 130
    assert read_record(lm) == before
    assert "keeps those of a whole search" in capsys.readouterr().out


def test_a_search_that_is_ended_at_once_says_that_it_has_nothing(
    command, lm, monkeypatch, capsys
):
    monkeypatch.setattr(
        Tuning, "try_weights", lambda *_: signal.raise_signal(signal.SIGTERM)
    )
    assert tune([*command, *GRID]) == 143
    captured = capsys.readouterr()
    assert (captured.out, captured.err.splitlines()[-1]) == (
        "", "SIGTERM: nothing was tried yet",
    )  # fmt: skip
    assert not list(lm.parent.glob("*weights*"))


def test_weights_belong_to_the_checkpoint_that_they_were_tuned_with(
    command, lm, trained, other, tmp_path, caplog, capsys
):
    mine = [*ONE_PAIR, "word_scores=[0.25]"]
    assert tune([*command, *mine]) == 0
    name = f"{trained.checkpoint} (manifest dev)"
    scored = [*command[1:], "split=dev", f"output={tmp_path / 'dev.jsonl'}"]
    # Those of the one are better than none, but it is said whose they are.
    evaluate([str(other), *scored])
    assert "word_score=0.25" in capsys.readouterr().out
    assert f"tuned with another checkpoint, {name};" in caplog.text

    assert tune([str(other), *command[1:], *ONE_PAIR, "word_scores=[0.75]"]) == 0
    assert f"tuned with {name} are kept there" in capsys.readouterr().out
    caplog.clear()
    for checkpoint, score in ((trained.checkpoint, 0.25), (other, 0.75)):
        evaluate([str(checkpoint), *scored])
        assert f"word_score={score}" in capsys.readouterr().out
    # Tuned again, one pair leaves the other alone.
    assert tune([*command, *ONE_PAIR, "word_scores=[0.5]"]) == 0
    evaluate([str(other), *scored])
    assert "word_score=0.75" in capsys.readouterr().out
    assert caplog.text == ""


def test_weights_without_a_checkpoint_stay_beside_new_ones(lm):
    old = {"lm_weight": 0.1, "word_score": 1.0, "confidence_scale": 1.0}
    write_weights(lm, "prefix_beam", old, {"wer": 0.5})  # as of older versions
    new = {**old, "lm_weight": 0.2}
    write_weights(lm, "prefix_beam", new, {}, model="abc")
    assert read_weights(lm, "prefix_beam", SEARCH_WEIGHTS) == {**LATER_WEIGHTS, **new}
    assert [other["lm_weight"] for other in read_record(lm)["others"]] == [0.1]


def test_a_language_model_that_has_changed_can_be_tuned_again(command, lm, caplog):
    assert tune([*command, *ONE_PAIR]) == 0
    write_arpa(lm, estimate_kneser_ney([["A", "B"], ["C"], ["D"]], 1).ngrams)
    with pytest.raises(InputError, match="tune again by speechgru tune"):
        evaluate(command)
    assert tune([*command, *ONE_PAIR]) == 0
    assert "the old weights are now" in caplog.text
    assert lm.with_name("words.prefix_beam.weights.outdated.json").exists()


def test_pairs_that_were_not_tried_are_a_gap_in_the_table():
    trials = [Trial(0.1, 0.0, 8, 5, 100, 1.0), Trial(0.2, 1.0, 8, 10, 100, 1.0)]
    assert describe_trials(trials).splitlines()[1:] == [
        "             0       1",
        "   0.1    5.00       -",
        "   0.2       -   10.00",
    ]


@pytest.mark.parametrize(
    ("error", "num_words", "expected"),
    [
        (0.01, 900, ""),
        (0.20, 900, "; not calibrated: do not rely on them"),
        (0.03, 900, "; not calibrated: it makes them no better"),
        (0.01, 12, "; 12 words are few to calibrate with"),
    ],
)
def test_a_calibration_that_did_not_calibrate_is_said(error, num_words, expected):
    before, after = (
        Trust(Confidence(), Calibration([], num_words, 0.9, 0.9, each), 1.0)
        for each in (0.02, error)
    )
    said = describe_calibration(before, after)
    assert "calibration error " in said
    assert said.split(" %")[0].endswith(f" {100 * error:.2f}")
    assert bool(expected) == (";" in said)
    assert expected in said
    assert mends(before, after) == ("no better" not in said and error < 0.02)
