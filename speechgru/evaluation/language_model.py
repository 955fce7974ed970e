"""An n-gram language model from the texts of a corpus and of files."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from speechgru.checkpoint.load import load_checkpoint
from speechgru.data.folds import read_cut
from speechgru.data.texts import SentenceFiles
from speechgru.decode.language import token_names
from speechgru.evaluation.outputs import check_output
from speechgru.factory import build_corpus, build_tokenizer
from speechgru.interfaces import InputError, Tokenizer
from speechgru.lm.arpa import write_arpa
from speechgru.lm.binary import EXTENSION, write_binary
from speechgru.lm.kneser_ney import Estimate, estimate_kneser_ney
from speechgru.lm.ngram import NGramModel, perplexity
from speechgru.options.component import Component
from speechgru.options.corpus import LmOptions
from speechgru.progress import track
from speechgru.runs.data import Cut, read_train_texts
from speechgru.runs.known import UNCHANGED, Changes, KnownRun, find_run
from speechgru.runs.language_models import PREFIX
from speechgru.text.word_counts import Texts


@dataclass(frozen=True)
class SplitTexts:
    """What a language model is estimated from, each text with its origin.

    Attributes:
        train: texts to count, of the corpus.
        files: likewise, of files.
        dev: texts that are held out.
        names: of the corpus and the files.
    """

    train: list[tuple[str, str]]
    files: SentenceFiles
    dev: list[tuple[str, str]]
    names: list[str]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """All that are to be counted, again and again."""
        return chain(self.train, self.files)


def estimate(
    files: Sequence[str], options: LmOptions, changes: Changes = UNCHANGED
) -> tuple[Path, str]:
    """Estimate a language model and write it as an ARPA file, or a binary one.

    Args:
        files: of one sentence a line, beside the corpus; before them there may be the
            folder of a run, whose corpus it is then.
        options: of the command.
        changes: of the run's corpus.

    Returns:
        The file, and what was counted, in words.

    Raises:
        InputError: there is no text, or the tokens cannot spell one.
    """
    run = None
    if files and (its := find_run(files[0])) is not None:
        run, files = KnownRun.read(its, options.trust, changes), files[1:]
    elif changes.options:
        raise InputError(
            f"corpus.{next(iter(changes.options))} is set, but there is no corpus; set "
            "corpus=NAME, or name the folder of a run"
        )
    texts = read_texts(files, options, run)
    tokenizer = choose_tokenizer(options, texts, run)
    cut = Cutter(tokenizer, options.unit)
    output = options.output or default_output(texts.names, options, run)
    check_output(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    held_out, unspelled = _cut_held_out(texts.dev, Cutter(tokenizer, options.unit))
    number = None if files else len(texts.train)  # those of files are not counted yet
    # Beside the file, where there is room for it.
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".lm-") as folder:
        estimated = estimate_kneser_ney(
            track(cut(texts), "lm: counting", "sentences", number),
            options.order,
            prune=options.prune,
            most_words=options.max_words,
            folder=Path(folder),
        )
        lines = [describe(estimated, held_out, options.unit)]
        if cut.num_wordless:
            lines.append(f"left out: {cut.num_wordless} texts without a word")
        if unspelled:
            lines.append(
                f"held out: {unspelled} of {len(texts.dev)} texts hold what the tokens "
                "cannot spell, and do not count"
            )
        write = write_binary if output.suffix == EXTENSION else write_arpa
        write(output, estimated.ngrams)
    return output, "\n".join(lines)


def default_output(
    names: Sequence[str], options: LmOptions, run: KnownRun | None
) -> Path:
    """The file for a language model, unless another is named.

    Args:
        names: of what it is estimated from.
        options: of the command.
        run: in whose folder it lies then; named by what else there is beside its own
            texts, and found by `find_language_model`.
    """
    kind = f"{options.order}-{options.unit}s.arpa"
    if run is None:
        return Path("lm", f"{names[0]}-{kind}")
    own = options.corpus is None and options.fold in (None, run.options.data.fold)
    return run.folder / "-".join([PREFIX, *names[1 if own else 0 :], kind])


def read_texts(
    files: Sequence[str], options: LmOptions, run: KnownRun | None = None
) -> SplitTexts:
    """Read the texts of a corpus and of files. Raises InputError: there are none."""
    train: list[tuple[str, str]] = []
    dev: list[tuple[str, str]] = []
    names = []
    fold, cut = options.fold, None
    if options.corpus is not None:
        cut = _read_corpus(options.corpus, options)
    elif run is not None:
        fold = fold or run.options.data.fold
        cut = read_train_texts(run, fold, options.trust)
    elif fold is not None:
        raise InputError(f"fold is {fold}, but there is no corpus; leave it out")
    if cut is not None:
        suffix = "" if fold is None else f"-fold-{fold}".replace("/", "-of-")
        names.append(f"{cut[2].variant}{suffix}")
        train, dev = ([(each.id, each.text) for each in some] for some in cut[:2])
    names += [Path(file).stem for file in files]
    if not names:
        raise InputError(
            "there is no text; name text files or the folder of a run, or set "
            "corpus=NAME"
        )
    texts = SplitTexts(train, SentenceFiles(files), dev, names)
    if next(iter(texts), None) is None:
        raise InputError(
            f"{', '.join(names)}: no text, expected at least one sentence; name other "
            "files"
        )
    return texts


def _read_corpus(component: Component, options: LmOptions) -> Cut:
    corpus = build_corpus(component, options.trust)
    return *read_cut(corpus, options.fold), corpus


def choose_tokenizer(
    options: LmOptions, texts: SplitTexts, run: KnownRun | None = None
) -> Tokenizer:
    """That of the checkpoint, be it the run's, or one made from the texts."""
    checkpoint, text = options.checkpoint, options.text
    if checkpoint is None and run is not None:
        checkpoint, text = run.checkpoint, run.options.text
    if checkpoint is not None:
        return load_checkpoint(checkpoint, options.trust).tokenizer
    return build_tokenizer(text, Texts(_Plain(texts)), options.trust)


