"""Where results go, and whether they can."""

from pathlib import Path

from speechgru.decode.greedy import GreedyDecoder
from speechgru.evaluation.posteriors import chosen_corpus, name_split
from speechgru.factory import build_corpus
from speechgru.interfaces import InputError
from speechgru.options.evaluation import EvaluateOptions


def default_output(checkpoint: Path, options: EvaluateOptions) -> Path:
    """The file for the results of a model and a decoder, unless another is named."""
    corpus = build_corpus(chosen_corpus(options), options.trust)
    parts = [checkpoint.stem, corpus.variant, name_split(options)]
    module, _, cls = str(options.decoder.target).rpartition(".")
    if cls != GreedyDecoder.__name__:
        lm = options.decoder.options.get("lm")
        parts += [module.rpartition(".")[2], *([Path(lm).stem] if lm else [])]
    if options.rescore is not None:
        parts.append("rescored")
    if options.segment != "none":
        parts.append(f"segment-{options.segment}")
    if options.word_map.target is not None:
        parts.append(str(options.word_map.options.get("name")))
    name = f"{'-'.join(parts)}.jsonl".replace(" ", "-").replace("/", "-of-")
    return checkpoint.with_name(name)


def check_output(output: Path) -> None:
    """Find out before the work, not after it."""
    is_new = not output.exists()
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("a"):
            pass
        if is_new:
            output.unlink()
    except OSError as error:
        raise InputError(
            f"{output}: cannot be written ({error.strerror}); set output=PATH"
        ) from error
