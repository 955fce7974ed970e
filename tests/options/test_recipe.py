"""Recipes read without Hydra are what Hydra composes."""

import pytest

from speechgru.cli.config import compose_config, read_options
from speechgru.options import TrainOptions, read_recipe
from speechgru.options.choices import choices
from speechgru.ranges import OptionError


@pytest.mark.parametrize("name", choices("recipe"))
def test_a_recipe_is_what_the_command_line_composes(name):
    composed = read_options(
        compose_config("train", [f"recipe={name}"]), TrainOptions
    ).to_plain()
    assert read_recipe(name).to_plain() == composed


def test_other_choices_take_the_options_of_the_recipe(monkeypatch):
    monkeypatch.delenv("SPEECHGRU_DATA", raising=False)
    overrides = [
        *("recipe=fsdd/gru_vs_lstm", "encoder=lstm", "augment=[speed,gain]"),
        *("trainer=gpu", "data_dir=elsewhere"),
    ]
    composed = read_options(compose_config("train", overrides), TrainOptions).to_plain()
    read = read_recipe(
        "fsdd/gru_vs_lstm",
        data_dir="elsewhere",
        encoder="lstm",
        augment=["speed", "gain"],
        trainer="gpu",
    )
    assert read.to_plain() == composed
    assert read.encoder.options["hidden_size"] == 128


@pytest.mark.parametrize(
    ("name", "chosen", "message"),
    [
        ("an4/bigrus", {}, "recipe=an4/bigrus: .*did you mean an4/bigru\\?"),
        ("an4/bigru", {"encodr": "gru"}, "unknown group 'encodr'.*mean encoder\\?"),
        ("an4/bigru", {"encoder": "gruu"}, "encoder=gruu: .*did you mean gru\\?"),
        ("an4/bigru", {"text": "words", "subsampling": "frame_stack"}, "depth is no"),
    ],
)
def test_what_is_not_there_is_named(name, chosen, message):
    with pytest.raises(OptionError, match=message):
        read_recipe(name, **chosen)
