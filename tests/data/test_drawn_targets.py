import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechgru.data.augment.chain import Chain
from speechgru.data.dataset import SpeechDataset
from speechgru.data.drawn_targets import DrawnTargets, draw_targets
from speechgru.data.feasibility import FewestSamples, frames_needed
from speechgru.data.plan import PlannedBatch
from speechgru.interfaces import Utterance
from speechgru.text.subword_tokenizer import SubwordTokenizer
from speechgru.text.tokenizer import CharacterTokenizer

TEXT = "ABBA BABA ABAB BAAB ABBA BABA"


def make(sampling):
    pieces = [" ", "A", "B", "AB", "BA", " A", " B", " AB", " BA", "BBA"]
    return SubwordTokenizer(pieces, [-3.0] * len(pieces), sampling=sampling)


def tenth(lengths):
    if (lengths < 10).any():
        raise ValueError("shorter than one window")
    return lengths // 10


LONG = 10_000
FEWEST = FewestSamples(tenth, LONG)


@pytest.fixture
def drawn():
    return DrawnTargets(make(0.2), 1, FEWEST)


def test_a_draw_depends_on_its_key_alone(drawn):
    first = [drawn(TEXT, (epoch, "a"), LONG) for epoch in range(8)]
    again = [drawn(TEXT, (epoch, "a"), LONG) for epoch in reversed(range(8))]
    assert first == again[::-1]
    assert len(set(map(tuple, first))) > 4
    assert {drawn.tokenizer.decode(ids) for ids in first} == {TEXT}
    other_run = DrawnTargets(make(0.2), 2, FEWEST)
    others = (drawn(TEXT, (0, "b"), LONG), other_run(TEXT, (0, "a"), LONG))
    assert first[0] not in others


def test_what_ctc_cannot_align_is_not_drawn(drawn):
    best = drawn.tokenizer.encode(TEXT)
    needed = frames_needed(best)
    for num_samples in (10 * needed, 10 * (needed + 2), 3):
        found = [drawn(TEXT, (epoch, "a"), num_samples) for epoch in range(30)]
        assert all(
            ids == best or frames_needed(ids) <= num_samples // 10 for ids in found
        )
        assert best in found
    assert frames_needed([1, 1, 2, 2, 2]) == 8


def test_only_tokenizers_that_can_draw_do():
    assert draw_targets(CharacterTokenizer("AB"), 1, FEWEST) is None
    still = draw_targets(make(None), 1, FEWEST)
    assert still(TEXT, (3, "a"), LONG) == make(None).encode(TEXT)


def load(tmp_path: Path, epoch: int, num_views: int = 1):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(4000), 8000)
    tokenizer = make(0.2)
    data = SpeechDataset(
        [Utterance("a", path, 0.5, TEXT)],
        tokenizer,
        8000,
        augment=Chain({}, 0),
        num_views=num_views,
        draw_targets=draw_targets(tokenizer, 1, FEWEST),
    )
    data = pickle.loads(pickle.dumps(data))  # as it goes to a loading process
    batch = data[PlannedBatch((0,), epoch, step=1, part=0, step_size=1)]
    assert set(batch.references) == {TEXT}
    return batch.targets.tolist()


def test_batches_hold_what_is_drawn_for_their_epoch(tmp_path):
    epochs = [load(tmp_path, epoch) for epoch in range(5)]
    assert epochs == [load(tmp_path, epoch) for epoch in range(5)]
    assert len({tuple(targets) for [targets] in epochs}) > 2
    one, other = load(tmp_path, 3, num_views=2)
    assert [one] == [other] == epochs[3]
