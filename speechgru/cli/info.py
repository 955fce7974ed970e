"""`speechgru info`: what a checkpoint says of itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from speechgru.checkpoint.chosen import choose_checkpoint
from speechgru.cli.config import read_command_line
from speechgru.files import to_json
from speechgru.options import InfoOptions, StreamOptions

if TYPE_CHECKING:
    from speechgru.model.acoustic import AcousticModel

USAGE = """
usage: speechgru info CHECKPOINT [KEY=VALUE ...]

Print what a checkpoint is, on what it was trained, its score, and whether it can hear
a stream, and how late.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(InfoOptions, arguments, USAGE, (1, 1))
    from speechgru.checkpoint.digest import DIGEST
    from speechgru.checkpoint.load import load_checkpoint, load_language_model
    from speechgru.checkpoint.storage import (
        DESCRIPTION_KEY,
        is_language_model,
        read_checkpoint,
    )
    from speechgru.training.totals import describe_totals, totals_of
    from speechgru.transcribe.online.refusal import describe_streaming

    path = choose_checkpoint(line.positional[0])
    description = read_checkpoint(path)[DESCRIPTION_KEY]
    for_text = is_language_model(description)
    load = load_language_model if for_text else load_checkpoint
    loaded = load(path, line.options.trust)
    facts = {**loaded.metadata, "num_parameters": loaded.model.num_parameters}
    if not for_text:
        facts["seconds_per_frame"] = loaded.model.seconds_per_frame
        model = cast("AcousticModel", loaded.model)
        facts["stream"] = describe_streaming(model.eval(), StreamOptions().step)
    tokens = loaded.tokenizer.tokens[1:]
    is_alphabet = all(len(token) == 1 for token in tokens)
    facts["totals"] = totals_of(loaded.metadata)
    facts["tokens"] = "".join(tokens) if is_alphabet else list(tokens)
    facts["model"] = loaded.model_config
    facts["digest"] = description.get(DIGEST)
    if line.options.format == "json":
        print(to_json(facts).decode())
        return 0
    for name, value in facts.items():
        if name == "model":
            print(f"{name}:")
            for part, options in value.items():
                print(f"  {part}: {_options(options)}")
        elif name == "totals":
            print(f"in all: {describe_totals(loaded.metadata)}")
        elif name == "digest":
            print(f"digest: {value or 'none, an older version wrote it'}")
        else:
            print(f"{name}: {value}")
    return 0


def _options(options: dict | None) -> str:
    if not options:
        return "none"
    named = [f"{key}={value}" for key, value in options.items() if key[0] != "_"]
    return f"{options['_target_'].rpartition('.')[2]}({', '.join(named)})"
