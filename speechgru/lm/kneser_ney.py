"""Estimating n-gram models from text."""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from speechgru.lm.counting import BLOCK, Counts, count_ngrams, map_file, write_stream
from speechgru.lm.table import BEGIN, NGramTable, blocks
from speechgru.lm.table_writer import TableWriter
from speechgru.ranges import ORDER, OptionError, check

FALLBACK = (0.5, 1.0, 1.5)
"""Discounts where the counts are too few to estimate them, as KenLM's."""


@dataclass(frozen=True)
class Estimate:
    """A model and how it was made.

    Attributes:
        ngrams: of all orders.
        discounts: of each order, of counts of 1, 2, and 3 or more.
        fallbacks: orders whose discounts could not be estimated.
        num_sentences: that were counted.
        num_words: that were counted, without the sentences' ends.
        num_unknown: of these, the words outside the vocabulary.
        num_pruned: n-grams of each order that were dropped.
    """

    ngrams: NGramTable
    discounts: tuple[tuple[float, float, float], ...]
    fallbacks: tuple[int, ...]
    num_sentences: int
    num_words: int
    num_unknown: int
    num_pruned: tuple[int, ...]


def estimate_kneser_ney(
    sentences: Iterable[Sequence[str]],
    order: int,
    *,
    prune: Sequence[int] = (),
    most_words: int | None = None,
    folder: Path | None = None,
) -> Estimate:
    """Estimate an n-gram model by interpolated modified Kneser-Ney smoothing.

    A word's probability is its discounted count after the history, and what the
    discounts leave is shared out as the history less its first word does. The
    shorter n-grams count not how often, but after how many words they occur;
    except at the beginning of a sentence, which nothing precedes. Unigrams are
    interpolated with the uniform distribution, over <unk> as well, so that a
    new word has a probability.

    N-grams that are pruned leave all their probability to the shorter ones. They
    still count for these and for the discounts.

    Sentences and counts lie in files, and are worked on block by block.

    Args:
        sentences: their words, none of them <s>, </s> or <unk>.
        order: length of the longest n-grams, at least 1.
        prune: for each length, how often an n-gram may occur and is dropped
            nevertheless: 0 first, none lower than the one before; the last holds
            for all longer ones.
        most_words: of the vocabulary, the most frequent ones; None: all. The others
            become <unk>.
        folder: for all files, those of the n-grams included; None: the n-grams are
            held in memory, and the files are temporary.

    Raises:
        InputError: no words, an order below 1, or a word that is a marker.

    Source:
        Chen and Goodman, "An empirical study of smoothing techniques for
        language modeling", TR-10-98, 1998, section 3; the unigrams, the
        fallback, pruning, and the work on the disk as in Heafield et al.,
        "Scalable modified Kneser-Ney language model estimation", ACL 2013, and
        its program lmplz.
    """
    check("order", order, ORDER)
    thresholds = _check_pruning(prune, order)
    with tempfile.TemporaryDirectory(dir=folder, prefix="counts-") as work:
        stream = write_stream(sentences, Path(work), most_words)
        counted = [
            counts
            for counts in count_ngrams(stream, order, Path(work))
            if len(counts.keys)
        ]
        ends = _find_all_ends(counted, len(stream.words), Path(work))
        adjusted = _adjust(counted, ends, Path(work))
        discounts, fallbacks = [], []
        for n, numbers in enumerate(adjusted, 1):
            estimated = _estimate_discounts(numbers)
            if estimated is None:
                fallbacks.append(n)
            discounts.append(estimated or FALLBACK)
        target = Path(work) if folder is None else folder
        with TableWriter(stream.words, target) as writer:
            _interpolate(
                counted, adjusted, ends, discounts, thresholds, writer, Path(work)
            )
        kept = [*writer.numbers, *[0] * len(counted)]
        num_pruned = [len(c.keys) - m for c, m in zip(counted, kept, strict=False)]
        return Estimate(
            writer.open(in_memory=folder is None),
            tuple(discounts),
            tuple(fallbacks),
            stream.num_sentences,
            stream.num_words,
            stream.num_unknown,
            tuple(num_pruned),
        )


def _check_pruning(prune: Sequence[int], order: int) -> list[int]:
    """A threshold for each length. Raises OptionError."""
    given = list(prune) or [0]
    if len(given) > order or given[0] != 0 or given != sorted(given):
        raise OptionError(
            f"prune is {list(prune)}, expected at most {order} whole numbers, 0 first "
            "and none lower than the one before, e.g. [0,0,1]; for fewer words limit "
            "the vocabulary"
        )
    return given + [given[-1]] * (order - len(given))


def _find_all_ends(
    counted: Sequence[Counts], num_words: int, work: Path
) -> list[np.ndarray]:
    """For each length the place of every n-gram less its first word."""
    ends = [np.zeros(num_words, dtype=np.int32)]
    for n, (shorter, longer) in enumerate(pairwise(counted), 2):
        path = work / f"ends-{n}.int32"
        with path.open("wb") as file:
            for begin, end in blocks(0, len(longer.keys), BLOCK):
                contexts, words = np.divmod(longer.keys[begin:end], num_words)
                wanted = ends[-1][contexts] * np.int64(num_words) + words
                places = words if n == 2 else np.searchsorted(shorter.keys, wanted)
                places.astype(np.int32).tofile(file)
        ends.append(map_file(path, np.int32))
    return ends


