"""What a command's --help says, and what an option that is not there may have meant."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from speechgru.cli.project_conf import find_project_conf
from speechgru.options.choices import (
    CONF_DIR,
    choices,
    find_choice,
    find_yaml,
    read_choice,
)
from speechgru.options.config_file import check_folder, read_config_text
from speechgru.ranges import nearest


def explain(command: str, usage: str, arguments: Sequence[str] = ()) -> str:
    """A command's usage, choices and options, as its primary YAML lists them.

    Of choices among the arguments, as GROUP=CHOICE or GROUP=[CHOICE,CHOICE], the
    options as well. Choices of the project in whose folder this is called, and of
    --config-dir, come first.

    Raises:
        OptionError: there is no such choice.
        InputError: the project's choices cannot be read; see `find_project_conf`.
    """
    folders = _choice_folders(arguments)
    text = (CONF_DIR / f"{command}.yaml").read_text(encoding="utf-8")
    groups = re.findall(r"^  - (\w+): (\S+)", text, re.MULTILINE)
    body = re.sub(r"^defaults:\n(  .*\n)+\n?", "", text).partition("\nhydra:")[0]
    lines = [usage.strip(), ""]
    if groups:
        lines += ["choices, as GROUP=CHOICE, with their defaults:"]
        lines += [
            f"  {f'{group}={default}':<24}{' | '.join(choices(group, folders))}"
            for group, default in groups
        ]
        lines += [
            "  (an option of a choice is set by GROUP.OPTION=VALUE; GROUP=CHOICE",
            "  --help lists those of one, GROUP=[CHOICE,CHOICE] --help of several)",
            "",
        ]
    lines += ["options, as KEY=VALUE, with their defaults:"]
    lines += [f"  {line}" for line in body.strip().splitlines()]
    lines += [""]
    for argument in arguments:
        group, _, chosen = argument.partition("=")
        for choice in split_choices(chosen) if group in dict(groups) else ():
            lines += _explain_choice(group, choice, folders)
    lines += ["--cfg job prints the composed configuration and stops;"]
    lines += ["--config-dir DIR adds a folder of your own YAMLs."]
    return "\n".join(lines)


def _choice_folders(arguments: Sequence[str]) -> list[Path]:
    """Where choices are looked for, the nearest first."""
    folders = [
        Path(folder)
        for flag, folder in pairwise(arguments)
        if flag in ("--config-dir", "-cd")
    ]
    for folder in folders:
        check_folder(folder)
    if (own := find_project_conf()) is not None:
        folders.append(own)
    return [*folders, CONF_DIR]


def split_choices(chosen: str) -> list[str]:
    """The choices of a group, of which several stand in a list.

    >>> split_choices("[speed, silence]")
    ['speed', 'silence']
    """
    names = chosen.strip("[]").split(",")
    return [name.strip(" '\"") for name in names if name.strip(" '\"")]


def _explain_choice(group: str, choice: str, folders: Sequence[Path]) -> list[str]:
    """Lines on the options of a choice. Raises OptionError: there is none."""
    if choice == "null":
        return [f"{group}=null has no options.", ""]
    path = find_choice(group, choice, folders)
    package = _find_package(path, group)
    if package == GLOBAL:
        text = path.read_text(encoding="utf-8").strip()
        options = [line for line in text.splitlines() if line[:1] != "#"]
        head = f"what {group}={choice} chooses and sets:"
    else:
        lines_by_option = option_lines(group, choice, folders)
        options = [line for lines in lines_by_option.values() for line in lines]
        head = f"options of {group}={choice}, as {package}.OPTION=VALUE:"
    if not options:
        return [f"{group}={choice} has no options.", ""]
    return [head, *[f"  {line}" for line in options], ""]


GLOBAL = "_global_"
"""Package of a YAML that sets options of other groups."""


def _find_package(path: Path, group: str) -> str:
    """What stands before the names of a choice's options."""
    found = re.match(r"# @package ([\w.]+)", path.read_text("utf-8"))
    return found[1] if found else group


