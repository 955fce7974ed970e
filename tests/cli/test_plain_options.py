"""What is read without Hydra is what Hydra would read."""

import sys

import pytest
from commands import COMMANDS

from speechgru.cli.config import compose_config, read_options
from speechgru.cli.overrides import settle
from speechgru.cli.plain_options import read_plain
from speechgru.options import TranscribeOptions
from speechgru.options.fields import hints
from speechgru.ranges import OptionError

VALUES = [
    *("out/", "a/b-c_d.x", "/tmp/x", "./x", "../x.y", "x", "cuda:1", "a,b", "1", "0.5"),
    *(
        "007",
        "1e3",
        "1_0",
        ".5",
        "true",
        "True",
        "null",
        "NULL",
        "nan",
        "inf",
        "-",
        "~",
    ),
    *(
        "[srt,json]",
        "[1,2]",
        "[srt]",
        "[]",
        "[null]",
        "3/16",
        "a b",
        "'a'",
        "${x}",
        "é",
    ),
    *("2024-01-02", "x-1", "infinity", "none", "yes", "on", "0x10", "1.", "00"),
]


def heard(command, override):
    config = compose_config(command.name, settle([override]))
    try:
        return read_options(config, command)
    except OptionError as error:
        return str(error)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", ["output", "format", "processes", "batch_seconds"])
def test_a_value_is_left_to_hydra_or_means_the_same(name, value):
    try:
        plain = read_plain(TranscribeOptions, [f"{name}={value}"])
    except OptionError as error:
        plain = str(error)
    if plain is not None:
        assert plain == heard(TranscribeOptions, f"{name}={value}")


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_choices_and_what_is_missing_are_left_to_hydra(command):
    options = COMMANDS[command]
    for name, hint in hints(options).items():
        if "Component" in str(hint) or "Options" in str(hint):
            assert read_plain(options, [f"{name}=x"]) is None, name
    if options.__name__ in ("DoctorOptions", "TrainOptions"):
        assert read_plain(options, []) is None


@pytest.mark.parametrize(
    "overrides",
    [["+output=x"], ["decoder.lm=x"], ["unknown=x"], ["output=x", "output=y"]],
    ids=str,
)
def test_what_is_no_plain_option_is_left_to_hydra(overrides):
    assert read_plain(TranscribeOptions, overrides) is None


def test_plain_options_are_read_plainly(monkeypatch):
    monkeypatch.setitem(sys.modules, "hydra", None)
    options = ["format=[srt,json]", "output=out/", "processes=2", "overwrite=true"]
    read = read_plain(TranscribeOptions, options)
    assert (read.format, read.output) == (("srt", "json"), "out/")
    assert (read.processes, read.overwrite) == (2, True)
