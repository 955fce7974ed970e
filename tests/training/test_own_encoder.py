"""Options that need more of an encoder than one of your own may offer."""

import pytest
import torch
from torch import Tensor, nn

from speechgru.checkpoint.build import build
from speechgru.factory import TASK_ROOMS
from speechgru.features.log_mel import LogMel
from speechgru.features.normalize import NoNorm
from speechgru.interfaces import Encoder, InputError
from speechgru.model.acoustic import AcousticModel
from speechgru.model.encoders.gru import GRUEncoder
from speechgru.model.frontends.frame_stack import FrameStack
from speechgru.model.language_model import RecurrentLanguageModel


class OwnEncoder(nn.Module):
    """The least that works."""

    def __init__(self, input_size: int) -> None:
        super().__init__()
        self.output_size = 6
        self.linear = nn.Linear(input_size, 6)

    def forward(self, features: Tensor, input_lengths: Tensor) -> tuple[Tensor, Tensor]:
        return self.linear(features), input_lengths

    def output_lengths(self, input_lengths: Tensor) -> Tensor:
        return input_lengths


class WalkedEncoder(OwnEncoder):
    """Two layers, in sight."""

    def walk(self, features, input_lengths):
        encoded = self.linear(features)
        yield features, encoded
        yield encoded, 2 * encoded

    def finish(self, encoded):
        return encoded

    def forward(self, features, input_lengths):
        return 2 * self.linear(features), input_lengths


class OwnBlocks(OwnEncoder):
    """Two blocks of three rows."""

    def weight_blocks(self):
        return {self.linear.weight: (3, self.linear.in_features)}


def make_model(encoder: nn.Module) -> AcousticModel:
    features = LogMel(sample_rate=8000, n_fft=200, hop_length=80, n_mels=4)
    return AcousticModel(features, NoNorm(), None, FrameStack(4, 1), encoder, 3)


def make_task(encoder: nn.Module, **options):
    """As a run builds it."""
    config = {
        "_target_": "speechgru.training.ctc.CTCTask",
        "_partial_": True,
        "learning_rate": 0.001,
        "weight_decay": 0.0,
        "schedule": "one_cycle",
        "warmup": 0.1,
        "clip_norm": 1.0,
        **options,
    }
    return build(
        config, "task", rooms=TASK_ROOMS, model=make_model(encoder), tokenizer=None,
        decoder=None, model_config={}, metadata={}, seed=1,
    )  # fmt: skip


def test_an_encoder_of_ones_own_is_an_encoder_and_trains():
    assert isinstance(OwnEncoder(4), Encoder)
    assert make_task(OwnEncoder(4)).model.num_parameters > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"intermediate": 0.3},
            "^task.intermediate is 0.3, but the encoder OwnEncoder does not show its "
            "layers; set task.intermediate=0, .*walk and finish",
        ),
        (
            {"optimizer": "muon"},
            "^task.optimizer is muon, but the encoder OwnEncoder does not say .*; set "
            "task.optimizer=adamw, .*weight_blocks",
        ),
    ],
    ids=str,
)
def test_what_it_does_not_offer_is_named_with_the_option_and_the_remedy(
    options, message
):
    with pytest.raises(InputError, match=message):
        make_task(OwnEncoder(4), **options)


def test_with_layers_to_walk_through_it_takes_intermediate_ctc():
    task = make_task(WalkedEncoder(4), intermediate=0.3)
    waveforms, lengths = torch.randn(1, 800), torch.tensor([800])
    below, last, frames = task.model.score_layers(waveforms, lengths, all_layers=True)
    expected, expected_frames = task.model(waveforms, lengths)
    torch.testing.assert_close(last, expected)
    assert below.shape == last.shape
    assert not torch.equal(below, last)
    assert torch.equal(frames, expected_frames)


def test_with_blocks_it_takes_muon():
    encoder = OwnBlocks(4)
    _, _, group = make_task(encoder, optimizer="muon").parameter_groups()
    assert group["params"] == [encoder.linear.weight]
    assert group["block_shape"] == (3, 4)


def test_a_language_model_asks_whether_it_hears_the_future():
    encoder = OwnEncoder(6)
    with pytest.raises(InputError, match=r"OwnEncoder does not say .*hears_future = "):
        RecurrentLanguageModel(encoder, 3)
    encoder.hears_future = True
    with pytest.raises(InputError, match="hears the future, expected one that does"):
        RecurrentLanguageModel(encoder, 3)
    encoder.hears_future = False
    assert RecurrentLanguageModel(encoder, 3).num_parameters > 0
    with pytest.raises(InputError, match="hears the future"):
        RecurrentLanguageModel(GRUEncoder(6, 3, 1), 3)
