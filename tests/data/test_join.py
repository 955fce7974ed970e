"""Utterances of a step that are joined to longer recordings."""

import random
from pathlib import Path

import pytest
import soundfile
import torch

from speechgru.data.augment.chain import Chain, SameTime
from speechgru.data.augment.join import Join
from speechgru.data.augment.noise import ColoredNoise
from speechgru.data.augment.silence import Silence
from speechgru.data.dataset import SpeechDataset
from speechgru.data.drawn_targets import DrawnTargets
from speechgru.data.feasibility import FewestSamples, frames_needed
from speechgru.data.joining import Joiner
from speechgru.data.plan import BatchPlan, PlannedBatch
from speechgru.data.wordless import Wordless
from speechgru.interfaces import InputError, Utterance
from speechgru.text.subword_tokenizer import SubwordTokenizer
from speechgru.text.tokenizer import CharacterTokenizer

RATE = 8000
TOKENIZER = CharacterTokenizer(" AB")
LENGTHS = [400, 250, 320, 500, 610]
TEXTS = ["ab", "A b a", "b", "bb", "a"]


def join(**options) -> Join:
    options = {
        "probability": 1.0,
        "most": 3,
        "shortest": 0.01,
        "longest": 0.05,
    } | options
    return Join(low=-60, high=-40, sample_rate=RATE, **options)


class Louder(SameTime):
    """Adds 10 to every sample."""

    def __call__(self, waveform, generator):
        return waveform + 10


@pytest.fixture
def utterances(tmp_path) -> list[Utterance]:
    """One file each, of a tone."""
    made = []
    for index, length in enumerate(LENGTHS):
        samples = 0.1 * torch.sin(0.3 * (index + 1) * torch.arange(length))
        path = tmp_path / f"{index}.wav"
        soundfile.write(path, samples.numpy(), RATE, subtype="FLOAT")
        made.append(Utterance(f"u{index}", path, length / RATE, TEXTS[index]))
    return made


def make(utterances, chain: Chain, **options) -> SpeechDataset:
    return SpeechDataset(utterances, TOKENIZER, RATE, augment=chain, **options)


def plan(*indices: int, num_joined: int, epoch: int = 0) -> PlannedBatch:
    return PlannedBatch(indices, epoch, 5, 0, len(indices), num_joined)


def pieces_of(batch, index: int, lengths: list[int]) -> list[torch.Tensor]:
    """The utterances in a joined waveform of so many samples, and the pauses."""
    num_pauses = len(lengths) - 1
    waveform = batch.waveforms[index, : batch.waveform_lengths[index]]
    assert num_pauses == 1, "only for two"
    pause = len(waveform) - sum(lengths)
    return list(waveform.split([lengths[0], pause, lengths[1]]))


def test_waveforms_and_transcripts_follow_each_other(utterances):
    chain = Chain({"join": join()}, seed=1)
    batch = make(utterances, chain)[plan(1, 2, 4, num_joined=2)]
    assert batch.ids == ["u1+u2", "u4"]
    assert batch.references == ["A B A B", "A"]
    assert batch.step_size == 3, "the loss is a mean over utterances"
    targets = batch.targets[0, : batch.target_lengths[0]].tolist()
    assert targets == TOKENIZER.encode("A B A B")
    first, pause, second = pieces_of(batch, 0, [250, 320])
    plain = SpeechDataset(utterances, TOKENIZER, RATE)[plan(1, 2, 4, num_joined=1)]
    assert torch.equal(first, plain.waveforms[0, :250])
    assert torch.equal(second, plain.waveforms[1, :320])
    assert len(pause) == round(chain.pause_behind("u1") * RATE)
    assert 0.01 * RATE <= len(pause) <= 0.05 * RATE
    assert torch.equal(batch.waveforms[1, :610], plain.waveforms[2, :610])


def test_pauses_last_alike_in_every_epoch_and_sound_otherwise(utterances):
    dataset = make(utterances, Chain({"join": join()}, seed=3))
    pauses = [
        pieces_of(dataset[plan(3, 4, num_joined=2, epoch=epoch)], 0, [500, 610])[1]
        for epoch in range(6)
    ]
    assert len({len(pause) for pause in pauses}) == 1
    assert len({pause.square().sum().item() for pause in pauses}) > 3


