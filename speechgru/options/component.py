"""A part of a model or of a run that is chosen by its class."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from speechgru.ranges import OptionError

TARGET, PARTIAL = "_target_", "_partial_"


@dataclass(frozen=True)
class Component:
    """A class of ours, or of a module that is trusted, and its options.

    `factory.py` makes the object of it. `choose("encoder", "gru")` gives the
    component that conf/encoder/gru.yaml describes.

    Attributes:
        target: "<module>.<Class>"; None: no such part.
        options: plain values, by the names of the constructor's arguments.
        takes_sizes: whether the constructor takes what only the model knows
            besides, such as input_size.
    """

    target: str | None
    options: Mapping[str, Any] = field(default_factory=dict)
    takes_sizes: bool = False

    @classmethod
    def read(cls, values: Any, name: str) -> "Component":
        """Read `{_target_: ..., **options}`.

        Args:
            values: a mapping of plain values.
            name: what it is for, e.g. "encoder"; for messages.

        Raises:
            OptionError: it is no such mapping.
        """
        if isinstance(values, Component):
            return values
        if not isinstance(values, Mapping) or TARGET not in values:
            raise OptionError(
                f"{name} is {values!r}, expected a choice of {name}, with its _target_"
            )
        takes_sizes = values.get(PARTIAL, False)
        if not isinstance(takes_sizes, bool):
            raise OptionError(
                f"{name}.{PARTIAL} is {takes_sizes!r}, expected true or false"
            )
        options = {
            key: value for key, value in values.items() if key not in (TARGET, PARTIAL)
        }
        target = values[TARGET]
        if target is None and options:
            raise OptionError(
                f"{name}.{next(iter(options))} is set, but {name} is none"
            )
        if target is not None and not isinstance(target, str):
            raise OptionError(
                f"{name}: {TARGET} is {target!r}, expected <module>.<Class>"
            )
        return cls(target, options, takes_sizes)

    def to_plain(self) -> dict[str, Any]:
        """As `read` takes it, in nothing but dicts and lists."""
        head: dict[str, Any] = {TARGET: self.target}
        if self.takes_sizes:
            head[PARTIAL] = True
        plain: dict[str, Any] = to_builtin(self.options)
        return head | plain

    def replace(self, **options: Any) -> "Component":
        """The same with some options changed, or set."""
        return Component(self.target, {**self.options, **options}, self.takes_sizes)


def to_builtin(value: Any) -> Any:
    """Plain values in nothing but dicts and lists, apart from the given ones."""
    if isinstance(value, Mapping):
        return {key: to_builtin(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_builtin(item) for item in value]
    return value


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys joined by dots; lists are values.

    >>> flatten({"data": {"fold": None}, "seed": 1})
    {'data.fold': None, 'seed': 1}
    """
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
