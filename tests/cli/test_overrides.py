"""Values as people type them, and names that nearly are options."""

import pytest
from omegaconf import OmegaConf

from speechgru.cli.help import ALIASES, known_options, nearest_option
from speechgru.cli.main import COMMANDS
from speechgru.cli.overrides import _read, settle

CHARACTERS = [chr(code) for code in range(1, 127) if chr(code) != "/"]
ODD = ["é", "漢", "😀", "\u00a0", "a b", "${x}", "\\${x}", "\\'", "[x]", "{a:b}", "a,b",
    "(1)", "true", "12", "1e3", "a'b\"c", " lead", "trail ", "choice(1,2)"]  # fmt: skip


def heard(override):
    """The value that a command gets."""
    value = _read(override.partition("=")[2]).value()
    return OmegaConf.to_container(OmegaConf.create({"a": value}), resolve=True)["a"]


@pytest.mark.parametrize("text", CHARACTERS + ODD, ids=ascii)
def test_a_path_that_exists_is_taken_as_it_is(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in {text, f"a{text}b.jsonl", f"{text}b", f"a{text}"} - {".", "~"}:
        (tmp_path / name).touch()
        for key in ("corpus.train", "output", "+decoder.lm", "hydra.run.dir"):
            [settled] = settle([f"{key}={name}"])
            assert settled.startswith(f"{key}=")
            assert heard(settled) == name


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("output=a,b (1).json", "a,b (1).json"),
        ("output=2024", "2024"),
        ("output=null", None),
        ("output='a b'", "a b"),
        ("text.alphabet=é", "é"),
        ("decoder.hotwords=[né,a b]", ["né", "a b"]),
        ("data.texts=[a(1).txt,b.txt]", ["a(1).txt", "b.txt"]),
        ("encoder.hidden_size=3", 3),
        ("lm_weights=[0.5,1]", [0.5, 1]),
    ],
)
def test_what_does_not_exist_is_taken_as_it_is_meant(override, value):
    [settled] = settle([override])
    assert heard(settled) == value


def test_a_sweep_stays_one():
    sweep = ["corpus.train=a.jsonl,b.jsonl", "seed=1,2", "encoder=gru,lstm"]
    assert settle(sweep, sweeps=True) == sweep


def test_a_path_may_begin_at_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert settle(["decoder.lm=~/x.arpa"]) == ["decoder.lm=/home/me/x.arpa"]


@pytest.mark.parametrize(
    ("command", "name", "meant"),
    [
        ("train", "encoder.hiden_size", "encoder.hidden_size"),
        ("train", "lr", "task.learning_rate"),
        ("train", "epochs", "trainer.max_epochs"),
        ("train", "batch_size", "data.batch_seconds"),
        ("train", "learning_rate", "task.learning_rate"),
        ("train", "lerning_rate", "task.learning_rate"),
        ("train", "augment.speed.factor", "augment.speed.factors"),
        ("evaluate", "beam_size", "decoder.beam_size"),
        ("evaluate", "procesess", "processes"),
    ],
)
def test_the_nearest_option_is_named(command, name, meant):
    assert nearest_option(command, name) == f"; did you mean {meant}?"


def test_nothing_is_guessed_where_nothing_is_near():
    assert nearest_option("train", "encoder.banana") == ""
    assert nearest_option("evaluate", "lr") == ""


def test_every_alias_is_the_name_of_an_option():
    known = frozenset().union(*(known_options(command) for command in COMMANDS))
    assert set(ALIASES.values()) <= known
