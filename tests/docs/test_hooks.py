"""The page of commands shows every option, with those of a choice's base."""

import sys

import pytest
from docs.blocks import ROOT

from speechgru.options.choices import CONF_DIR, choices, read_choice


@pytest.fixture(scope="module")
def sections():
    """Text below each heading of the page."""
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        from hooks import describe_all
    finally:
        sys.path.remove(str(ROOT / "docs"))
    pieces = f"\n{describe_all()}".split("\n##")
    return {
        title.strip("# "): text
        for title, _, text in (piece.partition("\n") for piece in pieces)
    }


def test_every_option_of_a_choice_stands_below_its_name(sections):
    groups = {path.name for path in CONF_DIR.iterdir() if path.is_dir()}
    for group in groups - {"recipe", "debug"}:
        for choice in choices(group):
            text = sections[f"{group}={choice}"]
            for option in read_choice(group, choice):
                if option[:1] != "_":
                    assert f"\n{option}:" in text, f"{group}={choice}: {option}"


def test_an_encoder_shows_what_every_encoder_takes(sections):
    assert "hidden_size: 512" in sections["encoder=gru"]
    assert "defaults:" not in sections["encoder=gru"]
