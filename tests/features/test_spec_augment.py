import pytest
import torch

from speechgru.features.spec_augment import SpecAugment


def hide(augment: SpecAugment, lengths: list[int], num_bands: int, seed: int = 0):
    """What is hidden of (B, T, F), padding included: bool."""
    torch.manual_seed(seed)
    features = torch.ones(len(lengths), max(lengths), num_bands)
    return augment(features, torch.tensor(lengths)) == 0


def test_nothing_is_hidden_in_eval_mode():
    augment = SpecAugment(5, 10, 5, 10, max_time_fraction=1.0)
    assert hide(augment, [30, 20], 12).any()
    assert not hide(augment.eval(), [30, 20], 12).any()


def test_time_masks_lie_within_each_utterance():
    lengths = [1, 2, 10, 40, 100]
    augment = SpecAugment(0, 0, 6, 50, max_time_fraction=1.0)
    hidden = torch.stack([hide(augment, lengths, 3, seed) for seed in range(50)])
    for index, length in enumerate(lengths):
        assert not hidden[:, index, length:].any()
        # Every frame of an utterance, the last included, is hidden now and then.
        assert hidden[:, index, :length].any(0).all()


def test_a_time_mask_hides_all_bands_and_at_most_its_share_of_the_utterance():
    lengths = [4, 10, 50, 99]
    augment = SpecAugment(0, 0, 1, 1000, max_time_fraction=0.25)
    most = torch.zeros(4, dtype=torch.long)
    for seed in range(200):
        hidden = hide(augment, lengths, 3, seed)
        assert torch.equal(hidden.any(2), hidden.all(2))
        most = torch.maximum(most, hidden.all(2).sum(1))
    assert most.tolist() == [1, 2, 12, 24]


def test_a_time_mask_is_at_most_as_wide_as_asked():
    augment = SpecAugment(0, 0, 1, 3, max_time_fraction=1.0)
    widths = {int(hide(augment, [40], 2, seed).all(2).sum()) for seed in range(100)}
    assert widths == {0, 1, 2, 3}


def test_a_frequency_mask_hides_adjacent_bands_at_every_frame():
    augment = SpecAugment(1, 4, 0, 0)
    widths = set()
    for seed in range(100):
        hidden = hide(augment, [9, 5], 8, seed)
        assert torch.equal(hidden.any(1), hidden.all(1))
        for bands in hidden.all(1):
            where = bands.nonzero()[:, 0].tolist()
            first = where[0] if where else 0
            assert where == list(range(first, first + len(where)))
            widths.add(len(where))
    assert widths == {0, 1, 2, 3, 4}


def test_masks_wider_than_the_features_fit():
    augment = SpecAugment(1, 100, 1, 100, max_time_fraction=1.0)
    assert hide(augment, [1, 3], 2).shape == (2, 3, 2)


def test_masks_follow_from_the_seed():
    augment = SpecAugment(2, 5, 2, 10)
    assert torch.equal(hide(augment, [80, 60], 20, 3), hide(augment, [80, 60], 20, 3))
    assert not torch.equal(
        hide(augment, [80, 60], 20, 3), hide(augment, [80, 60], 20, 4)
    )


def test_each_utterance_is_masked_in_its_own_way():
    hidden = hide(SpecAugment(2, 10, 2, 10), [100] * 8, 40)
    assert len({tuple(one.flatten().tolist()) for one in hidden}) == 8


@pytest.mark.parametrize("fraction", [-0.1, 1.1])
def test_an_impossible_fraction_is_refused(fraction):
    with pytest.raises(ValueError, match=f"max_time_fraction is {fraction}"):
        SpecAugment(1, 1, 1, 1, max_time_fraction=fraction)


@pytest.mark.parametrize("index", range(4))
def test_negative_numbers_and_widths_are_refused(index):
    counts = [1, 1, 1, 1]
    counts[index] = -1
    with pytest.raises(ValueError, match="is -1, expected a whole number from 0"):
        SpecAugment(*counts)


def test_longer_utterances_get_more_masks():
    masks = SpecAugment(0, 0, 0, 1, 1.0, frames_per_time_mask=50).train()
    torch.manual_seed(0)
    hidden = []
    for _ in range(300):
        features = masks(torch.ones(2, 1000, 4), torch.tensor([1000, 200]))
        hidden.append((features == 0).all(dim=2).sum(dim=1))
    # A mask hides one frame or none, 20 and 4 times.
    mean = torch.stack(hidden).float().mean(dim=0)
    assert mean.tolist() == pytest.approx([10, 2], rel=0.1)


def test_the_shortest_utterance_gets_one_mask():
    masks = SpecAugment(0, 0, 0, 5, 1.0, frames_per_time_mask=100).train()
    torch.manual_seed(0)
    hidden = [
        (masks(torch.ones(1, 9, 4), torch.tensor([9])) == 0).any() for _ in range(30)
    ]
    assert any(hidden)


def warped(features: torch.Tensor, max_freq_warp: float) -> torch.Tensor:
    augment = SpecAugment(0, 0, 0, 0, max_freq_warp=max_freq_warp)
    torch.manual_seed(0)
    return augment(features, torch.full((len(features),), features.size(1)))


def test_a_warp_moves_bands_by_less_than_its_limit_and_keeps_their_order():
    num_bands = 40
    bands = torch.arange(float(num_bands)).expand(500, 3, -1)
    # A band's value is where it came from.
    sources = warped(bands, 5.0)
    assert torch.equal(sources[:, 0], sources[:, 2]), "all frames are warped alike"
    assert (sources.diff(dim=2) > 0).all()
    assert (sources[..., [0, -1]] == bands[..., [0, -1]]).all()
    moved = (sources - bands)[:, 0]
    assert moved.abs().max() <= 5.0
    furthest = moved.gather(1, moved.abs().argmax(1, keepdim=True))
    assert furthest.min() < -4.5
    assert furthest.max() > 4.5
    assert len(furthest.unique()) > 400, "each utterance has a warp of its own"


def test_no_warp_leaves_the_features_as_they_are():
    features = torch.randn(2, 5, 8)
    assert torch.equal(warped(features, 0.0), features)


@pytest.mark.parametrize("num_bands", [1, 2, 3])
def test_few_bands_and_a_long_warp_give_numbers(num_bands):
    bands = torch.arange(float(num_bands)).expand(50, 4, -1)
    sources = warped(bands, 100.0)
    assert sources.isfinite().all()
    assert (sources.diff(dim=2) > 0).all()


def test_a_negative_warp_is_refused():
    with pytest.raises(
        ValueError, match="max_freq_warp is -1, expected a number from 0"
    ):
        SpecAugment(1, 1, 1, 1, max_freq_warp=-1)
