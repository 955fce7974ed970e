"""Dev is scored by what its words count as."""

from dataclasses import replace
from itertools import product

import pytest
from conftest import LETTERS, TINY

from speechgru.cli.config import compose_config, read_options
from speechgru.options import TrainOptions, choose
from speechgru.score.learning import read_learning_curves
from speechgru.training.start import train


@pytest.mark.usefixtures("threads")
def test_words_that_count_as_nothing_are_no_errors(tones, tmp_path):
    words = [
        "".join(word) for size in (1, 2, 3) for word in product(LETTERS, repeat=size)
    ]
    overrides = [*TINY, *tones.overrides, "trainer.max_epochs=1", "logger=default"]
    options = read_options(compose_config("train", overrides), TrainOptions)
    word_map = choose("word_map", "timit39", words=dict.fromkeys(words))
    train(replace(options, word_map=word_map), tmp_path / "run", named=[])
    (last,) = read_learning_curves(tmp_path / "run")
    assert (last["val/wer"], last["val/cer"]) == (0, 0)
