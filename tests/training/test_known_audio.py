"""Where it is remembered what files held."""

from dataclasses import replace

import pytest

from speechgru.options import choose
from speechgru.training.validation import find_cache


@pytest.mark.parametrize(
    ("first", "then"),
    [
        # The doctor hears all splits, training some.
        (
            choose(
                "corpus", "manifest", train="a.jsonl", dev="b.jsonl", test="c.jsonl"
            ),
            choose("corpus", "manifest", train="a.jsonl", dev="b.jsonl"),
        ),
        (
            choose("corpus", "mini_librispeech"),
            choose("corpus", "mini_librispeech", parts={"train": ["train-clean-5"]}),
        ),
    ],
)
def test_fewer_splits_of_a_corpus_are_not_decoded_again(first, then):
    assert find_cache(first) == find_cache(then)


def test_corpora_are_remembered_apart():
    corpora = [
        choose("corpus", "manifest", train="a.jsonl"),
        choose("corpus", "manifest", train="b.jsonl"),
        choose("corpus", "manifest", test="b.jsonl"),
        choose("corpus", "shards", folder="shards"),
        choose("corpus", "common_voice", language="cy"),
        choose("corpus", "common_voice", language="tr"),
    ]
    own = replace(corpora[0], target="my.Corpus", options={"name": "x", "parts": 1})
    corpora += [own, replace(own, options={"name": "x", "parts": 2})]
    places = {find_cache(corpus) for corpus in corpora}
    # A test set is the same, whatever else it was named for.
    assert len(places) == len(corpora) - 1
