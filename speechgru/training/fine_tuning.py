"""Which options of a run its `init_from` checkpoint decides."""

from collections.abc import Iterable
from dataclasses import replace

from speechgru.checkpoint.renamed import with_current_names
from speechgru.checkpoint.storage import (
    DESCRIPTION_KEY,
    is_language_model,
    read_checkpoint,
)
from speechgru.interfaces import InputError
from speechgru.options.component import Component
from speechgru.options.training import TrainOptions
from speechgru.ranges import OptionError

FROM_CHECKPOINT = ("features", "normalize", "subsampling", "encoder")
"""Groups that `init_from` brings with it, beside the text group."""


def adopt_model(options: TrainOptions, named: Iterable[str]) -> TrainOptions:
    """Put the model of the `init_from` checkpoint into a run's options.

    Single options that the user has named, such as encoder.dropout, stay as
    named; another class, or another way to treat text, is refused.

    Args:
        options: of the run.
        named: full names of the options that the user has set.

    Raises:
        OptionError: the user has named what the checkpoint decides.
        InputError: it is the checkpoint of a language model, or none.
    """
    description = read_checkpoint(options.init_from)[DESCRIPTION_KEY]
    if is_language_model(description):
        raise InputError(
            f"init_from={options.init_from}: is a language model, expected an "
            "acoustic model; name another checkpoint"
        )
    parts = with_current_names(
        {"text": description["tokenizer"]}
        | {group: description["model"][group] for group in FROM_CHECKPOINT}
    )
    adopted = {group: Component.read(values, group) for group, values in parts.items()}
    for key in named:
        group, _, name = key.partition(".")
        if group == "text" or (group in FROM_CHECKPOINT and not name):
            raise OptionError(
                f"{key}: init_from brings text, {', '.join(FROM_CHECKPOINT)} with "
                "the checkpoint; leave it out"
            )
        if group in FROM_CHECKPOINT and name in getattr(options, group).options:
            value = getattr(options, group).options[name]
            adopted[group] = adopted[group].replace(**{name: value})
    return replace(options, **adopted)