def test_both_views_have_the_same_pauses(utterances):
    parts = {"join": join(), "noise": ColoredNoise([0.0], 10.0, 20.0, 1.0)}
    dataset = make(utterances, Chain(parts, seed=1), num_views=2)
    batch = dataset[plan(0, 1, 2, 3, num_joined=2)]
    assert batch.ids == ["u0+u1", "u2+u3"] * 2
    assert torch.equal(batch.waveform_lengths[:2], batch.waveform_lengths[2:])
    assert not torch.equal(batch.waveforms[:2], batch.waveforms[2:]), "noise differs"
    assert torch.equal(batch.targets[:2], batch.targets[2:])


def test_what_comes_behind_changes_the_pauses_too(utterances):
    names = {"louder": Louder(), "join": join()}
    before = make(utterances, Chain(names, seed=1))[plan(0, 1, num_joined=2)]
    behind = Chain(dict(reversed(names.items())), seed=1)
    after = make(utterances, behind)[plan(0, 1, num_joined=2)]
    inner = pieces_of(before, 0, [400, 250])[1]
    assert inner.abs().max() < 11
    lifted = pieces_of(after, 0, [400, 250])
    assert all(piece.min() > 9 for piece in lifted)


def test_a_step_that_is_not_joined_is_as_without(utterances):
    louder = {"louder": Louder()}
    with_join = make(utterances, Chain({**louder, "join": join()}, seed=1))
    without = make(utterances, Chain(louder, seed=1))
    planned = plan(0, 1, 2, num_joined=1)
    assert torch.equal(with_join[planned].waveforms, without[planned].waveforms)
    assert with_join[planned].ids == without[planned].ids


def test_batches_are_planned_with_the_pauses(utterances):
    chain = Chain({"join": join()}, seed=1)
    planned = chain.plan(utterances)
    for index, utterance in enumerate(utterances):
        pause = planned[index] - LENGTHS[index] / RATE
        assert pause == pytest.approx(chain.pause_behind(utterance.id))
    batch = make(utterances, chain)[plan(0, 1, 2, num_joined=3)]
    assert batch.waveform_lengths.item() <= sum(planned[:3]) * RATE


@pytest.mark.parametrize(("num_ranks", "accumulate"), [(2, 1), (1, 2), (3, 1), (2, 2)])
def test_steps_are_joined_alike_on_any_number_of_processes(num_ranks, accumulate):
    chain = Chain({"join": join(probability=0.5, most=4)}, seed=1)
    durations = [random.Random(index).uniform(0.5, 8.0) for index in range(999)]

    def recordings(num_ranks, accumulate):
        found: dict[int, set[tuple[int, ...]]] = {}
        for rank in range(num_ranks):
            batches = BatchPlan(
                durations,
                batch_seconds=200.0,
                num_buckets=3,
                shuffle=True,
                num_ranks=num_ranks,
                rank=rank,
                accumulate=accumulate,
                num_joined=chain.num_joined,
            )
            for batch in batches:
                size = batch.num_joined
                starts = range(0, len(batch.indices), size)
                joined = [batch.indices[start : start + size] for start in starts]
                assert joined, "every part has a recording"
                found.setdefault(batch.step, set()).update(joined)
        return found

    alone = recordings(1, 1)
    assert {len(each) for step in alone.values() for each in step} >= {1, 2, 3, 4}
    assert recordings(num_ranks, accumulate) == alone


def test_a_step_is_joined_by_fewer_where_each_part_would_not_get_one():
    batches = [
        next(
            iter(
                BatchPlan(
                    [1.0] * 5, 5.0, num_ranks=2, rank=rank, num_joined=lambda *_: 4
                )
            )
        )
        for rank in range(2)
    ]
    assert [batch.num_joined for batch in batches] == [2, 2]
    assert sorted(index for batch in batches for index in batch.indices) == [*range(5)]


