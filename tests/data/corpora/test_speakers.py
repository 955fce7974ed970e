from collections import Counter

import pytest

from speechgru.data.corpora.speakers import deal_speakers

MANY = {f"s{number:03}": 1 + number % 7 for number in range(200)}
SHARES = {"test": 0.1, "dev": 0.05}


def sizes(dealt, num_utterances):
    counts = Counter()
    for speaker, split in dealt.items():
        counts[split] += num_utterances[speaker]
    return counts


def test_every_speaker_is_in_one_split_and_shares_are_filled_but_not_exceeded():
    dealt = deal_speakers(MANY, SHARES, seed=1)
    assert dealt.keys() == MANY.keys()
    found, total = sizes(dealt, MANY), sum(MANY.values())
    assert 0.1 * total - 1 < found["test"] <= 0.1 * total
    assert 0.05 * total - 1 < found["dev"] <= 0.05 * total


def test_the_same_seed_deals_the_same_in_whatever_order_speakers_come():
    backwards = dict(reversed(MANY.items()))
    dealt = deal_speakers(MANY, SHARES, seed=1)
    assert deal_speakers(backwards, SHARES, seed=1) == dealt
    assert deal_speakers(MANY, SHARES, seed=2) != dealt


def test_whoever_has_most_of_all_comes_to_train():
    crowd = MANY | {"reader": 5000}
    assert deal_speakers(crowd, SHARES, seed=1)["reader"] == "train"


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"ann": 3}, {"ann": "train"}),
        ({"ann": 3, "bob": 1}, {"ann": "train", "bob": "test"}),
        (
            {"ann": 3, "bob": 2, "cem": 1},
            {"ann": "train", "bob": "dev", "cem": "test"},
        ),
        ({}, {}),
    ],
)
def test_few_speakers_leave_somebody_to_train_on(counts, expected):
    assert deal_speakers(counts, SHARES, seed=0) == expected


def test_no_share_is_no_split():
    dealt = deal_speakers(MANY, {"test": 0.1, "dev": 0.0}, seed=1)
    assert set(dealt.values()) == {"train", "test"}
