"""Estimating n-gram models from text."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from speechgru.interfaces import InputError
from speechgru.lm.ngram import BEGIN, END, UNKNOWN, NGrams
from speechgru.ranges import ORDER, check

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
    """

    ngrams: NGrams
    discounts: tuple[tuple[float, float, float], ...]
    fallbacks: tuple[int, ...]
    num_sentences: int
    num_words: int


def estimate_kneser_ney(sentences: Iterable[Sequence[str]], order: int) -> Estimate:
    """Estimate an n-gram model by interpolated modified Kneser-Ney smoothing.

    A word's probability is its discounted count after the history, and what the
    discounts leave is shared out as the history less its first word does. The
    shorter n-grams count not how often, but after how many words they occur;
    except at the beginning of a sentence, which nothing precedes. Unigrams are
    interpolated with the uniform distribution, over <unk> as well, so that a
    new word has a probability.

    All n-grams are held in memory: 0.4 GB for a million words and order 3.

    Args:
        sentences: their words, none of them <s>, </s> or <unk>.
        order: length of the longest n-grams, at least 1.

    Raises:
        InputError: no words, an order below 1, or a word that is a marker.

    Source:
        Chen and Goodman, "An empirical study of smoothing techniques for
        language modeling", TR-10-98, 1998, section 3; the unigrams and the
        fallback as in Heafield et al., "Scalable modified Kneser-Ney language
        model estimation", ACL 2013, and its program lmplz.
    """
    check("order", order, ORDER)
    highest: Counter[tuple[str, ...]] = Counter()
    num_sentences = num_words = 0
    for words in sentences:
        marker = next((word for word in words if word in (BEGIN, END, UNKNOWN)), None)
        if marker is not None:
            raise InputError(
                f"sentence {num_sentences + 1} holds {marker!r}, which marks sentences "
                "and new words in a language model; remove it from the text"
            )
        num_sentences += 1
        num_words += len(words)
        # An n-gram never holds more than one <s>.
        padded = (BEGIN, *words, END)
        for end in range(2, len(padded) + 1):
            highest[padded[max(0, end - order) : end]] += 1
    if not num_words:
        raise InputError("the text has no words, expected at least one sentence")
    counts = _count_all_orders(highest, order)
    discounts, fallbacks = [], []
    for n, counted in enumerate(counts, 1):
        estimated = _estimate_discounts(counted.values())
        if estimated is None:
            fallbacks.append(n)
        discounts.append(estimated or FALLBACK)
    return Estimate(
        _interpolate(counts, discounts),
        tuple(discounts),
        tuple(fallbacks),
        num_sentences,
        num_words,
    )


def _count_all_orders(
    highest: Counter[tuple[str, ...]], order: int
) -> list[Counter[tuple[str, ...]]]:
    """Counts of the longest n-grams, and numbers of left neighbours of others."""
    counts: list[Counter[tuple[str, ...]]] = [Counter() for _ in range(order)]
    for ngram, count in highest.items():
        # The shorter ones begin with <s>, and count as often as they occur.
        counts[len(ngram) - 1][ngram] = count
    for n in range(order - 1, 0, -1):
        for ngram in counts[n]:
            counts[n - 1][ngram[1:]] += 1
    return counts


def _estimate_discounts(counts: Iterable[int]) -> tuple[float, float, float] | None:
    """Equation 26 of Chen and Goodman; None if it gives no discounts."""
    having = Counter(count for count in counts if count <= 4)
    if not all(having[count] for count in (1, 2, 3, 4)):
        return None
    share = having[1] / (having[1] + 2 * having[2])
    one, two, three = (
        count - (count + 1) * share * having[count + 1] / having[count]
        for count in (1, 2, 3)
    )
    usable = all(0 < discount <= n for n, discount in enumerate((one, two, three), 1))
    return (one, two, three) if usable else None


def _interpolate(
    counts: Sequence[Counter[tuple[str, ...]]],
    discounts: Sequence[tuple[float, float, float]],
) -> NGrams:
    """Equation 25 of Chen and Goodman, order by order."""
    num_outcomes = len(counts[0]) + 1  # <unk> is one, <s> is none
    probabilities: dict[tuple[str, ...], float] = {(UNKNOWN,): 0.0}
    left: dict[tuple[str, ...], float] = {}  # what discounts leave of a history
    shorter = dict.fromkeys([*counts[0], (UNKNOWN,)], 1 / num_outcomes)
    for counted, of_order in zip(counts, discounts, strict=True):
        totals: dict[tuple[str, ...], int] = defaultdict(int)
        taken: dict[tuple[str, ...], float] = defaultdict(float)
        for ngram, count in counted.items():
            totals[ngram[:-1]] += count
            taken[ngram[:-1]] += of_order[min(count, 3) - 1]
        left |= {history: taken[history] / totals[history] for history in totals}
        for ngram, count in counted.items():
            history = ngram[:-1]
            kept = (count - of_order[min(count, 3) - 1]) / totals[history]
            lower = shorter[ngram] if not history else probabilities[ngram[1:]]
            probabilities[ngram] = kept + left[history] * lower
    probabilities[(UNKNOWN,)] = left[()] / num_outcomes
    log_probs = {ngram: math.log(value) for ngram, value in probabilities.items()}
    log_probs[(BEGIN,)] = -math.inf
    return {
        ngram: (log_probs[ngram], math.log(left.get(ngram, 1.0)))
        for ngram in sorted(log_probs, key=lambda ngram: (len(ngram), ngram))
    }
