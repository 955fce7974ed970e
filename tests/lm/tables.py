"""Tables of n-grams that are worked out by hand."""

import numpy as np

from speechgru.lm.table import NGramTable, TableBuilder


def tabulate(ngrams: dict[tuple[str, ...], tuple[float, float]]) -> NGramTable:
    """Lay out n-grams with their natural log-probabilities and backoff weights."""
    words = [ngram[0] for ngram in ngrams if len(ngram) == 1]
    builder = TableBuilder(words)
    for n in range(1, max(map(len, ngrams)) + 1):
        some = [ngram for ngram in ngrams if len(ngram) == n]
        ids = [[words.index(word) for word in ngram] for ngram in some]
        values = [ngrams[ngram] for ngram in some]
        builder.add(np.array(ids), np.array(values))
    return builder.build()