class _Plain(Iterable[str]):
    """The texts alone, again and again."""

    def __init__(self, texts: SplitTexts) -> None:
        self._texts = texts

    def __iter__(self) -> Iterator[str]:
        return (text for _, text in self._texts)


def _cut_held_out(
    texts: Sequence[tuple[str, str]], cut: "Cutter"
) -> tuple[list[list[str]], int]:
    """Texts that only say how good the model is, and how many cannot be cut."""
    found: list[list[str]] = []
    unspelled = 0
    for text in texts:
        try:
            found += cut([text])
        except InputError:
            unspelled += 1
    return found, unspelled


class Cutter:
    """Cut normalised texts into the words of the language model.

    Args:
        tokenizer: of the model.
        unit: "word" or "token".

    Attributes:
        num_wordless: texts that were left out, since normalisation left nothing of
            them; one that was empty before is an utterance in which nothing is said.
    """

    def __init__(self, tokenizer: Tokenizer, unit: str) -> None:
        self._tokenizer = tokenizer
        self._unit = unit
        self._names = ["", *token_names(tokenizer)]
        self._known: dict[str, list[str]] = {}
        self.num_wordless = 0

    def __call__(self, texts: Iterable[tuple[str, str]]) -> Iterator[list[str]]:
        """Cut one text after the other.

        Raises:
            InputError: a text that the tokens cannot spell, with its origin.
        """
        for origin, text in texts:
            try:
                words = self._cut(text)
            except InputError as error:
                raise InputError(f"{origin}: {error}") from error
            if words or not text.strip():
                yield words
            else:
                self.num_wordless += 1

    def _cut(self, text: str) -> list[str]:
        if self._unit == "token":
            ids = self._tokenizer.encode(text)
            return [self._names[token_id] for token_id in ids]
        # What normalisation makes of a word does not depend on the words beside it.
        cut = []
        for word in text.split():
            known = self._known.get(word)
            if known is None:
                self._tokenizer.encode(word)  # raises if the tokens cannot spell it
                known = self._known[word] = self._tokenizer.normalize(word).split()
            cut += known
        return cut


def describe(estimate: Estimate, held_out: Sequence[Sequence[str]], unit: str) -> str:
    """Say what was counted, and how well the model foresees what was not."""
    model = NGramModel(estimate.ngrams)
    lines = [
        f"{estimate.num_sentences} sentences, {estimate.num_words} {unit}s",
        "n-grams: "
        + ", ".join(
            f"{number} of {n}" for n, number in enumerate(estimate.ngrams.numbers, 1)
        ),
    ]
    if any(estimate.num_pruned):
        pruned = (f"{number} of {n}" for n, number in enumerate(estimate.num_pruned, 1))
        lines.append(f"pruned: {', '.join(pruned)}")
    if estimate.num_unknown:
        lines.append(
            f"{estimate.num_unknown} {unit}s are not among the {len(model.words) - 3} "
            "most frequent, and count as <unk>"
        )
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
