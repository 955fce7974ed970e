"""Options as frozen dataclasses, which are checked when they are made.

A field's annotation says what its value may be: bool, int, float, str, Path, a
Literal of words, a tuple of one of these, None beside any, a Component, or a
group of options, which is such a dataclass itself. `option(..., within=RANGE)`
bounds a number. One check serves the command line, run folders and Python.
"""

import dataclasses
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, ClassVar, Literal, TypeVar, get_args, get_origin, get_type_hints

from speechgru.options.component import Component, to_builtin
from speechgru.ranges import OptionError, Range, check_each, nearest

Rule = Callable[[str, Any], None]
"""Takes an option's name and value; raises OptionError."""

Group = TypeVar("Group", bound="Options")

PARTS = dict[str, Component]
"""Annotates components by name, such as those of augment."""


def option(
    default: Any = dataclasses.MISSING,
    *,
    make: Callable[[], Any] | Any = dataclasses.MISSING,
    within: Range | None = None,
    rule: Rule | None = None,
    later: bool = False,
) -> Any:
    """A field of options.

    Args:
        default: its value unless another is given.
        make: makes the default, instead.
        within: of a number, or of each number of a tuple.
        rule: holds the value against what no annotation can say.
        later: whether run folders of older versions lack it.
    """
    metadata = {"within": within, "rule": rule, "later": later}
    if make is not dataclasses.MISSING:
        return dataclasses.field(default_factory=make, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a command or of a group of them.

    Raises:
        OptionError: a value is not what its field may be.
    """

    name: ClassVar[str] = ""
    """Of the group, as in `name.option`, or of the command's YAML in conf/."""
    is_command: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = _settle(getattr(self, field.name), hints(type(self))[field.name])
            object.__setattr__(self, field.name, value)
            _check(
                self._full_name(field.name),
                value,
                hints(type(self))[field.name],
                field.metadata,
            )

    @classmethod
    def read(
        cls: type[Group], values: Mapping[str, Any], is_stored: bool = False
    ) -> Group:
        """Make options of plain values.

        Args:
            values: by the names of options; a group of options is a mapping.
            is_stored: whether they come from a run folder, where every value
                stands that was there at its time.

        Raises:
            OptionError: a value is not what it may be, or missing, or no option.
        """
        fields = {field.name: field for field in dataclasses.fields(cls)}
        for key in values:
            if key not in fields:
                raise OptionError(
                    f"{cls.name if not cls.is_command else 'the configuration'} has "
                    f"an unknown option {key!r}; it takes: {', '.join(sorted(fields))}"
                    f"{nearest(str(key), fields)}"
                )
        read = {}
        for name, field in fields.items():
            if name in values:
                hint = hints(cls)[name]
                read[name] = _read(values[name], hint, cls._full_name(name), is_stored)
            elif _is_needed(field, is_stored):
                raise OptionError(f"has no {cls._full_name(name)}")
        return cls(**read)

    def to_plain(self) -> dict[str, Any]:
        """As `read` takes it, in nothing but dicts, lists, words and numbers."""
        return {
            field.name: _to_plain(getattr(self, field.name))
            for field in dataclasses.fields(self)
        }

    @classmethod
    def _full_name(cls, name: str) -> str:
        return name if cls.is_command or not cls.name else f"{cls.name}.{name}"


def hints(cls: type[Options]) -> dict[str, Any]:
    """What the fields of options may be."""
    key: Any = cls  # mypy looks for the hash of its instances instead
    return _resolve(key)


@cache
def _resolve(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _is_needed(field: dataclasses.Field[Any], is_stored: bool) -> bool:
    if is_stored:
        return not field.metadata.get("later", False)
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _kinds(hint: Any) -> tuple[Any, ...]:
    """What a union consists of."""
    is_plain = isinstance(hint, type) or get_origin(hint) in (tuple, dict, Literal)
    return (hint,) if is_plain else get_args(hint)


def _read(value: Any, hint: Any, name: str, is_stored: bool) -> Any:
    """Turn a plain value into what the field holds."""
    for kind in _kinds(hint):
        if kind is Component and value is not None:
            return Component.read(value, name)
        if kind == PARTS:
            if not isinstance(value, Mapping):
                raise OptionError(f"{name} is {value!r}, expected parts by their names")
            return {
                part: _read_part(options, name, part) for part, options in value.items()
            }
        if isinstance(kind, type) and issubclass(kind, Options):
            if not isinstance(value, Mapping):
                raise OptionError(f"{name} is {value!r}, expected its options")
            return kind.read(value, is_stored)
    return value


def _read_part(options: Any, name: str, part: str) -> Component:
    if not isinstance(options, Mapping) or "_target_" not in options:
        raise OptionError(
            f"{name}.{part} is set, but {name} has no {part}; choose it by {name}=[...]"
        )
    return Component.read(options, f"{name}.{part}")


def _settle(value: Any, hint: Any) -> Any:
    """Lists become tuples, and texts paths, where the field wants them."""
    kinds = _kinds(hint)
    if isinstance(value, list) and any(get_origin(kind) is tuple for kind in kinds):
        value = tuple(value)
    if isinstance(value, tuple) and tuple[Path, ...] in kinds:
        return tuple(Path(each) if _is_name(each) else each for each in value)
    return Path(value) if _is_name(value) and Path in kinds else value


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _check(name: str, value: Any, hint: Any, metadata: Mapping[str, Any]) -> None:
    """Raise OptionError if a value is not what its field may be."""
    if metadata.get("rule") is not None:
        metadata["rule"](name, value)
        return
    kinds = _kinds(hint)
    if value is None and NoneType in kinds:
        return
    within = metadata.get("within")
    if within is not None:
        if any(get_origin(kind) is tuple for kind in kinds):
            check_each(name, value, within)
        elif value not in within:
            null = "null or " if NoneType in kinds else ""
            raise OptionError(f"{name} is {value!r}, expected {null}{within}")
        return
    if not any(_fits(value, kind) for kind in kinds):
        words = [word for kind in kinds for word in get_args(kind) if _is_name(word)]
        near = nearest(value, words) if isinstance(value, str) else ""
        expected = " or ".join(map(_describe, kinds))
        raise OptionError(f"{name} is {value!r}, expected {expected}{near}")


def _fits(value: Any, kind: Any) -> bool:
    origin = get_origin(kind)
    if origin is Literal:
        # True equals 1, but is another word.
        return any(
            value == each and type(value) is type(each) for each in get_args(kind)
        )
    if origin is tuple:
        element = get_args(kind)[0]
        return isinstance(value, tuple) and all(_fits(each, element) for each in value)
    if kind == PARTS:
        return isinstance(value, dict) and all(
            isinstance(part, Component) for part in value.values()
        )
    if kind in (bool, int, str):
        return type(value) is kind
    if kind is float:
        return type(value) in (int, float)
    return isinstance(value, kind)


def _describe(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"one of: {', '.join(map(_show, get_args(kind)))}"
    if get_origin(kind) is tuple:
        element = get_args(kind)[0]
        if get_origin(element) is Literal:
            return f"a list of any of: {', '.join(map(_show, get_args(element)))}"
        return f"a list of {_describe(element).removeprefix('a ')}s"
    described = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "a text",
        Path: "a path, in quotes if it looks like something else",
        NoneType: "null",
    }
    return described.get(kind, "a choice of it")


def _show(word: Any) -> str:
    return {True: "true", False: "false"}.get(word, str(word))


def _to_plain(value: Any) -> Any:
    if isinstance(value, (Options, Component)):
        return value.to_plain()
    if isinstance(value, dict):
        return {key: _to_plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_to_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else to_builtin(value)
