"""Building modules from plain configuration, and from nothing else.

A configuration is a mapping with `_target_: <module>.<Class>` and plain
keyword arguments. It may come from a stranger's checkpoint or run folder, so
no name in it can reach anything but a class that is meant to be built: the
module is imported as a whole, one attribute is looked up in it, and it must be
a class that is defined there, and for a checkpoint, moreover, an `nn.Module`
or a tokenizer. Prefixes prove nothing:
`torch.hub.load` and `speechgru.audio.torch.load` have harmless ones.
"""

import importlib
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from types import UnionType
from typing import Any, get_args, get_type_hints

from torch import nn

from speechgru.checkpoint.renamed import current_name
from speechgru.interfaces import InputError
from speechgru.ranges import OptionError, nearest

MODEL_ROOMS = ("speechgru.text", "speechgru.features", "speechgru.model")
"""Packages whose modules hold the classes that a checkpoint may name."""

PLAIN = (str, int, float, bool, type(None))
RESERVED = ("_target_", "_partial_")

LONGEST_NAME = 200
"""Characters; Python imports a name of a thousand parts by as many calls."""


def build(
    config: Mapping[str, Any],
    name: str,
    trust: Sequence[str] = (),
    rooms: Sequence[str] = MODEL_ROOMS,
    **sizes: Any,
) -> Any:
    """Build the object that a configuration describes.

    Args:
        config: `_target_`, keyword arguments of plain values, and
            `_partial_: true` if the class takes the sizes besides.
        name: what the configuration is for, e.g. "encoder"; for messages.
        trust: modules of the user's own whose classes may be built as well,
            each named in full.
        rooms: packages whose classes may be built.
        sizes: what only the caller knows, e.g. input_size.

    Raises:
        InputError: the configuration names anything else than such a class,
            or an option that the class does not have.
    """
    cls = find_class(config.get("_target_"), name, trust, rooms)
    arguments = {key: value for key, value in config.items() if key not in RESERVED}
    _check_plain(arguments, name)
    partial = config.get("_partial_", False)
    if not isinstance(partial, bool):
        raise InputError(f"{name}._partial_ is {partial!r}, expected true or false")
    if partial:
        arguments |= sizes
    accepted = _parameters(cls)
    for option in arguments:
        if option not in accepted:
            taken = [key for key in accepted if key not in sizes]
            raise InputError(
                f"{name}: unknown option {option!r}; {cls.__name__} takes: "
                f"{', '.join(taken) or 'none'}{nearest(option, taken)}"
            )
    _check_types(cls, arguments, name)
    missing = [
        key
        for key, parameter in accepted.items()
        if parameter.default is parameter.empty and key not in arguments
    ]
    if missing:
        raise InputError(
            f"{name}: {cls.__name__} needs {', '.join(missing)}; "
            f"set {name}.{missing[0]}"
        )
    try:
        return cls(**arguments)
    except OptionError as error:
        raise InputError(f"{name}.{error}") from error
    except (TypeError, ValueError, ArithmeticError, MemoryError, RuntimeError) as error:
        why = str(error) or type(error).__name__
        if isinstance(error, InputError) and why.startswith((f"{name} ", f"{name}.")):
            raise  # it names the option itself
        raise InputError(f"{name}: {cls.__name__}: {why}") from error


