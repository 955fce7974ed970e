"""`speechgru lm`: a language model from text."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from speechgru.checkpoint.load import load_checkpoint
from speechgru.cli.config import read_command_line
from speechgru.cli.evaluate import check_output
from speechgru.data.folds import hold_out
from speechgru.data.texts import read_sentences
from speechgru.decode.language import token_names
from speechgru.factory import build_corpus, build_tokenizer
from speechgru.files import printable
from speechgru.interfaces import InputError, Tokenizer
from speechgru.lm.arpa import write_arpa
from speechgru.lm.kneser_ney import Estimate, estimate_kneser_ney
from speechgru.lm.ngram import NGramModel, perplexity
from speechgru.options import LmOptions
from speechgru.options.component import Component
from speechgru.progress import track

USAGE = """
usage: speechgru lm [TEXT_FILE...] [corpus=NAME] [KEY=VALUE ...]

Estimate an n-gram language model from the training transcripts of a corpus, from
text files of one sentence a line, or from both, and write it as an ARPA file.
"""

UNITS = ("word", "token")


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(LmOptions, arguments, USAGE, (0, sys.maxsize))
    config = line.config
    if config["unit"] not in UNITS:
        raise InputError(
            f"unit is {config['unit']!r}, expected one of: {', '.join(UNITS)}"
        )
    train, dev, names = read_texts(config, line.positional)
    tokenizer = choose_tokenizer(config, [text for _, text in train])
    sentences = cut_all(train, tokenizer, config["unit"])
    name = f"{names[0]}-{config['order']}-{config['unit']}s.arpa"
    output = Path(config["output"] or f"lm/{name}")
    check_output(output)
    counted = track(sentences, "lm: counting", "sentences")
    estimate = estimate_kneser_ney(counted, config["order"])
    held_out = cut_all(dev, tokenizer, config["unit"])
    description = describe(estimate, held_out, config["unit"])
    write_arpa(output, estimate.ngrams)  # before anything is printed
    print(description)
    print(f"language model: {printable(str(output))}")
    return 0


def read_texts(
    config: Mapping[str, Any], files: Sequence[str]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]], list[str]]:
    """Read texts with their origins, those that are held out, and names of sources."""
    train: list[tuple[str, str]] = []
    dev: list[tuple[str, str]] = []
    names = []
    if config.get("corpus") is not None:
        corpus = build_corpus(
            Component.read(config["corpus"], "corpus"), config["trust"]
        )
        fold = config["fold"]
        fold = "" if fold is None else f"-fold-{fold}".replace("/", "-of-")
        names.append(f"{corpus.variant}{fold}")
        splits = [corpus.read(split) for split in ("train", "dev")]
        cut = hold_out(*splits, config["fold"])
        train, dev = ([(each.id, each.text) for each in some] for some in cut)
    elif config["fold"] is not None:
        raise InputError(
            f"fold is {config['fold']}, but there is no corpus; leave it out"
        )
    names += [Path(file).stem for file in files]
    train += read_sentences(files)
    if not names:
        raise InputError("there is no text; name text files, or set corpus=NAME")
    if not train:
        raise InputError(
            f"{', '.join(names)}: no text, expected at least one sentence; name other "
            "files"
        )
    return train, dev, names


def choose_tokenizer(config: Mapping[str, Any], texts: Sequence[str]) -> Tokenizer:
    """That of the checkpoint, or one made from the texts."""
    if config["checkpoint"] is not None:
        return load_checkpoint(config["checkpoint"], config["trust"]).tokenizer
    return build_tokenizer(
        Component.read(config["text"], "text"), texts, config["trust"]
    )


def cut_all(
    texts: Sequence[tuple[str, str]], tokenizer: Tokenizer, unit: str
) -> list[list[str]]:
    """Cut normalised texts into the words of the language model.

    Raises:
        InputError: a text that the tokens cannot spell, with its origin.
    """
    names = ["", *token_names(tokenizer)]
    cut = []
    for origin, text in track(texts, "lm: reading", "sentences"):
        try:
            token_ids = tokenizer.encode(text)
        except InputError as error:
            raise InputError(f"{origin}: {error}") from error
        if unit == "token":
            cut.append([names[token_id] for token_id in token_ids])
        else:
            cut.append(tokenizer.normalize(text).split())
    return cut


def describe(estimate: Estimate, held_out: Sequence[Sequence[str]], unit: str) -> str:
    """Say what was counted, and how well the model foresees what was not."""
    model = NGramModel(estimate.ngrams)
    numbers = [0] * model.order
    for ngram in estimate.ngrams:
        numbers[len(ngram) - 1] += 1
    lines = [
        f"{estimate.num_sentences} sentences, {estimate.num_words} {unit}s",
        "n-grams: "
        + ", ".join(f"{number} of {n}" for n, number in enumerate(numbers, 1)),
    ]
    if estimate.fallbacks:
        lines.append(
            "too few counts for the discounts of order "
            f"{', '.join(map(str, estimate.fallbacks))}: took those of KenLM's fallback"
        )
    words = [word for words in held_out for word in words]
    if words:
        unknown = sum(word not in model.ids for word in words)
        lines.append(
            f"held out: perplexity {perplexity(model, held_out):.2f} per {unit}, "
            f"sentences' ends included; {unknown} of {len(words)} {unit}s unknown"
        )
    return "\n".join(lines)
