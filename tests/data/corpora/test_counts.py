from pathlib import Path

import pytest

from speechgru.data.corpora.counts import ReferenceCounts
from speechgru.data.source import SplitSize
from speechgru.interfaces import InputError


def sizes(**splits):
    return {
        split: SplitSize(utterances, hours, words, Path(f"{split}.jsonl"))
        for split, (utterances, hours, words) in splits.items()
    }


FOUND = sizes(train=(10, 5.42, 100), dev=(2, 1.0004, 20))


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"utterances": {"dev": 3}}, "an4 dev: 2 utterances, expected 3; take the ori"),
        ({"words": {"train": 99}}, r"an4 train: 100 words, expected 99; .*words.train"),
        ({"words": {"all": 121}}, "an4 all: 120 words, expected 121"),
        ({"hours": {"train": 5.5}}, r"an4 train: 5.4200 h, expected 5.5"),
        ({"hours": {"train": 5.41}}, r"an4 train: 5.4200 h, expected 5.41"),
        ({"hours": {"dev": 0.9984}}, "an4 dev: 1.0004 h, expected 0.9984"),
    ],
)
def test_what_differs_from_the_reference_is_named(counts, message):
    with pytest.raises(InputError, match=message):
        ReferenceCounts(**counts).check("an4", FOUND)


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {"utterances": {"train": 10, "dev": None, "all": 12}, "words": {"dev": 20}},
        {"hours": {"train": 5.4, "dev": 1.0, "all": 6.42}},
        {"hours": {"train": 5, "dev": 0.9995}},
        {"utterances": {"test": 7}},  # which is not prepared
    ],
)
def test_what_agrees_with_the_digits_of_the_reference_passes(counts):
    ReferenceCounts(**counts).check("an4", FOUND)


@pytest.mark.parametrize("number", [-1, 1.5, "many", True])
def test_a_reference_that_is_no_count_is_refused(number):
    with pytest.raises(InputError, match=r"words.train is .*, expected a whole number"):
        ReferenceCounts(words={"train": number})
