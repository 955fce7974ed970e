"""Options check themselves, wherever they come from."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from speechgru.options import (
    CompareOptions,
    Component,
    DataOptions,
    DoctorOptions,
    PrepareOptions,
    ReportOptions,
    TrainerOptions,
    TrainOptions,
    TuneOptions,
    choose,
)
from speechgru.ranges import OptionError

CORPUS = choose("corpus", "yesno")


def test_words_of_a_list_are_named():
    with pytest.raises(OptionError, match="expected a list of any of: repeated, "):
        DoctorOptions(corpus=CORPUS, leave_out=["loud"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_epochs": 0}, "trainer.max_epochs is 0, expected a whole number from 1"),
        ({"max_epochs": 1.5}, "trainer.max_epochs is 1.5, expected a whole number"),
        ({"max_epochs": "many"}, "trainer.max_epochs is 'many', expected a whole"),
        ({"accelerator": 1}, "trainer.accelerator is 1, expected a text"),
        ({"precision": "8"}, "trainer.precision is '8', expected one of: 32-true"),
        ({"devices": [-2]}, r"trainer.devices is \(-2,\), expected auto"),
        (
            {"max_epoch": 5},
            "trainer has an unknown option 'max_epoch'.*mean max_epochs",
        ),
    ],
)
def test_a_wrong_value_is_named_with_what_is_expected(options, message):
    with pytest.raises(OptionError, match=message):
        TrainerOptions.read(options)


def test_python_is_checked_as_the_command_line_is():
    with pytest.raises(OptionError, match=r"data.check is 1, expected true or false"):
        DataOptions(check=1)
    with pytest.raises(OptionError, match=r"data.on_error is 'skp'.*mean skip"):
        DataOptions(on_error="skp")
    with pytest.raises(OptionError, match="expected null or a whole number from 1"):
        DataOptions(max_train=0)
    with pytest.raises(OptionError, match=r"lm_weights is '0.5', expected a list"):
        TuneOptions(corpus=CORPUS, lm_weights="0.5")


def test_options_cannot_be_changed_afterwards():
    with pytest.raises(FrozenInstanceError):
        TrainerOptions().max_epochs = 3


def test_lists_become_tuples_and_texts_paths():
    assert DataOptions(texts=["a.txt"]).texts == (Path("a.txt"),)
    assert CompareOptions(output="a.json").output == Path("a.json")
    assert CompareOptions(output="a.json").to_plain()["output"] == "a.json"


@pytest.mark.parametrize("value", [True, 3, ""])
def test_a_path_is_a_name(value):
    with pytest.raises(OptionError, match=r"checkpoint is .*, expected a path"):
        ReportOptions(checkpoint=value)
    assert ReportOptions(checkpoint=False).checkpoint is False


def test_what_has_no_default_must_be_given():
    with pytest.raises(OptionError, match="has no corpus"):
        PrepareOptions.read({"data_dir": "data"})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"encoder": 3}, "encoder is 3, expected a choice of encoder"),
        ({"encoder": {"size": 3}}, "encoder is .*, expected a choice of encoder"),
        ({"encoder": {"_target_": 3}}, "encoder: _target_ is 3, expected <module>"),
        (
            {"spec_augment": {"_target_": None, "num_time_masks": 2}},
            "spec_augment.num_time_masks is set, but spec_augment is none",
        ),
        ({"augment": [1]}, r"augment is \[1\], expected parts by their names"),
        ({"augment": {"gain": {"low": 3}}}, "augment.gain is set, but augment has no"),
        ({"data": None}, "data is None, expected its options"),
    ],
)
def test_a_part_is_a_class_with_its_options(values, message):
    with pytest.raises(OptionError, match=message):
        TrainOptions.read({"corpus": CORPUS, **values})


def test_a_run_folder_says_everything_that_its_version_knew():
    plain = TrainOptions(corpus=CORPUS).to_plain()
    del plain["data"]["wordless"]
    assert TrainOptions.read(plain, is_stored=True).data.wordless == 0.0
    del plain["data"]["fold"]
    with pytest.raises(OptionError, match=r"has no data\.fold"):
        TrainOptions.read(plain, is_stored=True)
    assert TrainOptions.read(plain).data.fold is None


def test_a_choice_is_read_with_what_it_is_based_on():
    assert choose("encoder", "lstm").options == choose("encoder", "gru").options
    component = choose("encoder", "gru", hidden_size=7)
    assert component.takes_sizes
    assert component.options["hidden_size"] == 7
    corpus = choose("corpus", "an4", data_dir="there")
    assert corpus.options["root"] == "there/an4"


def test_a_choice_or_an_option_that_is_not_there_has_a_neighbour():
    with pytest.raises(OptionError, match=r"encoder=gruu: .*; did you mean gru"):
        choose("encoder", "gruu")
    with pytest.raises(OptionError, match=r"no option 'hiden_size'.*mean hidden_size"):
        choose("encoder", "gru", hiden_size=3)


def test_a_component_comes_back_as_it_went_in():
    plain = {"_target_": "a.B", "_partial_": True, "sizes": [1, 2], "none": None}
    assert Component.read(plain, "part").to_plain() == plain
