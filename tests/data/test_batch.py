import torch

from speechgru.data.batch import Example, collate
from speechgru.data.plan import PlannedBatch


def make(id: str, waveform: list[float], targets: list[int]) -> Example:
    return Example(
        id,
        torch.tensor(waveform),
        torch.tensor(targets, dtype=torch.long),
        id.upper(),
    )


PLANNED = PlannedBatch((4, 2), epoch=3, step=7, part=1, step_size=9)


def test_waveforms_are_padded_with_silence_and_targets_with_blank():
    batch = collate(
        [[make("a", [0.5, -0.5, 0.25], [2]), make("b", [1.0], [1, 3])]], PLANNED
    )
    assert batch.waveforms.tolist() == [[0.5, -0.5, 0.25], [1.0, 0.0, 0.0]]
    assert batch.waveform_lengths.tolist() == [3, 1]
    assert batch.targets.tolist() == [[2, 0], [1, 3]]
    assert batch.target_lengths.tolist() == [1, 2]
    assert (batch.ids, batch.references) == (["a", "b"], ["A", "B"])


def test_views_follow_each_other():
    views = [
        [make("a", [start], [2]), make("b", [start], [3])] for start in (0.5, 0.25)
    ]
    batch = collate(views, PLANNED)
    assert batch.ids == ["a", "b", "a", "b"]
    assert batch.waveforms[:, 0].tolist() == [0.5, 0.5, 0.25, 0.25]
    assert (batch.num_views, batch.step_size) == (2, 18)


def test_a_batch_knows_its_place_in_the_plan():
    batch = collate([[make("a", [0.5], [2])]], PLANNED)
    assert (batch.step_size, batch.key) == (9, (3, 7, 1))


def test_lengths_and_targets_are_integers_also_without_targets():
    for targets in ([], [2]):
        batch = collate([[make("a", [0.5], targets), make("b", [0.5], [])]], PLANNED)
        assert batch.waveforms.dtype == torch.float32
        for tensor in (batch.waveform_lengths, batch.targets, batch.target_lengths):
            assert tensor.dtype == torch.int64


def test_a_batch_moves_with_all_its_tensors_but_lengths():
    batch = collate([[make("a", [0.5], [2])]], PLANNED).to(torch.device("meta"))
    assert batch.waveforms.is_meta
    assert batch.waveform_lengths.device.type == "cpu"
    assert batch.targets.is_meta
    assert batch.target_lengths.device.type == "cpu"
    assert (batch.ids, batch.key) == (["a"], (3, 7, 1))
