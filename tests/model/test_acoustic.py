import itertools
from functools import partial

import pytest
import torch
from encoder_family import MEMBERS

from speechgru.features.log_mel import LogMel
from speechgru.features.mfcc import MFCC
from speechgru.features.normalize import GlobalNorm, NoNorm, UtteranceNorm
from speechgru.features.spec_augment import SpecAugment
from speechgru.model.acoustic import AcousticModel
from speechgru.model.encoders.gru import GRUEncoder
from speechgru.model.frontends.conv1d import Conv1dSubsampling

HOP = 32
FRAMING = {"sample_rate": 8000, "n_fft": 64, "hop_length": HOP, "n_mels": 8}
FEATURES = {
    "log_mel": lambda: LogMel(**FRAMING),
    "mfcc": lambda: MFCC(**FRAMING, n_mfcc=6),
}
NORMS = {"none": lambda _: NoNorm(), "utterance": lambda _: UtteranceNorm()}
NORMS["global"] = GlobalNorm


def make_model(
    features: str = "log_mel",
    norm: str = "global",
    spec_augment=None,
    encoder=GRUEncoder,
) -> AcousticModel:
    torch.manual_seed(0)
    frontend = FEATURES[features]()
    size = frontend.output_size
    model = AcousticModel(
        frontend,
        NORMS[norm](size),
        spec_augment,
        Conv1dSubsampling(size, factor=4, channels=8, kernel_size=5),
        encoder(8, hidden_size=8, num_layers=2),
        num_tokens=5,
    )
    model.fit_normalization([(torch.randn(3, 900) / 10, torch.tensor([900, 500, 90]))])
    return model.eval()


def make_batch(lengths: list[int], extra: int = 0):
    """Waveforms that hold garbage beyond each length."""
    waveforms = torch.full((len(lengths), max(lengths) + extra), -3.0)
    for index, length in enumerate(lengths):
        torch.manual_seed(index)
        waveforms[index, :length] = torch.randn(length) / 10
    return waveforms, torch.tensor(lengths)


def assert_batch_and_padding_are_inaudible(model: AcousticModel, lengths: list[int]):
    """Compare every utterance alone with batches of 1, 8 and all."""
    waveforms, _ = make_batch(lengths)
    with torch.no_grad():
        alone = [
            model(waveforms[index : index + 1, :length], torch.tensor([length]))
            for index, length in enumerate(lengths)
        ]
        for batch_size, extra in itertools.product((1, 8, len(lengths)), (0, 1, 1000)):
            log_probs, output_lengths = model(*make_batch(lengths[:batch_size], extra))
            for index, (expected, expected_length) in enumerate(alone[:batch_size]):
                valid = output_lengths[index]
                assert valid == expected_length == expected.shape[1]
                torch.testing.assert_close(
                    log_probs[index, :valid], expected[0], atol=1e-4, rtol=0
                )


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("features", FEATURES)
def test_log_probs_do_not_depend_on_batch_or_padding(features, norm):
    lengths = [1, 40, 1200, *[200 + 13 * index for index in range(61)]]
    assert_batch_and_padding_are_inaudible(make_model(features, norm), lengths)


@pytest.mark.parametrize(
    "options",
    [
        {"norm": "batch", "residual": True},
        {"norm": "layer", "bidirectional": False, "lookahead": 3},
        {"self_conditioned": True, "num_tokens": 5, "residual": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("encoder", MEMBERS)
def test_whichever_encoder_they_do_not_depend_on_batch_or_padding(encoder, options):
    model = make_model(encoder=partial(encoder, **options))
    lengths = [1, 40, 1200, *[200 + 53 * index for index in range(6)]]
    assert_batch_and_padding_are_inaudible(model, lengths)


def test_reported_lengths_are_the_frames_made_for_every_number_of_samples():
    model = make_model()
    lengths = torch.arange(1, 9 * HOP)
    with torch.no_grad():
        made = [
            model(torch.zeros(1, length), torch.tensor([length]))[0].shape[1]
            for length in lengths.tolist()
        ]
    assert model.output_lengths(lengths).tolist() == made


def test_log_probs_are_probabilities_in_float32_under_autocast():
    model = make_model()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        log_probs, _ = model(*make_batch([300, 200]))
    assert log_probs.dtype == torch.float32
    torch.testing.assert_close(
        log_probs.exp().sum(-1), torch.ones(log_probs.shape[:2]), atol=1e-5, rtol=0
    )


def test_a_frame_lasts_as_long_as_the_hops_it_is_made_of():
    model = make_model()
    assert model.seconds_per_frame == 4 * HOP / 8000
    assert model.sample_rate == 8000


def test_spec_augment_acts_in_training_only():
    model = make_model(spec_augment=SpecAugment(1, 8, 2, 10, max_time_fraction=0.5))
    batch = make_batch([600, 400])
    assert torch.equal(model(*batch)[0], model(*batch)[0])
    model.train()
    assert not torch.equal(model(*batch)[0], model(*batch)[0])


def test_every_parameter_gets_a_gradient():
    model = make_model().train()
    log_probs, _ = model(*make_batch([600, 400]))
    log_probs[..., 1].sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())


def test_parameters_are_counted_and_statistics_are_not():
    convolution = 8 * 8 * 5 + 8 + 8 * 8 * 5 + 8
    gru = sum(2 * (3 * 8 * size + 3 * 8 * 8 + 2 * 3 * 8) for size in (8, 16))
    assert make_model().num_parameters == convolution + gru + 16 * 5 + 5


def test_the_normalisation_is_fitted_to_vocal_tracts_as_they_are(monkeypatch):
    fitted = []
    for vocal_tract in (0.0, 0.3):
        monkeypatch.setitem(FRAMING, "vocal_tract", vocal_tract)
        model = make_model().train()
        model.fit_normalization([make_batch([900, 500])])
        assert model.features.training
        fitted.append(model.normalize.mean)
    assert torch.equal(*fitted)


def test_fitting_the_normalisation_leaves_other_norms_alone():
    model = make_model(norm="utterance")
    before = model(*make_batch([300]))[0]
    model.fit_normalization([make_batch([500])])
    assert torch.equal(model(*make_batch([300]))[0], before)
