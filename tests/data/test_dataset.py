import random

import pytest
import soundfile
import torch

from speechgru.data.augment.chain import Chain, SameTime
from speechgru.data.augment.speed import SpeedPerturbation
from speechgru.data.dataset import SpeechDataset
from speechgru.data.feasibility import FewestSamples
from speechgru.data.plan import PlannedBatch
from speechgru.data.wordless import Wordless
from speechgru.interfaces import InputError, Utterance
from speechgru.text.tokenizer import CharacterTokenizer

RATE = 8000
TOKENIZER = CharacterTokenizer(" AB")
LENGTHS = {"a": 400, "b": 250, "c": 320}
TEXTS = {"a": "ab", "b": "A b a", "c": "b"}


@pytest.fixture
def utterances(tmp_path) -> list[Utterance]:
    """One file each; sample n of a file is n / 1000."""
    for id, length in LENGTHS.items():
        samples = [index / 1000 for index in range(length)]
        soundfile.write(tmp_path / f"{id}.wav", samples, RATE, subtype="FLOAT")
    return [
        Utterance(id, tmp_path / f"{id}.wav", length / RATE, TEXTS[id])
        for id, length in LENGTHS.items()
    ]


def plan(*indices: int, epoch: int = 0) -> PlannedBatch:
    return PlannedBatch(indices, epoch, step=5, part=1, step_size=7)


class Offset(SameTime):
    """Adds a number that is drawn."""

    def __call__(self, waveform, generator):
        return waveform + generator.random()


class Shift(Offset):
    changes_time = True


def chain(seed: int = 0) -> Chain:
    return Chain({"offset": Offset()}, seed)


def draws(dataset: SpeechDataset, planned: PlannedBatch) -> dict[str, float]:
    """What the chain drew for each utterance of a batch: its first sample."""
    batch = dataset[planned]
    return dict(zip(batch.ids, batch.waveforms[:, 0].tolist(), strict=True))


def test_a_batch_holds_the_planned_utterances_padded(utterances):
    dataset = SpeechDataset(utterances, TOKENIZER, RATE)
    batch = dataset[plan(1, 0)]
    assert batch.ids == ["b", "a"]
    assert batch.waveforms.shape == (2, 400)
    assert batch.waveform_lengths.tolist() == [250, 400]
    torch.testing.assert_close(batch.waveforms[0, :250], torch.arange(250) / 1000)
    assert (batch.waveforms[0, 250:] == 0).all()
    assert batch.references == ["A B A", "AB"]
    assert batch.targets.tolist() == [[2, 1, 3, 1, 2], [2, 3, 0, 0, 0]]
    assert batch.target_lengths.tolist() == [5, 2]
    assert (batch.key, batch.step_size) == ((0, 5, 1), 7)
    assert len(dataset) == 3


def test_a_segment_is_cut_from_its_file(utterances):
    whole = utterances[0]
    part = Utterance("p", whole.audio_path, 0.01, "a", offset=0.02, partial=True)
    waveform = SpeechDataset([part], TOKENIZER, RATE).load(part, epoch=0).waveform
    torch.testing.assert_close(waveform, torch.arange(160, 240) / 1000)


def test_augmentation_is_keyed_by_utterance_and_not_by_order(utterances):
    def dataset(order):
        return SpeechDataset(
            [utterances[index] for index in order], TOKENIZER, RATE, augment=chain()
        )

    expected = draws(dataset([0, 1, 2]), plan(0, 1, 2))
    assert len(set(expected.values())) == 3
    assert draws(dataset([0, 1, 2]), plan(2, 0, 1)) == expected
    assert draws(dataset([2, 0, 1]), plan(0, 1, 2)) == expected
    other = dataset([0, 1, 2])
    random.seed(99)
    alone = [draws(other, plan(index)) for index in (1, 1, 2, 0)]
    assert {id: value for drawn in alone for id, value in drawn.items()} == expected


def test_augmentation_changes_with_epoch_and_seed(utterances):
    drawn = {
        (seed, epoch): draws(
            SpeechDataset(utterances, TOKENIZER, RATE, augment=chain(seed)),
            plan(0, epoch=epoch),
        )["a"]
        for seed in (1, 2)
        for epoch in (0, 1, 2)
    }
    assert len(set(drawn.values())) == 6