def _adjust(
    counted: Sequence[Counts], ends: Sequence[np.ndarray], work: Path
) -> list[np.ndarray]:
    """Counts of the longest n-grams, and numbers of left neighbours of others."""
    adjusted = []
    for n, counts in enumerate(counted, 1):
        if n == len(counted):
            adjusted.append(counts.counts)
            continue
        neighbours = np.zeros(len(counts.keys), dtype=np.int64)
        for begin, end in blocks(0, len(ends[n]), BLOCK):
            neighbours += np.bincount(ends[n][begin:end], minlength=len(neighbours))
        # Nothing precedes <s>: what begins with it counts as often as it occurs.
        np.copyto(neighbours, counts.counts, where=neighbours == 0)
        path = work / f"adjusted-{n}.int64"
        neighbours.tofile(path)
        adjusted.append(map_file(path, np.int64))
    return adjusted


def _estimate_discounts(counts: np.ndarray) -> tuple[float, float, float] | None:
    """Equation 26 of Chen and Goodman; None if it gives no discounts."""
    having = np.zeros(6)
    for begin, end in blocks(0, len(counts), BLOCK):
        having += np.bincount(counts[begin:end].clip(max=5), minlength=6)
    if not all(having[1:5]):
        return None
    share = having[1] / (having[1] + 2 * having[2])
    one, two, three = (
        float(count - (count + 1) * share * having[count + 1] / having[count])
        for count in (1, 2, 3)
    )
    usable = all(0 < discount <= n for n, discount in enumerate((one, two, three), 1))
    return (one, two, three) if usable else None


def _interpolate(
    counted: Sequence[Counts],
    adjusted: Sequence[np.ndarray],
    ends: Sequence[np.ndarray],
    discounts: Sequence[tuple[float, float, float]],
    thresholds: Sequence[int],
    writer: TableWriter,
    work: Path,
) -> None:
    """Equation 25 of Chen and Goodman, order by order."""
    # <unk> is an outcome, seen or not, and <s> is none.
    is_outcome = np.array([word != BEGIN for word in writer.words])
    uniform = is_outcome / is_outcome.sum()
    # Of the n-grams one word shorter: their probabilities, and nodes in the table.
    lower, nodes = np.ones(1), np.zeros(1, dtype=np.int64)
    for n, counts in enumerate(counted, 1):
        level = _Level(
            counts,
            adjusted[n - 1],
            np.array([0.0, *discounts[n - 1]]),
            thresholds[n - 1],
        )
        totals, left = level.share(len(nodes), len(writer.words))
        if n > 1:
            writer.add_backoffs(np.log(left[nodes >= 0]))
        paths = work / f"probabilities-{n}.float64", work / f"nodes-{n}.int64"
        with paths[0].open("wb") as file, paths[1].open("wb") as node_file:
            for begin, end in blocks(0, len(counts.keys), BLOCK):
                contexts, words = np.divmod(counts.keys[begin:end], len(writer.words))
                behind = ends[n - 1][begin:end]
                base = uniform[begin:end] if n == 1 else lower[behind]
                own, kept = level.discount(begin, end)
                probabilities = own / totals[contexts] + left[contexts] * base
                probabilities.tofile(file)
                keys = nodes[contexts] * len(writer.words) + words
                with np.errstate(divide="ignore"):  # of <s>
                    log_probs = np.log(probabilities)
                added = writer.add(keys[kept], log_probs[kept], nodes[behind][kept])
                new = np.full(len(kept), -1)
                new[kept] = added
                new.tofile(node_file)
        writer.end_order()
        lower, nodes = map_file(paths[0], np.float64), map_file(paths[1], np.int64)
    writer.add_backoffs(np.zeros(writer.numbers[-1]))


@dataclass(frozen=True)
class _Level:
    """The n-grams of one length, as they are smoothed.

    Attributes:
        counts: how often they occur.
        adjusted: what they count.
        take: what is taken of counts of 0, 1, 2, and 3 or more.
        threshold: those that occur so often or less are dropped.
    """

    counts: Counts
    adjusted: np.ndarray
    take: np.ndarray
    threshold: int

    def discount(self, begin: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Counts less the discounts, and whether they are kept."""
        numbers = self.adjusted[begin:end]
        # A word that never occurs is in the vocabulary nevertheless: <s>, or <unk>.
        occurs = self.counts.counts[begin:end]
        kept = (occurs > self.threshold) | (self.threshold == 0)
        return numbers - self.take[numbers.clip(max=3)], kept

    def share(self, num_contexts: int, num_words: int) -> tuple[np.ndarray, np.ndarray]:
        """Sums of the counts behind each context, and the shares that are left."""
        totals, left = np.zeros((2, num_contexts))
        for begin, end in blocks(0, len(self.adjusted), BLOCK):
            contexts = self.counts.keys[begin:end] // num_words
            numbers = self.adjusted[begin:end]
            discounted, kept = self.discount(begin, end)
            taken = numbers - np.where(kept, discounted, 0.0)
            first = contexts[0]  # they are in order
            for sums, values in ((totals, numbers), (left, taken)):
                some = np.bincount(contexts - first, weights=values)
                sums[first : first + len(some)] += some
        occurs = totals > 0
        np.divide(left, totals, out=left, where=occurs)
        left[~occurs] = 1.0
        return totals, left
