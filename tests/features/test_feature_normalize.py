import pytest
import torch

from speechgru.features.normalize import (
    MIN_STD,
    ActiveNorm,
    GlobalNorm,
    NoNorm,
    UtteranceNorm,
)

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


def talk(num_frames: int, seed: int = 0) -> torch.Tensor:
    """(1, T, 4) log energies that rise and fall as those of speech do."""
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(1, num_frames, 4, generator=generator)


def normalize_active(features: torch.Tensor) -> torch.Tensor:
    return ActiveNorm()(features, torch.tensor([features.size(1)]))


@pytest.mark.parametrize("level", [-18.4, -12.0])
def test_silence_around_and_within_changes_nothing_that_is_said(level):
    # -12 is at least 40 dB below the speech, whose frames have about 3.
    speech = talk(200)
    silence = torch.full((1, 500, 4), level)
    alone = normalize_active(speech)
    for pieces, start in [
        ((silence, speech), 500),
        ((speech, silence), 0),
        ((silence, speech, silence), 500),
    ]:
        heard = normalize_active(torch.cat(pieces, dim=1))
        torch.testing.assert_close(
            heard[:, start : start + 200], alone, atol=0.06, rtol=0
        )
    parted = normalize_active(torch.cat([speech[:, :90], silence, speech[:, 90:]], 1))
    parted = torch.cat([parted[:, :90], parted[:, 590:]], dim=1)
    torch.testing.assert_close(parted, alone, atol=0.06, rtol=0)


def test_silences_of_any_depth_look_the_same():
    speech = talk(200)
    for level in (-18.4, -25.0, -100.0):
        silence = torch.full((1, 50, 4), level)
        heard = normalize_active(torch.cat([speech, silence], dim=1))
        assert (heard[:, 200:] == -ActiveNorm().limit).all()


def test_a_click_does_not_pass_for_speech():
    speech = talk(200)
    click = torch.full((1, 3, 4), 20.0)  # 74 dB above the mean of the speech
    alone = normalize_active(speech)
    heard = normalize_active(torch.cat([speech[:, :90], click, speech[:, 90:]], 1))
    # It counts as three frames among 200, and not as the level of the speech.
    assert (heard[:, :90] - alone[:, :90]).abs().max() < 0.9


def test_active_frames_have_mean_0_and_variance_1():
    normalized = normalize_active(talk(2000))
    torch.testing.assert_close(normalized.mean(1), torch.zeros(1, 4), atol=0.02, rtol=0)
    torch.testing.assert_close(
        normalized.std(1, unbiased=False), torch.ones(1, 4), atol=0.02, rtol=0
    )


def test_active_norm_ignores_padding_and_the_other_utterances():
    first, second = talk(60, seed=1), talk(43, seed=2)
    lengths = torch.tensor([60, 43])
    batch = torch.full((2, 64, 4), GARBAGE)
    batch[0, :60], batch[1, :43] = first[0], second[0]
    heard = ActiveNorm()(batch, lengths)
    torch.testing.assert_close(heard[:1, :60], normalize_active(first))
    torch.testing.assert_close(heard[1:, :43], normalize_active(second))
    assert (heard[1, 43:] == 0).all()


def test_steady_noise_alone_is_not_blown_up_to_speech():
    noise = 0.3 * torch.randn(1, 300, 4, generator=torch.Generator().manual_seed(0))
    assert normalize_active(noise).std() < 0.4


def test_one_frame_and_digital_silence_alone_give_numbers():
    assert (normalize_active(torch.full((1, 1, 4), -18.4)) == 0).all()
    assert normalize_active(torch.full((1, 30, 4), -18.4)).abs().max() < 1e-4


@pytest.mark.parametrize("options", [(0.0, 3.0), (20.0, -1.0), (20.0, float("nan"))])
def test_active_norm_refuses_what_is_not_above_0(options):
    with pytest.raises(ValueError, match="expected a number above 0"):
        ActiveNorm(*options)
