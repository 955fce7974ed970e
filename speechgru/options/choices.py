"""What `conf/` offers."""

from pathlib import Path

_INSTALLED = Path(__file__).parents[1] / "conf"

CONF_DIR = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[2] / "conf"
"""Inside the package in a wheel, beside it in a checkout."""


def choices(group: str) -> list[str]:
    """Names of the choices of a group."""
    folder = CONF_DIR / group
    return sorted(
        path.relative_to(folder).with_suffix("").as_posix()
        for path in folder.rglob("*.yaml")
    )
