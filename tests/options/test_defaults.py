"""What Python takes for granted is what conf/ says."""

import pytest
from commands import COMMANDS
from omegaconf import OmegaConf

from speechgru.cli.config import compose_config
from speechgru.options import choose
from speechgru.options.choices import CONF_DIR

PRIMARY = sorted(path.stem for path in CONF_DIR.glob("*.yaml"))


def compose(command):
    needs_corpus = "corpus: ???" in (CONF_DIR / f"{command}.yaml").read_text()
    overrides = ["corpus=yesno"] if needs_corpus else []
    return OmegaConf.to_container(compose_config(command, overrides), resolve=True)


def test_every_command_has_its_options():
    assert sorted(COMMANDS) == PRIMARY


def plain(options):
    """Without what was not chosen: Hydra leaves out a group that is null."""
    values = options.to_plain()
    return {
        key: values[key] for key in values if (key, values[key]) != ("corpus", None)
    }


@pytest.mark.parametrize("command", PRIMARY)
def test_defaults_in_python_are_those_of_the_yaml(command, monkeypatch):
    monkeypatch.delenv("SPEECHGRU_DATA", raising=False)
    composed = compose(command)
    corpus = {"corpus": choose("corpus", "yesno")} if "corpus" in composed else {}
    assert plain(COMMANDS[command](**corpus)) == composed


@pytest.mark.parametrize("command", PRIMARY)
def test_plain_values_come_back_as_they_went_in(command):
    composed = compose(command)
    assert plain(COMMANDS[command].read(composed)) == composed
