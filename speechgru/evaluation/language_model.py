"""An n-gram language model from the texts of a corpus and of files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from speechgru.checkpoint.load import load_checkpoint
from speechgru.data.folds import hold_out
from speechgru.data.texts import read_sentences
from speechgru.decode.language import token_names
from speechgru.evaluation.outputs import check_output
from speechgru.factory import build_corpus, build_tokenizer
from speechgru.interfaces import InputError, Tokenizer
from speechgru.lm.arpa import write_arpa
from speechgru.lm.kneser_ney import Estimate, estimate_kneser_ney
from speechgru.lm.ngram import NGramModel, perplexity
from speechgru.options.corpus import LmOptions
from speechgru.progress import track


@dataclass(frozen=True)
class SplitTexts:
    """What a language model is estimated from, each text with its origin.

    Attributes:
        train: texts to count.
        dev: texts that are held out.
        names: of the corpus and the files.
    """

    train: list[tuple[str, str]]
    dev: list[tuple[str, str]]
    names: list[str]


def estimate(files: Sequence[str], options: LmOptions) -> tuple[Path, str]:
    """Estimate a language model and write it as an ARPA file.

    Args:
        files: of one sentence a line, beside the corpus.
        options: of the command.

    Returns:
        The file, and what was counted, in words.

    Raises:
        InputError: there is no text, or the tokens cannot spell one.
    """
    texts = read_texts(files, options)
    tokenizer = choose_tokenizer(options, [text for _, text in texts.train])
    sentences = cut_all(texts.train, tokenizer, options.unit)
    name = f"{texts.names[0]}-{options.order}-{options.unit}s.arpa"
    output = options.output or Path("lm", name)
    check_output(output)
    counted = track(sentences, "lm: counting", "sentences")
    estimated = estimate_kneser_ney(counted, options.order)
    held_out = cut_all(texts.dev, tokenizer, options.unit)
    description = describe(estimated, held_out, options.unit)
    write_arpa(output, estimated.ngrams)
    return output, description


def read_texts(files: Sequence[str], options: LmOptions) -> SplitTexts:
    """Read the texts of a corpus and of files. Raises InputError: there are none."""
    train: list[tuple[str, str]] = []
    dev: list[tuple[str, str]] = []
    names = []
    if options.corpus is not None:
        corpus = build_corpus(options.corpus, options.trust)
        fold = options.fold
        fold = "" if fold is None else f"-fold-{fold}".replace("/", "-of-")
        names.append(f"{corpus.variant}{fold}")
        cut = hold_out(corpus.read("train"), corpus.read("dev"), options.fold)
        train, dev = ([(each.id, each.text) for each in some] for some in cut)
    elif options.fold is not None:
        raise InputError(
            f"fold is {options.fold}, but there is no corpus; leave it out"
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
    return SplitTexts(train, dev, names)


def choose_tokenizer(options: LmOptions, texts: Sequence[str]) -> Tokenizer:
    """That of the checkpoint, or one made from the texts."""
    if options.checkpoint is not None:
        return load_checkpoint(options.checkpoint, options.trust).tokenizer
    return build_tokenizer(options.text, texts, options.trust)


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
