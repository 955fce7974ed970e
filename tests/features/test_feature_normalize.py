import pytest
import torch

from speechgru.features.normalize import MIN_STD, GlobalNorm, NoNorm, UtteranceNorm

GARBAGE = 1e6


def padded(rows: list[list[float]]) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, T, 1) features that hold garbage beyond each length."""
    lengths = torch.tensor([len(row) for row in rows])
    features = torch.full((len(rows), int(lengths.max()) + 1, 1), GARBAGE)
    for index, row in enumerate(rows):
        features[index, : len(row), 0] = torch.tensor(row)
    return features, lengths


def test_utterance_norm_ignores_padding_in_a_hand_worked_example():
    # 1, 3: mean 2, deviation 1. 0, 0, 6: mean 2, deviation sqrt(24 / 3).
    features, lengths = padded([[1, 3], [0, 0, 6]])
    normalized = UtteranceNorm()(features, lengths)[..., 0]
    deviation = 8**0.5
    expected = [
        [-1, 1, 0, 0],
        [-2 / deviation, -2 / deviation, 4 / deviation, 0],
    ]
    torch.testing.assert_close(normalized, torch.tensor(expected))


def test_a_constant_band_is_centred_and_not_blown_up():
    features, lengths = padded([[5, 5, 5], [4]])
    assert (UtteranceNorm()(features, lengths) == 0).all()


def test_each_band_has_statistics_of_its_own():
    torch.manual_seed(0)
    features = torch.randn(1, 50, 3) * torch.tensor([1.0, 10, 100]) + 5
    normalized = UtteranceNorm()(features, torch.tensor([50]))
    torch.testing.assert_close(normalized.mean(1), torch.zeros(1, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        normalized.std(1, unbiased=False), torch.ones(1, 3), atol=1e-4, rtol=0
    )


def test_global_norm_ignores_padding_in_a_hand_worked_example():
    # 1, 3, 5, 7 over both utterances: mean 4, variance (9 + 1 + 1 + 9) / 4 = 5.
    norm = GlobalNorm(input_size=1)
    features, lengths = padded([[1, 3, 5], [7]])
    norm.fit([(features, lengths)])
    torch.testing.assert_close(norm.mean, torch.tensor([4.0]))
    torch.testing.assert_close(norm.std, torch.tensor([5**0.5]))
    normalized = norm(features, lengths)[..., 0]
    expected = torch.tensor([[-3.0, -1, 1, 0], [3, 0, 0, 0]]) / 5**0.5
    torch.testing.assert_close(normalized, expected)


def test_global_norm_fits_the_mean_and_deviation_of_all_frames():
    torch.manual_seed(0)
    batches = [
        (100 + 0.1 * torch.randn(4, 30, 5), torch.tensor([30, 1, 12, 7])),
        (100 + 0.1 * torch.randn(2, 9, 5), torch.tensor([9, 5])),
    ]
    norm = GlobalNorm(input_size=5)
    norm.fit(batches)
    frames = torch.cat(
        [
            features[index, :length]
            for features, lengths in batches
            for index, length in enumerate(lengths)
        ]
    ).double()
    assert len(frames) == 64
    torch.testing.assert_close(norm.mean, frames.mean(0).float())
    torch.testing.assert_close(norm.std, frames.std(0, unbiased=False).float())


def test_global_norm_does_not_depend_on_how_utterances_are_batched():
    torch.manual_seed(0)
    features, lengths = torch.randn(6, 20, 3), torch.tensor([20, 3, 9, 1, 14, 6])
    together, apart = GlobalNorm(3), GlobalNorm(3)
    together.fit([(features, lengths)])
    apart.fit((features[i : i + 1], lengths[i : i + 1]) for i in range(6))
    torch.testing.assert_close(together.mean, apart.mean)
    torch.testing.assert_close(together.std, apart.std)


def test_the_deviation_of_a_constant_band_has_a_lower_bound():
    norm = GlobalNorm(input_size=1)
    norm.fit([padded([[2, 2, 2]])])
    torch.testing.assert_close(norm.std, torch.tensor([MIN_STD]))


def test_global_statistics_travel_with_the_weights():
    norm, other = GlobalNorm(1), GlobalNorm(1)
    norm.fit([padded([[1, 3]])])
    other.load_state_dict(norm.state_dict())
    features, lengths = padded([[2, 9]])
    assert torch.equal(other(features, lengths), norm(features, lengths))
    assert not list(norm.parameters())


def test_statistics_of_nothing_are_refused():
    with pytest.raises(ValueError, match="no frames"):
        GlobalNorm(1).fit([])


def test_no_norm_changes_nothing():
    features, lengths = padded([[1, 3], [0]])
    assert torch.equal(NoNorm()(features, lengths), features)
