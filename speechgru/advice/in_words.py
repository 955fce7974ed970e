"""Advice as it is printed, and as one line of training."""

import shlex
import textwrap
from collections.abc import Iterator, Sequence

from speechgru.advice.advice import Advice, Choice
from speechgru.advice.measured import MeasuredRun
from speechgru.options.component import flatten


def describe_advice(advice: Advice, cost: Sequence[str] = ()) -> list[str]:
    """All that is advised, known and not known, in lines.

    Args:
        advice: of a corpus.
        cost: lines on what it takes here.
    """
    return [
        *advice.facts.describe(),
        "",
        f"begin from {advice.base.corpus}, the nearest measured run with a recipe: "
        f"{advice.base.what}",
        *(line for choice in advice.choices for line in _describe_choice(choice)),
        "",
        *([*cost, ""] if cost else []),
        "what comparable corpora reached, no promise for this one:",
        *(f"  {line}" for run in advice.comparable for line in _describe_run(run)),
        "",
        "not known:",
        *(line for each in advice.unknown for line in wrap(each, "  ")),
        "",
        "to train so (speechgru new writes it into a project, with comments):",
        f"  speechgru train {' '.join(type_options(advice))} corpus=...",
    ]


def _describe_choice(choice: Choice) -> list[str]:
    return [f"  {choice.option}={choice.value}", *wrap(choice.why, "      ")]


def wrap(text: str, indent: str) -> list[str]:
    """Lines of at most 88 characters."""
    return textwrap.wrap(
        text,
        88,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )


def _describe_run(run: MeasuredRun) -> list[str]:
    first, second = run.describe().split("\n")
    return [first, f"    {second}"]


def type_options(advice: Advice) -> Iterator[str]:
    """The recipe as options of the command line, in quotes where a shell needs them."""
    for override in advice.body["defaults"]:
        for key, choice in override.items():
            yield shlex.quote(f"{key.removeprefix('override /')}={write_value(choice)}")
    values = {key: value for key, value in advice.body.items() if key != "defaults"}
    for key, value in flatten(values).items():
        yield shlex.quote(f"{key}={write_value(value)}")


def write_value(value: object, separator: str = ",") -> str:
    """A value of an option as Hydra and YAML read it.

    >>> write_value([True, 1.0, None])
    '[true,1.0,null]'
    """
    if isinstance(value, list):
        return f"[{separator.join(write_value(each, separator) for each in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)
