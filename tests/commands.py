"""The options of every command, by its name."""

from speechgru import options
from speechgru.options.fields import Options

COMMANDS = {
    cls.name: cls
    for cls in vars(options).values()
    if isinstance(cls, type) and issubclass(cls, Options) and cls.is_command
}
