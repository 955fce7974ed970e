"""What is recommended follows from the corpus, and from the table of runs."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from docs.blocks import ROOT

from speechgru.advice.batches import describe_filling, find_fuller, measure_filling
from speechgru.advice.facts import CorpusFacts, gather_facts
from speechgru.advice.in_words import describe_advice
from speechgru.advice.measured import format_table, read_measured_runs
from speechgru.advice.nearest import find_unknown, sort_by_distance
from speechgru.advice.recommend import recommend
from speechgru.advice.remark import remark
from speechgru.data.utterances import durations_of
from speechgru.interfaces import InputError, Utterance
from speechgru.options import Component, TrainOptions, choose, read_recipe
from speechgru.options.recipe import fill_recipe

CORPUS = Component("x.Corpus")
PAGE = ROOT / "docs/reference/measured-runs.md"


def utterances(count, seconds=3.0, words=4, vocabulary=98, speakers=20, letters=4):
    """Of words that are all different, as often as there is room for them."""
    made = [
        "".join(chr(ord("A") + (n // 26**k) % 26) for k in range(letters))
        for n in range(vocabulary)
    ]
    return [
        Utterance(
            f"u{i}",
            Path(f"{i}.wav"),
            seconds,
            " ".join(made[(i * words + k) % vocabulary] for k in range(words)),
            f"s{i % speakers}" if speakers else None,
        )
        for i in range(count)
    ]


def advise(some):
    return recommend(gather_facts(some), some, CORPUS)


def value_of(advice, option):
    return next(each.value for each in advice.choices if each.option == option)


def test_the_page_shows_every_row_of_the_table():
    lines = PAGE.read_text().splitlines()
    assert [line for line in lines if line.startswith("|")] == format_table(
        read_measured_runs()
    )


def test_rows_name_recipes_that_can_be_built():
    runs = read_measured_runs()
    assert len({run.name for run in runs}) == len(runs)
    begun = [run for run in runs if run.recipe is not None]
    assert len(begun) >= 4
    for run in begun:
        options = fill_recipe(run.recipe, CORPUS)
        assert options.trainer.max_epochs == run.epochs
        assert options.encoder.options["hidden_size"] == run.hidden_size
        assert options.encoder.options["num_layers"] == run.num_layers


def test_facts_are_counted():
    some = [
        Utterance("a", Path("a.wav"), 2.0, "Go, go!", "ann"),
        Utterance("b", Path("b.wav"), 4.0, "stop", None),
    ]
    facts = gather_facts(some)
    assert (facts.hours, facts.longest) == (6 / 3600, 4.0)
    assert (facts.speakers, facts.unnamed) == (1, 1)
    assert (facts.words, facts.vocabulary, facts.characters) == (3, 2, 5)
    assert facts.characters_per_second == (5 + 4) / 6
    assert facts.latin == 1.0
    assert facts.rates == Counter()  # no recording is there


def test_no_utterances_are_refused():
    with pytest.raises(InputError, match="no utterances to train on"):
        gather_facts([])


def test_a_corpus_like_an4_gets_its_recipe():
    advice = advise(utterances(650, vocabulary=98, speakers=55))
    assert advice.base.name == "an4-fold"
    assert advice.options.encoder.options["hidden_size"] == 192
    assert advice.options.trainer.max_epochs == 36
    assert value_of(advice, "text") == "characters"
    assert list(advice.options.augment) == ["speed", "silence"]


def test_many_words_and_hours_get_pieces_of_words():
    advice = advise(utterances(2000, seconds=6.0, words=12, vocabulary=4000))
    assert advice.base.name == "mini-librispeech-recipe"
    assert advice.options.text.options["vocabulary_size"] == 200
    assert "one seed each" in next(c.why for c in advice.choices if c.option == "text")
    # Of 21 epochs of 5.31 h as many steps in 3.33 h.
    assert advice.options.trainer.max_epochs == 33
    assert list(advice.options.augment) == ["speed", "silence"]


def test_few_frequent_words_are_tokens():
    advice = advise(utterances(1500, words=2, vocabulary=10, speakers=4))
    assert value_of(advice, "text") == "words"


def test_fast_speech_gets_shorter_frames():
    slow = advise(utterances(650, words=3))
    fast = advise(utterances(650, words=8))
    assert slow.slack.frame == 28
    assert fast.slack.frame < 28
    assert fast.slack.too_short == 0
    assert "were not measured" in next(
        each.why for each in fast.choices if each.option == "features.hop_length"
    )


def test_no_frames_are_short_enough_for_everything():
    advice = advise(utterances(650, words=40))
    assert advice.slack.frame == 20
    assert advice.slack.too_short == 650
    why = next(c.why for c in advice.choices if c.option == "features.hop_length")
    assert "650 utterances cannot be aligned even so" in why


def test_recordings_of_a_telephone_are_heard_at_their_rate():
    some = utterances(650)
    facts = replace(gather_facts(some), rates=Counter({8000: 100}))
    advice = recommend(facts, some, CORPUS)
    features = advice.options.features.options
    assert (features["sample_rate"], features["n_fft"]) == (8000, 256)
    assert features["hop_length"] == 56
    assert advice.slack.frame == 28


def known(**changes):
    facts = CorpusFacts(
        hours=0.54, utterances=700, longest=6.0, speakers=55, unnamed=0, words=4133,
        vocabulary=98, rarest_of_few=1, characters=26, characters_per_second=7.0,
        latin=1.0, rates=Counter({16000: 100}),
    )  # fmt: skip
    return replace(facts, **changes)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"hours": 100.0}, "heard more than 5.3 h"),
        ({"hours": 0.01}, "heard less than 0.07 h"),
        ({"vocabulary": 50_000}, "more than 7,230 different words"),
        ({"latin": 0.1}, "other scripts were not trained on"),
        ({"speakers": 0}, "no speakers are known"),
        ({"hours": 5.0, "vocabulary": 90}, "extrapolated from it"),
    ],
)
def test_what_the_table_does_not_know_is_said(changes, line):
    runs = read_measured_runs()
    facts = known(**changes)
    base = sort_by_distance(facts, [run for run in runs if run.recipe])[0]
    assert any(line in each for each in find_unknown(facts, base, runs))
    if "latin" not in changes:
        usual = find_unknown(known(), base, runs)
        assert line == "extrapolated from it" or line not in "; ".join(usual)


def test_a_corpus_that_is_known_leaves_only_other_conditions_unknown():
    runs = read_measured_runs()
    base = next(run for run in runs if run.name == "an4-fold")
    (line,) = find_unknown(known(), base, runs)
    assert "conversations" in line


def test_how_full_steps_are_is_what_they_hold():
    filling = measure_filling([4.0] * 100, batch_seconds=10.0, num_buckets=30)
    assert (filling.num_steps, filling.held, filling.share) == (50, 8.0, 0.8)
    two = measure_filling([4.0] * 100, 10.0, 30, num_views=2)
    assert (two.num_steps, two.held) == (100, 8.0)


def test_steps_that_are_half_empty_get_a_remedy_that_fills_them():
    durations = [6.0] * 50  # one of them in a step of 10 s
    filling = measure_filling(durations, 10.0, 30)
    assert filling.share == 0.6
    other = find_fuller(durations, 10.0, 30)
    assert other is not None
    assert other.held == 12.0
    said = describe_filling(durations, 10.0, 30)
    assert said.startswith("steps of 10 s hold 6 s of audio on average (60 %)")
    assert f"data.batch_seconds={other.batch_seconds:g} would hold 12 s" in said


def test_full_steps_get_no_remedy():
    assert "data.batch_seconds" not in describe_filling([5.0] * 100, 10.0, 30)


def test_one_long_recording_among_short_ones_is_named():
    said = describe_filling([100.0, *[1.0] * 3], 10.0, 30)
    assert "the longest utterance takes 100 s" in said


def test_training_like_what_was_measured_is_not_remarked_on():
    hours = {"an4/bigru": 0.6, "synth_digits/bigru": 0.9, "an4/gru_vs_lstm": 0.6}
    for recipe, length in hours.items():
        durations = np.full(int(length * 3600 / 3), 3.0)
        assert remark(read_recipe(recipe), length, durations) is None, recipe


def test_what_is_advised_is_not_remarked_on():
    for number in (160, 650, 4000):
        advice = advise(utterances(number, vocabulary=98, speakers=8))
        durations = durations_of(utterances(number, vocabulary=98, speakers=8))
        assert remark(advice.options, advice.facts.hours, durations) is None, number


def test_training_that_is_far_from_it_is():
    options = TrainOptions(corpus=CORPUS, encoder=choose("encoder", "gru"))
    said = remark(options, 0.58, np.full(700, 3.0))
    assert said is not None
    assert "the encoder is 5x512, measured on as many hours 2x128, 3x192" in said
    assert "\n" not in said


def test_so_little_that_nothing_was_measured_is_not_remarked_on():
    options = TrainOptions(corpus=CORPUS, encoder=choose("encoder", "gru"))
    assert remark(options, 0.01, [3.0] * 10) is None


def test_advice_in_words_says_all_there_is():
    advice = advise(utterances(650, vocabulary=98, speakers=55))
    text = "\n".join(describe_advice(advice, ["here: 1 s a step"]))
    for choice in advice.choices:
        assert f"{choice.option}={choice.value}" in text
    assert "here: 1 s a step" in text
    assert "AN4, three quarters (0.54 h, 55 speakers)" in text
    assert "not known:" in text
    assert "  speechgru train 'augment=[speed,silence]'" in text


def test_a_number_of_one_is_typed_as_a_number():
    advice = advise(utterances(100, seconds=2.0, words=2, vocabulary=2, speakers=1))
    assert advice.base.name == "yesno"
    text = "\n".join(describe_advice(advice))
    assert "augment.noise.probability=1.0" in text
