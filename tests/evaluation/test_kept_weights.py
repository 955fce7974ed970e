"""Weights beside a language model, also by the name that its decoder had."""

import pytest

from speechgru.evaluation.kept_weights import set_outdated_aside
from speechgru.interfaces import InputError
from speechgru.lm.weights import SEARCH_WEIGHTS, read_weights, write_weights


@pytest.fixture
def lm(tmp_path):
    """A language model that `decoder=beam` was tuned for."""
    path = tmp_path / "an4.arpa"
    path.write_text("before")
    keep(path, "beam", 0.7, "ann")
    return path


def keep(lm, use, lm_weight, model):
    write_weights(lm, use, {**SEARCH_WEIGHTS, "lm_weight": lm_weight}, {}, model)


def lm_weight(lm, model):
    return read_weights(lm, "flashlight", SEARCH_WEIGHTS, model)["lm_weight"]


def test_weights_of_the_former_name_are_found(lm):
    assert lm_weight(lm, "ann") == 0.7


def test_weights_of_the_former_name_stay_when_another_model_is_tuned(lm):
    keep(lm, "flashlight", 0.3, "bob")
    assert lm_weight(lm, "ann") == 0.7
    assert lm_weight(lm, "bob") == 0.3


def test_outdated_weights_of_both_names_are_set_aside_at_once(lm):
    keep(lm, "flashlight", 0.3, "ann")
    lm.write_text("after")
    with pytest.raises(InputError, match="tune again"):
        lm_weight(lm, "ann")
    set_outdated_aside(lm, "flashlight")
    assert lm_weight(lm, "ann") == SEARCH_WEIGHTS["lm_weight"]
    assert sorted(path.name for path in lm.parent.iterdir()) == [
        "an4.arpa",
        "an4.beam.weights.outdated.json",
        "an4.flashlight.weights.outdated.json",
    ]
