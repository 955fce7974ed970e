"""Every number in conf/ has a range: what means nothing is refused, by name."""

import copy
import math
from functools import cache

import pytest
from commands import COMMANDS

from speechgru.checkpoint.build import build
from speechgru.checkpoint.models import build_model
from speechgru.cli.config import compose_config, read_options
from speechgru.factory import (
    DECODER_ROOMS,
    build_augment,
    build_corpus,
    build_device_augment,
    build_tokenizer,
    build_word_map,
)
from speechgru.interfaces import InputError
from speechgru.options.choices import CONF_DIR, choose
from speechgru.text.tokenizer import CharacterTokenizer
from speechgru.training.build import make_task

ODD = (-1, 0, 1.5, math.nan, math.inf, -math.inf, 10**30, 1e300, "many", True)

CORPORA = sorted(
    path.stem for path in (CONF_DIR / "corpus").glob("*.yaml") if path.stem[:1] != "_"
)
COUNTED = sorted(
    {
        part
        for corpus in CORPORA
        for kind in ("utterances", "hours", "words")
        for part in choose("corpus", corpus).options.get(kind) or ()
    }
)
"""Splits and parts of which it is known how much is in them."""

MEANT = {
    name: values
    for values, names in (
        (
            {0},
            "average dropout early_stopping_patience input_dropout intermediate "
            "label_priors lookahead max_freq_width max_time_fraction max_time_warp mmi "
            "max_time_width num_freq_masks num_time_masks num_workers output_dropout "
            "pitches probability prune sampling seed show smoothing vocal_tract "
            "weight_dropout wordless worst dev_share test_share corpus.padding "
            "min_confidence",
        ),
        (
            {0, 1.5},
            "consistency draw_every end exponents lm_weights max_freq_warp pauses "
            "rescore_weight rescore_weights save_every start weight_decay",
        ),
        (
            {-1, 0, 1.5},
            "blank_penalty high highest_ratio hotword_score low lowest_ratio "
            "unknown_score word_score word_scores",
        ),
        (
            {1.5},
            "batch_seconds cache_size every factors learning_rate least limit "
            "longest_decay margin max_memory max_seconds max_time max_utterance most "
            "shards.size silence_after silence_before step timeout train_hours "
            "worst_seconds",
        ),
        # Nothing is clipped, nothing dropped.
        ({1.5, 10**30, 1e300, math.inf}, "clip_norm beam_threshold"),
        ({-1}, "devices"),
        ({-1, 0}, "corpus.seed"),
        ({0, 1.5}, "corpus.gaps"),
        ({-1, 0, 1.5}, "corpus.noise"),
        # A share, and not none.
        (set(), "probe.margin new.dev_share new.test_share"),
        # Below the other bound, as it is by default.
        (
            set(),
            "augment.noise.high augment.noise_on_device.high augment.silence.low "
            "augment.join.low augment.join.most",
        ),
        (
            {0, 1.5},
            "augment.reverb.highest_ratio augment.reverb_on_device.highest_ratio "
            "augment.join.shortest augment.join.longest",
        ),
        ({0}, "limits.clipped limits.silent limits.narrow limits.script"),
        ({0, 1.5}, "limits.edges"),
        ({-1, 0, 1.5}, "limits.quiet"),
        ({1.5}, "limits.pace"),
        ({0, 1.5}, "cut.pause cut.margin"),
        # What an archive is expected to hold, be it nothing.
        ({0, 1.5}, " ".join(f"hours.{part}" for part in COUNTED)),
        ({0}, " ".join(f"utterances.{part} words.{part}" for part in COUNTED)),
        (
            set(),
            " ".join(
                f"corpus={corpus}.corpus.utterances.{split}"
                for corpus in ("fsdd", "synth_digits")
                for split in ("train", "dev", "test")
            ),
        ),
    )
    for name in names.split()
}
"""What is odd and yet meant, by the option's name or its last parts."""

NO_NUMBER = {
    *("archive", "dev", "test", "train", "dev_speaker", "_target_", "alphabet", "norm"),
    *("lexicon", "lm", "fold", "init_from", "output", "rescore", "checkpoint", "score"),
    *("resample", "best", "release", "file_sha256"),
    *("audio", "audio_folder", "columns", "delimiter", "duration", "id", "offset"),
    *("quotes", "root", "speaker", "speakers", "tars", "text", "json", "page", "fix"),
    *("folder", "q", "wandb", "mlflow", "source", "recipe", "apart"),
}
"""Options that are null by default, and no numbers."""

PRIMARY = sorted(path.stem for path in CONF_DIR.glob("*.yaml"))
GROUPS = sorted(
    f"{path.parent.name}={path.stem}"
    for path in CONF_DIR.glob("*/*.yaml")
    if path.parent.name not in ("recipe", "debug") and path.stem[:1] != "_"
)
FOLDERS = ("augment=noise_folder", "augment=reverb_folder")
SIZES = {"subsampling": {"input_size": 40}, "encoder": {"input_size": 24}}
SIZES["normalize"] = SIZES["subsampling"]


