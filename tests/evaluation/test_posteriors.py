"""Scores of voices that a model has heard are not taken for those of others."""

import logging

import pytest

from speechgru.evaluation.posteriors import warn_if_heard
from speechgru.options import SplitOptions, choose

AN4 = choose("corpus", "an4")


@pytest.fixture
def warnings(caplog):
    def call(trained, fold=None, split="test", **metadata):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            warn_if_heard(
                {"corpus": "an4", "fold": trained} | metadata,
                SplitOptions(corpus=AN4, fold=fold, split=split),
            )
        return caplog.messages

    return call


@pytest.mark.parametrize(
    ("trained", "asked"),
    [
        (None, {"split": "train"}),
        ("all", {"split": "dev"}),
        ("1/4", {"split": "dev"}),
        ("all", {"fold": "1/4"}),
        ("2/4", {"fold": "1/4"}),
        (None, {"fold": "1/4"}),
    ],
)
def test_what_was_trained_on_is_named(warnings, trained, asked):
    (message,) = warnings(trained, **asked)
    ((option, value),) = asked.items()
    assert message.startswith(f"{option}={value}: this model was trained on an4 ")
    assert f"data.fold={trained or 'null'} " in message


@pytest.mark.parametrize(
    ("trained", "asked"),
    [
        (None, {"split": "dev"}),
        (None, {"split": "test"}),
        ("all", {"split": "test"}),
        ("1/4", {"fold": "1/4"}),
        (None, {"split": "train", "corpus": "yesno"}),
    ],
)
def test_what_was_not_is_not(warnings, trained, asked):
    assert warnings(trained, **asked) == []


def test_a_checkpoint_that_does_not_say_is_believed(caplog):
    warn_if_heard({"corpus": "an4"}, SplitOptions(corpus=AN4, split="train"))
    assert caplog.messages == []