def option_lines(
    group: str, choice: str, folders: Sequence[Path] = (CONF_DIR,)
) -> dict[str, list[str]]:
    """Lines that set each option of a choice, in place of those of its bases."""
    text = read_config_text(find_yaml(group, choice, folders))
    options: dict[str, list[str]] = {}
    for base in (yaml.safe_load(text) or {}).get("defaults", []):
        if isinstance(base, str) and base != "_self_":
            options |= option_lines(group, base, folders)
    own: dict[str, list[str]] = {}
    for line in text.strip().splitlines():
        if line[:1] == "#":
            continue
        if line[:1] != " ":
            name = line.partition(":")[0]
        own.setdefault(name, []).append(line)
    own.pop("defaults", None)
    options |= own
    return {name: lines for name, lines in options.items() if name[:1] != "_"}


ALIASES = {
    "amp": "trainer.precision",
    "batch_size": "data.batch_seconds",
    "budget": "trainer.max_time",
    "clip": "task.clip_norm",
    "epochs": "trainer.max_epochs",
    "fp16": "trainer.precision",
    "gpus": "trainer.devices",
    "grad_clip": "task.clip_norm",
    "hidden": "encoder.hidden_size",
    "hidden_dim": "encoder.hidden_size",
    "language_model": "decoder.lm",
    "layers": "encoder.num_layers",
    "lr": "task.learning_rate",
    "max_hours": "trainer.max_time",
    "max_minutes": "trainer.max_time",
    "model": "encoder",
    "num_epochs": "trainer.max_epochs",
    "output_dir": "hydra.run.dir",
    "patience": "callbacks.early_stopping_patience",
    "threads": "num_threads",
    "time_limit": "trainer.max_time",
    "wd": "task.weight_decay",
    "workers": "data.num_workers",
}
"""What options are called in other toolkits."""


@cache
def known_options(command: str) -> frozenset[str]:
    """Names of all options of a command, of whatever choice, and of its groups."""
    names: set[str] = set()
    primary = yaml.safe_load((CONF_DIR / f"{command}.yaml").read_text("utf-8"))
    groups = [
        next(iter(each)) for each in primary.pop("defaults", []) if each != "_self_"
    ]
    names.update(_names(primary))
    for group in groups:
        if not (CONF_DIR / group).is_dir() or group in ("recipe", "debug"):
            continue
        names.add(group)
        for choice in choices(group):
            path = CONF_DIR / group / f"{choice}.yaml"
            prefix = _find_package(path, group)
            names.update(_names(read_choice(group, choice), f"{prefix}."))
    return frozenset(names)


def _names(options: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in options.items():
        if key in ("defaults", "_target_", "_partial_"):
            continue
        yield f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _names(value, f"{prefix}{key}.")


def choices_with(name: str) -> list[str]:
    """Choices that have an option, e.g. ["decoder=prefix_beam"] of decoder.hotwords."""
    group, _, option = name.partition(".")
    if not option or not (CONF_DIR / group).is_dir():
        return []
    return [
        f"{group}={choice}"
        for choice in choices(group)
        if option in set(_names(read_choice(group, choice)))
    ]


def nearest_option(command: str, name: str) -> str:
    """What to say behind an option that a command has not: "; did you mean ...?"."""
    known = known_options(command)
    if name in known and (having := choices_with(name)):
        return f"; {' and '.join(having)} {'has' if len(having) == 1 else 'have'} it"
    group, _, last = name.rpartition(".")
    alias = ALIASES.get(last.lower())
    if alias in known:
        return f"; did you mean {alias}?"
    # By their last parts, the shortest name first: an option of the command itself.
    lasts: dict[str, list[str]] = {}
    for option in sorted(known, key=lambda option: (option.count("."), option)):
        lasts.setdefault(option.rpartition(".")[2], []).append(option)
    siblings = [each for each in lasts if f"{group}.{each}" in known]
    if group and (found := nearest(last, siblings)):
        return found.replace("mean ", f"mean {group}.")
    if last in lasts:
        return f"; did you mean {' or '.join(lasts[last][:3])}?"
    found = "" if group else nearest(last, lasts)
    return re.sub(r"mean (.*)\?", lambda match: f"mean {lasts[match[1]][0]}?", found)