def test_a_batchs_place_in_the_plan_does_not_change_the_augmentation(utterances):
    dataset = SpeechDataset(utterances, TOKENIZER, RATE, augment=chain())
    elsewhere = PlannedBatch((0, 1), epoch=0, step=0, part=0, step_size=2)
    assert draws(dataset, elsewhere) == draws(dataset, plan(0, 1))


def test_views_differ_but_not_in_time(utterances):
    both = Chain({"shift": Shift(), "offset": Offset()}, seed=1)
    batch = SpeechDataset(utterances, TOKENIZER, RATE, augment=both, num_views=2)[
        plan(0, 1)
    ]
    assert batch.ids == ["a", "b", "a", "b"]
    assert len({*batch.waveforms[:, 0].tolist()}) == 4
    shifted = Chain({"shift": Shift()}, seed=1)
    dataset = SpeechDataset(utterances, TOKENIZER, RATE, augment=shifted, num_views=2)
    first, second = dataset[plan(0, 1)].waveforms.chunk(2)
    assert torch.equal(first, second)
    # Time changes alike with and without a second view, or another augmentation.
    moved = SpeechDataset(utterances, TOKENIZER, RATE, augment=shifted)
    assert torch.equal(moved[plan(0, 1)].waveforms, first)


def test_views_without_augmentation_are_the_same(utterances):
    batch = SpeechDataset(utterances, TOKENIZER, RATE, num_views=3)[plan(0, 1)]
    assert batch.ids == ["a", "b"] * 3
    assert (batch.num_views, batch.step_size) == (3, 21)


def test_utterances_without_words_stand_behind_the_others(utterances):
    silent = Wordless(0.5, [0.05], RATE, seed=1)
    dataset = SpeechDataset(
        utterances, TOKENIZER, RATE, augment=chain(), num_views=2, wordless=silent
    )
    batch = dataset[plan(0, 3)]
    assert batch.ids == ["a", "wordless-0"] * 2
    assert batch.references == ["AB", ""] * 2
    assert batch.target_lengths.tolist() == [2, 0] * 2
    assert batch.waveform_lengths.tolist() == [400, 400] * 2
    views = [silent.load(0, epoch=0, view=view) for view in range(2)]
    assert torch.equal(batch.waveforms[1::2], torch.stack(views))


def test_without_targets_unknown_characters_are_no_error(utterances):
    odd = Utterance("odd", utterances[0].audio_path, 0.05, "Zoë")
    dataset = SpeechDataset([odd], TOKENIZER, RATE, with_targets=False)
    batch = dataset[plan(0)]
    assert batch.references == ["ZOË"]
    assert batch.target_lengths.tolist() == [0]
    assert batch.targets.dtype == torch.int64


def test_an_unknown_character_is_an_error_that_names_the_utterance(utterances):
    odd = Utterance("odd", utterances[0].audio_path, 0.05, "ac")
    dataset = SpeechDataset([*utterances, odd], TOKENIZER, RATE)
    with pytest.raises(InputError, match=r"^odd: character 'C' is not among the 4 tok"):
        dataset[plan(0, 3)]


def test_an_unreadable_file_is_an_error_that_names_it(utterances, tmp_path):
    utterances[1].audio_path.unlink()
    dataset = SpeechDataset(utterances, TOKENIZER, RATE)
    with pytest.raises(InputError, match=r"b\.wav"):
        dataset[plan(0, 1)]


def test_another_rate_is_an_error_unless_resampling_is_asked_for(utterances):
    with pytest.raises(InputError, match=r"a\.wav: sample_rate is 8000 Hz, expected 4"):
        SpeechDataset(utterances, TOKENIZER, 4000)[plan(0)]
    batch = SpeechDataset(utterances, TOKENIZER, 4000, resample=True)[plan(0)]
    assert batch.waveform_lengths.tolist() == [200]


def test_an_utterance_is_sped_up_as_far_as_its_own_tokens_align(utterances):
    fewest = FewestSamples(lambda lengths: lengths // 90, 400)
    fast = Chain({"speed": SpeedPerturbation([2.0])}, seed=0)
    dataset = SpeechDataset(
        utterances, TOKENIZER, RATE, augment=fast, fewest_samples=fewest
    )
    lengths = dataset[plan(0, 1, 2)].waveform_lengths.tolist()
    # Two tokens need 180 samples, five more than there are, and one 90.
    assert lengths == [200, 250, 160]
    free = SpeechDataset(utterances, TOKENIZER, RATE, augment=fast)
    assert free[plan(0, 1, 2)].waveform_lengths.tolist() == [200, 125, 160]