def find_class(
    target: Any,
    name: str,
    trust: Sequence[str] = (),
    rooms: Sequence[str] = MODEL_ROOMS,
) -> type:
    """Look up `<module>.<Class>` under the rules of this module."""
    is_name = isinstance(target, str) and len(target) <= LONGEST_NAME
    if not is_name or not re.fullmatch(r"\w+(\.\w+)+", target):
        raise InputError(
            f"{name}: _target_ is {_show(target)}, expected <module>.<Class>, e.g. "
            "speechgru.model.encoders.gru.GRUEncoder"
        )
    target = current_name(target)
    module_name, class_name = target.rsplit(".", 1)
    if isinstance(trust, str):
        trust = [trust]  # else parts of the name would be trusted, too
    trusted = module_name in trust or any(
        module_name == room or module_name.startswith(room + ".") for room in rooms
    )
    if not trusted:
        raise InputError(
            f"{name}: _target_ {target!r} lies outside {', '.join(rooms)}; refused. "
            f"If you wrote {module_name} yourself, pass trust=[{module_name}]"
        )
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise InputError(
            f"{name}: _target_ {target!r}: no module {error.name!r}; a module is "
            "named in full, and a package of your own must be importable"
        ) from error
    cls = vars(module).get(class_name)
    kind = "model or tokenizer class" if rooms is MODEL_ROOMS else "class"
    if (
        not isinstance(cls, type)
        or cls.__module__ != module_name
        or (rooms is MODEL_ROOMS and not _belongs_to_model(cls))
    ):
        raise InputError(
            f"{name}: _target_ {target!r} is not a {kind} defined in "
            f"{module_name}; refused"
        )
    return cls


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}..."


def takes(cls: type, argument: str) -> bool:
    """Whether a constructor has an argument of this name."""
    return argument in _parameters(cls)


def _parameters(cls: type) -> Mapping[str, inspect.Parameter]:
    """The named arguments of a constructor, and of those that **options goes on to."""
    found: dict[str, inspect.Parameter] = {}
    for constructor in _constructors(cls)[1:]:
        # The class may give its base what that needs: none of it is missed here.
        found = {
            name: parameter.replace(default=None)
            for name, parameter in _named(constructor).items()
            if name != "self"
        } | found
    return found | _named(cls)


def _named(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind not in variadic
    }


def _constructors(cls: type) -> list[Callable[..., None]]:
    """That of a class, and of its bases as long as one takes any **options."""
    found = []
    for base in cls.__mro__:
        if "__init__" not in vars(base):
            continue
        found.append(vars(base)["__init__"])
        kinds = [each.kind for each in inspect.signature(found[-1]).parameters.values()]
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            break
    return found


def _check_types(cls: type, arguments: Mapping[str, Any], name: str) -> None:
    """Hold plain values against the plain types that a constructor declares."""
    hints: dict[str, Any] = {}
    try:
        for constructor in _constructors(cls):
            hints = get_type_hints(constructor) | hints
    except NameError:
        return  # a user's names may exist for a type checker only
    for option, hint in hints.items():
        kinds = set(get_args(hint)) if isinstance(hint, UnionType) else {hint}
        if option not in arguments or not kinds <= set(PLAIN):
            continue
        value = arguments[option]
        if float in kinds:
            kinds.add(int)
        # bool is an int in Python, but not in a configuration.
        if type(value) not in kinds:
            expected = getattr(hint, "__name__", str(hint))
            expected = expected.replace("None", "null")
            found = _show(value)
            raise InputError(f"{name}.{option} is {found}, expected {expected}")


def _belongs_to_model(cls: type) -> bool:
    methods = ("normalize", "encode", "decode")
    return issubclass(cls, nn.Module) or all(
        callable(getattr(cls, method, None)) for method in methods
    )


def _check_plain(value: Any, name: str) -> None:
    """Refuse nested targets, interpolations and objects."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str) or (key.startswith("_") and key.endswith("_")):
                raise InputError(
                    f"{name}: key {key!r} is not allowed; of underscore keys only "
                    f"{' and '.join(RESERVED)} are, at the top"
                )
            _check_plain(key, f"key of {name}")
            _check_plain(item, f"{name}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _check_plain(item, f"{name}[{index}]")
    elif not isinstance(value, PLAIN):
        raise InputError(
            f"{name} is a {type(value).__name__}, expected a plain value: "
            "text, number, true, false, null, or lists and mappings of them"
        )
    elif isinstance(value, str) and "${" in value:
        raise InputError(f"{name} is {_show(value)}; interpolations are refused")