def compose(command, *overrides):
    needs_corpus = "corpus: ???" in (CONF_DIR / f"{command}.yaml").read_text()
    if needs_corpus and not any(each.startswith("corpus=") for each in overrides):
        overrides = ("corpus=yesno", *overrides)
    options = read_options(compose_config(command, overrides), COMMANDS[command])
    return options.to_plain()


@cache
def small_model():
    groups = {
        "features": {"_target_": "speechgru.features.log_mel.LogMel"}
        | {"sample_rate": 8000, "n_fft": 64, "hop_length": 80, "n_mels": 4},
        "normalize": {"_target_": "speechgru.features.normalize.NoNorm"},
        "spec_augment": None,
        "subsampling": {"_target_": "speechgru.model.frontends.frame_stack.FrameStack"}
        | {"_partial_": True, "factor": 2},
        "encoder": {"_target_": "speechgru.model.encoders.gru.GRUEncoder"}
        | {"_partial_": True, "hidden_size": 2, "num_layers": 1},
    }
    return build_model(groups, num_tokens=4)


def check_without_training(config, group, command):
    """All that is refused before the data are read."""
    options = COMMANDS[command].read(config)
    if group == "corpus":
        build_corpus(options.corpus)
    elif group == "augment":
        build_augment(options.augment, (), 16_000)
        build_device_augment(options.augment, (), 16_000)
    elif group == "text":
        build_tokenizer(options.text, ["ABC"])
    elif group == "task":
        speech = config["task"]["_target_"].endswith("CTCTask")
        decoder = {"decoder": None} if speech else {}
        make_task(
            options, None, small_model(), CharacterTokenizer("ABC"), {}, **decoder
        )
    elif group == "word_map":
        build_word_map(options.word_map)
    elif group == "decoder":
        build(config["decoder"], "decoder", (), DECODER_ROOMS)
    elif isinstance(part := config.get(group), dict) and part.get("_target_"):
        build(part, group, **SIZES.get(group, {}))


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def numbers(config, prefix=""):
    """Names and values of all options that are numbers, lists of them, or may be."""
    for key, value in config.items():
        if isinstance(value, dict):
            yield from numbers(value, f"{prefix}{key}.")
        elif (
            is_number(value)
            or (value is None and key not in NO_NUMBER)
            or (isinstance(value, list) and value and all(map(is_number, value)))
        ):
            yield f"{prefix}{key}", value


def with_value(config, name, value):
    changed = copy.deepcopy(config)
    *path, last = name.split(".")
    inner = changed
    for key in path:
        inner = inner[key]
    is_list = isinstance(inner[last], list)
    inner[last] = [value] * len(inner[last]) if is_list else value
    return changed


def accepted(config, name, command):
    """Which odd values an option takes; what it refuses, it refuses by name."""
    taken = set()
    for value in ODD:
        try:
            changed = with_value(config, name, value)
            check_without_training(changed, name.partition(".")[0], command)
            taken.add(value)
        except InputError as error:
            message = str(error)
            assert message.startswith(name.partition(".")[0]), message
            assert f"{name.rpartition('.')[2]} " in message, message
            assert "expected" in message or "there is no" in message, message
    return taken


def meant(choice, name):
    parts = [choice, *name.split(".")]
    tails = (".".join(parts[start:]) for start in range(len(parts)))
    return next((MEANT[tail] for tail in tails if tail in MEANT), set())


def assert_every_number_has_its_range(choice, config, names):
    command = "train" if "=" in choice else choice
    found = {name: accepted(config, name, command) for name in names}
    expected = {name: meant(choice, name) for name in names}
    assert found == expected, "a range is missing, or an odd value that is meant: MEANT"


@pytest.mark.parametrize("choice", [each for each in GROUPS if each not in FOLDERS])
def test_every_number_of_a_choice_has_a_range(choice):
    group, _, _ = choice.partition("=")
    small = ["encoder.hidden_size=4", "encoder.num_layers=1", "subsampling.factor=2"]
    if choice == "text=subwords":
        small.append("text.vocabulary_size=5")  # all that the text above has
    config = compose("train", choice, *small)
    names = [name for name, _ in numbers({group: config.get(group, {})})]
    assert_every_number_has_its_range(choice, config, names)


@pytest.mark.parametrize("command", PRIMARY)
def test_every_number_of_a_command_has_a_range(command):
    config = compose(command)
    groups = {path.name for path in CONF_DIR.iterdir() if path.is_dir()} - {"data"}
    own = {key: value for key, value in config.items() if key not in groups}
    names = [name for name, _ in numbers(own)]
    assert_every_number_has_its_range(command, config, names)
