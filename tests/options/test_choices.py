"""The choices of `conf/`."""

import pytest

from speechgru.options.choices import choices, choose
from speechgru.ranges import OptionError


def test_a_former_name_is_an_error_that_says_the_new_one():
    with pytest.raises(OptionError, match="decoder=beam is decoder=flashlight now"):
        choose("decoder", "beam")


def test_a_base_is_no_choice_but_gives_its_options_to_those_built_on_it():
    assert choices("decoder") == ["flashlight", "greedy", "prefix_beam"]
    shared = {"beam_size", "lm", "lm_weight", "word_score", "lexicon", "num_best"}
    for name in ("flashlight", "prefix_beam"):
        assert shared < choose("decoder", name).options.keys()