def test_the_share_and_the_numbers_are_as_asked_for():
    chain = Chain({"join": join(probability=0.25, most=3)}, seed=1)
    drawn = [chain.num_joined(epoch, step) for epoch in range(20) for step in range(50)]
    assert sum(number > 1 for number in drawn) / len(drawn) == pytest.approx(
        0.25, abs=0.04
    )
    assert set(drawn) == {1, 2, 3}
    assert Chain({}, seed=1).num_joined(0, 0) == 1


def count_frames(samples: torch.Tensor) -> torch.Tensor:
    """A frame for each 80 samples."""
    return samples // 80


def spelled_by_pieces() -> SubwordTokenizer:
    texts = ["ABBA BABA", "A BA", "BB AB"] * 5
    return SubwordTokenizer.from_texts(texts, vocabulary_size=8, sampling=0.5)


@pytest.mark.parametrize(
    "tokenizer",
    [CharacterTokenizer(" AB"), CharacterTokenizer("AB"), spelled_by_pieces()],
)
def test_what_is_joined_can_be_aligned(tokenizer, tmp_path):
    """Also where each transcript just fits, and the pauses are drawn empty."""
    fewest = FewestSamples(count_frames, 100_000)
    is_drawn = isinstance(tokenizer, SubwordTokenizer)
    drawn = DrawnTargets(tokenizer, 1, fewest) if is_drawn else None
    chain = Chain({"join": join(shortest=0.0, longest=0.0, most=5)}, seed=1)
    texts = ["ABBA", "AAB", "B", "BB", "BAB"]
    utterances = []
    for index, text in enumerate(texts):
        length = int(fewest(tokenizer.encode(text)))
        soundfile.write(tmp_path / f"{index}.wav", [0.01] * length, RATE)
        path = tmp_path / f"{index}.wav"
        utterances.append(Utterance(str(index), path, length / RATE, text))
    dataset = SpeechDataset(
        utterances, tokenizer, RATE,
        augment=chain, fewest_samples=fewest, draw_targets=drawn,
    )  # fmt: skip
    for epoch in range(8):
        batch = dataset[plan(0, 1, 2, 3, 4, num_joined=5, epoch=epoch)]
        targets = batch.targets[0, : batch.target_lengths[0]].tolist()
        has_space = tokenizer.decode(tokenizer.encode("AB")) == "AB" and (
            " " in batch.references[0]
        )
        assert tokenizer.decode(targets) == (" " if has_space else "").join(texts)
        assert frames_needed(targets) <= count_frames(batch.waveform_lengths)[0]


def test_what_has_no_words_is_joined_without_a_transcript(utterances):
    chain = Chain({"join": join()}, seed=1)
    silent = Wordless(0.2, [0.05] * 5, RATE, seed=1)
    dataset = make(utterances, chain, wordless=silent)
    batch = dataset[plan(0, 5, 2, num_joined=3)]
    assert batch.references == ["AB B"]
    assert batch.ids == ["u0+wordless-0+u2"]
    alone = dataset[plan(5, 5, num_joined=2)]
    assert alone.references == [""]
    assert alone.target_lengths.item() == 0


@pytest.mark.parametrize("name", ["silence", "again"])
def test_nothing_behind_may_move_words(name):
    silence = Silence(1.0, 0.2, 1.0, -60.0, -40.0, RATE)
    parts = {"join": join(), name: silence if name == "silence" else join()}
    with pytest.raises(InputError, match=rf"but {name} moves words behind join.*put"):
        Chain(parts, seed=1)
    Chain({"silence": silence, "join": join()}, seed=1)


def test_one_alone_stays_as_it_is(utterances):
    chain = Chain({"join": join()}, seed=1)
    joiner = Joiner(chain, Chain({}, 1), TOKENIZER, RATE, None, None)
    example = make(utterances, Chain({}, 1)).load(utterances[0], epoch=0)
    assert joiner([example], epoch=0, view=0) == example


def test_recordings_of_both_sides_are_listed():
    class Room(SameTime):
        recordings = type("Files", (), {"paths": [Path("room.wav")]})

        def __call__(self, waveform, generator):
            return waveform

    chain = Chain({"room": Room(), "join": join(), "hall": Room()}, seed=1)
    assert set(chain.recordings()) == {"room", "hall"}
