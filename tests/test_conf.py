"""Every YAML in conf/ composes, and what it describes can be built."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from speechgru.checkpoint.build import build
from speechgru.checkpoint.models import (
    LANGUAGE_MODEL,
    build_language_model,
)
from speechgru.cli.config import compose_config, read_options
from speechgru.factory import (
    DECODER_ROOMS,
    build_augment,
    build_corpus,
    build_device_augment,
    build_tokenizer,
    build_word_map,
)
from speechgru.interfaces import InputError, Utterance
from speechgru.options import TrainOptions
from speechgru.options.choices import CONF_DIR, choices, choose
from speechgru.ranges import OptionError
from speechgru.training.build import make_model, make_task, trains_on_texts

RECIPES = sorted(
    path.relative_to(CONF_DIR / "recipe").with_suffix("").as_posix()
    for path in (CONF_DIR / "recipe").rglob("*.yaml")
)
GROUPS = sorted(
    path.name for path in CONF_DIR.iterdir() if path.is_dir() and path.name != "recipe"
)
CHOICES = [(group, choice) for group in GROUPS for choice in choices(group)]


def compose(*overrides, config_dir=None):
    return read_options(compose_config("train", overrides, config_dir), TrainOptions)


def build_all(options):
    """Build what training options describe, as a run does."""
    if trains_on_texts(options):
        return build_language_task(options)
    model, tokenizer, model_config = make_model(options, [utterance("ABC")], None)
    build_corpus(options.corpus)
    build_augment(options.augment, options.trust, model.sample_rate)
    build_device_augment(options.augment, options.trust, model.sample_rate)
    build_word_map(options.word_map)
    decoder = build(options.decoder.to_plain(), "decoder", options.trust, DECODER_ROOMS)
    return make_task(options, None, model, tokenizer, model_config, decoder=decoder)


def utterance(text):
    return Utterance("a", Path("a.wav"), 1.0, text)


def build_language_task(options):
    """Build what `task=lm` describes."""
    encoder = options.encoder.to_plain()
    groups = {"language_model": LANGUAGE_MODEL, "encoder": encoder}
    model = build_language_model(groups, num_tokens=30)
    return make_task(
        options, None, model, build_tokenizer(options.text, ["ABC"]), groups
    )


MANIFEST = ("corpus=manifest", "corpus.train=train.jsonl")


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_every_choice_composes_and_builds(group, choice, tmp_path):
    overrides = [f"{group}={choice}"]
    if choice.endswith("_folder"):
        soundfile.write(tmp_path / "click.wav", [1.0, 0.5], 16000)
        overrides.append(f"augment.{choice}.folder={tmp_path}")
    if choice == "lm":
        overrides.append("encoder.bidirectional=false")
    if choice == "subwords":
        overrides.append("text.vocabulary_size=5")  # all that the text above has
    if group != "corpus":
        overrides += MANIFEST
    elif "train" in choose("corpus", choice).options:  # a source: its splits are paths
        overrides.append("corpus.train=train.jsonl")
    elif choice == "shards":
        overrides.append("corpus.folder=shards")
    task = build_all(compose(*overrides))
    assert task.model.num_parameters > 0


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_composes_and_builds(recipe):
    config = compose(f"recipe={recipe}")
    if "vocabulary_size" in config.text.options:  # more than the text above has
        config = compose(f"recipe={recipe}", "text.vocabulary_size=5")
    assert config.corpus.options["name"] == recipe.partition("/")[0]
    build_all(config)
    # The file says so itself, on its first line, or its values would nest.
    first = (CONF_DIR / "recipe" / f"{recipe}.yaml").read_text().splitlines()[0]
    assert first == "# @package _global_"


def test_a_recipe_wins_over_defaults_and_debug_over_a_recipe():
    config = compose("recipe=an4/bigru", "debug=fast")
    assert config.encoder.options["hidden_size"] == 192
    assert config.trainer.max_epochs == 2
    assert config.data.fold is None
    assert compose("recipe=an4/bigru", "seed=7").seed == 7


def write_recipe(folder, text):
    (folder / "recipe").mkdir()
    head = "# @package _global_\ndefaults:\n  - override /corpus: yesno\n"
    (folder / "recipe" / "mine.yaml").write_text(head + text)


@pytest.mark.parametrize("choice", ["fast", "overfit", "profile"])
def test_debug_is_short_also_where_a_recipe_counts_in_steps(tmp_path, choice):
    text = "trainer:\n  max_steps: 100000\ndata:\n  steps_per_epoch: 1000\n"
    write_recipe(tmp_path, text)
    config = compose("recipe=mine", f"debug={choice}", config_dir=str(tmp_path))
    assert config.data.steps_per_epoch is None
    assert config.trainer.max_steps is None or config.trainer.max_steps < 100


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learning_rate: 1\n", "unknown option 'learning_rate'"),
        ("trainer:\n  max_epoch: 5\n", "trainer has an unknown option 'max_epoch'"),
        ("data:\n  batch: 5\n", "data has an unknown option 'batch'"),
        ("callbacks:\n  patience: 5\n", "callbacks has an unknown option 'patience'"),
        (
            "trainer:\n  max_epochs: many\n",
            "max_epochs is 'many', expected a whole",
        ),
        ("augment:\n  factors: [0.9]\n", "augment.factors is set, but augment has no"),
        (
            "augment:\n  gain:\n    low: 3.0\n",
            "augment.gain is set, but augment has no",
        ),
    ],
)
def test_a_recipe_with_an_unknown_option_is_refused(tmp_path, text, message):
    write_recipe(tmp_path, text)
    with pytest.raises(OptionError, match=message):
        compose("recipe=mine", config_dir=str(tmp_path))


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ("encoder", "encoder: unknown option 'size'; GRUEncoder takes: hidden_size"),
        ("features", "features: unknown option 'size'; LogMel takes: sample_rate"),
        ("task", "task: unknown option 'size'; CTCTask takes"),
        ("corpus", "corpus: unknown option 'size'; YesNo takes"),
    ],
)
def test_a_recipe_with_an_unknown_option_of_a_class_is_refused(
    tmp_path, group, message
):
    write_recipe(tmp_path, f"{group}:\n  size: 5\n")
    config = compose("recipe=mine", config_dir=str(tmp_path))
    with pytest.raises(InputError, match=message):
        build_all(config)


def test_an_encoder_of_the_users_own_takes_one_module_and_one_yaml(
    tmp_path, monkeypatch
):
    (tmp_path / "my_encoder.py").write_text(
        "from torch import nn\n"
        "class Identity(nn.Module):\n"
        "    def __init__(self, input_size: int) -> None:\n"
        "        super().__init__()\n"
        "        self.output_size = input_size\n"
        "    def output_lengths(self, lengths):\n"
        "        return lengths\n"
        "    def forward(self, features, lengths):\n"
        "        return features, lengths\n"
    )
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "identity.yaml").write_text(
        "_target_: my_encoder.Identity\n_partial_: true\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    overrides = [*MANIFEST, "encoder=identity"]
    config = compose(*overrides, config_dir=str(tmp_path))
    with pytest.raises(InputError, match=r"pass trust=\[my_encoder\]"):
        build_all(config)
    assert "my_encoder" not in sys.modules
    task = build_all(replace(config, trust=("my_encoder",)))
    assert type(task.model.encoder).__name__ == "Identity"
