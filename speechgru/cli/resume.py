"""`speechgru train resume=RUN_FOLDER`."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from speechgru.cli.main import UsageError
from speechgru.cli.swept_run import recording
from speechgru.options.choices import read_choice
from speechgru.training.resuming import HARDWARE, MAY_CHANGE
from speechgru.training.start import is_joining, resume


def go_on(arguments: Sequence[str], began_at: float | None = None) -> int:
    """Go on in a run folder; beside it there may be what can change."""
    options = [a for a in arguments if a.startswith("resume=")]
    others = [a for a in arguments if not a.startswith("resume=")]
    trusted = [a for a in others if a.startswith("trust=")]
    if len(options) != 1 or len(trusted) > 1:
        raise UsageError("expected one resume=RUN_FOLDER, and at most one trust=[...]")
    trust = parse_trust(trusted[0].partition("=")[2] if trusted else "[]")
    changes = parse_overrides([a for a in others if a not in trusted])
    folder = Path(options[0].partition("=")[2]).absolute()
    with _restarted_by(folder, others), recording(folder) as finish:
        outcome = resume(folder, trust, changes, began_at)
        if outcome.status == 0 and not is_joining():
            finish(outcome.scores)
    if outcome.summary:
        print(outcome.summary)
    return outcome.status


def parse_overrides(overrides: Sequence[str]) -> dict[str, Any]:
    """Read KEY=VALUE or trainer=CHOICE beside resume=RUN_FOLDER.

    Returns:
        Values by the full names of options.

    Raises:
        UsageError: an option that cannot change.
    """
    changes: dict[str, Any] = {}
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        key, text = override.key_or_group, override.input_line
        if override.is_delete() or override.is_add() or override.is_sweep_override():
            raise UsageError(f"{text}: expected KEY=VALUE beside resume=RUN_FOLDER")
        if key == "trainer":
            choice = read_choice("trainer", str(override.value()))
            changes |= {
                name: choice[name.removeprefix("trainer.")] for name in HARDWARE
            }
        elif key in MAY_CHANGE:
            changes[key] = override.value()
        else:
            raise UsageError(
                f"{text}: a run goes on as it began, or it would be another; beside "
                f"resume=RUN_FOLDER there can be: trainer=CHOICE, "
                f"{', '.join(MAY_CHANGE)}. To change anything else, start another run, "
                "perhaps with init_from=CHECKPOINT"
            )
    return changes


def parse_trust(text: str) -> list[str]:
    """Read the option trust, e.g. "[my.module]", as Hydra would."""
    trust = OmegaConf.from_dotlist([f"trust={text}"]).trust
    trust = OmegaConf.to_container(trust) if OmegaConf.is_config(trust) else trust
    names = [trust] if isinstance(trust, str) else trust
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"trust is {text}, expected modules: 'trust=[my.module]'")
    return names


@contextmanager
def _restarted_by(folder: Path, overrides: Sequence[str]) -> Iterator[None]:
    """Let Lightning restart the program, for further processes, from any folder."""
    command_line = list(sys.argv)
    program = os.path.abspath(command_line[0])
    sys.argv = [program, "train", f"resume={folder}", *overrides]
    try:
        yield
    finally:
        sys.argv = command_line
