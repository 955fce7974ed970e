"""A recording scored on the disk gets the log-probabilities of the whole."""

import itertools
from collections.abc import Iterator

import pytest
import torch
from encoder_family import MEMBERS, each_member
from torch import Tensor, nn

from speechgru.features.log_mel import LogMel
from speechgru.features.mfcc import MFCC
from speechgru.features.normalize import ActiveNorm, GlobalNorm, NoNorm, UtteranceNorm
from speechgru.interfaces import InputError
from speechgru.model.acoustic import AcousticModel
from speechgru.model.encoders.gru import GRUEncoder
from speechgru.model.frontends.conv1d import Conv1dSubsampling
from speechgru.model.frontends.conv2d import Conv2dSubsampling
from speechgru.model.frontends.frame_stack import FrameStack
from speechgru.model.long import hears_long, needed_scratch, score_long
from speechgru.scratch import Rows, Scratch

HOP, BANDS, TOKENS = 40, 7, 6
BLOCKS = [1, 7, 32, 2000]


def make_features(name: str) -> nn.Module:
    if name == "mfcc":
        return MFCC(8000, n_fft=100, hop_length=HOP, n_mels=12, n_mfcc=BANDS)
    return LogMel(sample_rate=8000, n_fft=100, hop_length=HOP, n_mels=BANDS)


def make_norm(name: str) -> nn.Module:
    norm = GlobalNorm(BANDS)
    norm.mean.fill_(-6.0)
    norm.std.fill_(3.0)
    return {
        "none": NoNorm(),
        "global": norm,
        "utterance": UtteranceNorm(),
        "active": ActiveNorm(),
    }[name]


FRONTENDS = {
    "stack": lambda: FrameStack(BANDS, 3),
    "conv1d": lambda: Conv1dSubsampling(BANDS, 4, 5, 5, norm="batch"),
    "conv2d": lambda: Conv2dSubsampling(BANDS, 2, 3, 3, depth=2),
}

OPTIONS = {
    "both ways": {},
    "all between": {"norm": "batch", "residual": True, "self_conditioned": True},
    "layer norm": {"norm": "layer", "residual": True},
    "one way": {"bidirectional": False, "norm": "layer"},
    "lookahead": {"bidirectional": False, "lookahead": 5, "residual": True},
}


def make_model(
    member: type = GRUEncoder,
    features: str = "log_mel",
    normalize: str = "utterance",
    frontend: str = "conv1d",
    **options: object,
) -> AcousticModel:
    torch.manual_seed(0)
    subsampling = FRONTENDS[frontend]()
    if "self_conditioned" in options:
        options = {**options, "num_tokens": TOKENS}
    encoder = member(subsampling.output_size, 5, 3, **options)
    model = AcousticModel(
        make_features(features),
        make_norm(normalize),
        None,
        subsampling,
        encoder,
        TOKENS,
    )
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return model.eval()


def make_sound(num_samples: int) -> Tensor:
    generator = torch.Generator().manual_seed(num_samples)
    loudness = 0.15 * (1.01 + torch.sin(torch.arange(num_samples) / 700))
    return torch.randn(1, num_samples, generator=generator) * loudness


def score(model: AcousticModel, sound: Tensor, block: int, piece: int = 999) -> Tensor:
    needed = needed_scratch(model, sound.size(1))
    with Scratch("a.wav", needed, torch.device("cpu")) as scratch:
        blocks = [*score_long(model, sound.split(piece, dim=1), scratch, block)]
        assert all(each.size(1) == block for each in blocks[:-1])
        return torch.cat(blocks, dim=1)


def check(model: AcousticModel, num_samples: int, blocks: list[int]) -> None:
    assert hears_long(model)
    sound = make_sound(num_samples)
    with torch.no_grad():
        whole, lengths = model(sound, torch.tensor([num_samples]))
    assert whole.size(1) == lengths.item()
    for block in blocks:
        scores = score(model, sound, block)
        torch.testing.assert_close(scores, whole, atol=1e-4, rtol=0)
        assert torch.equal(scores.argmax(-1), whole.argmax(-1))


@each_member
@pytest.mark.parametrize("options", OPTIONS)
def test_every_encoder_scores_blocks_as_the_whole(member, options):
    check(make_model(member, **OPTIONS[options]), 8_037, BLOCKS)


@pytest.mark.parametrize("features", ["log_mel", "mfcc"])
@pytest.mark.parametrize("norm", ["none", "global", "utterance", "active"])
@pytest.mark.parametrize("frontend", FRONTENDS)
def test_every_front_end_scores_blocks_as_the_whole(features, norm, frontend):
    if (features, norm) == ("mfcc", "active"):
        return  # which no model may have
    check(
        make_model(features=features, normalize=norm, frontend=frontend), 4_001, BLOCKS
    )


@pytest.mark.parametrize("num_samples", [1, 39, 40, 41, 159, 160, 161, 1600])
def test_short_recordings_and_those_that_end_in_mid_frame_lose_nothing(num_samples):
    for frontend, norm in itertools.product(FRONTENDS, ["utterance", "global"]):
        check(make_model(frontend=frontend, normalize=norm), num_samples, [1, 3, 2000])


def test_blocks_of_the_waveform_may_be_of_any_length():
    model, sound = make_model(), make_sound(1999)
    whole = score(model, sound, 8)
    for piece in (1, 50, 5000):
        torch.testing.assert_close(score(model, sound, 8, piece), whole)


def test_a_recording_without_a_sample_has_no_frame_and_says_so():
    for norm in ("utterance", "global"):
        with pytest.raises(InputError, match="no output frame"):
            score(make_model(normalize=norm), torch.empty(1, 0), 8)


def test_a_stage_of_ones_own_without_blocks_must_run_whole():
    class Own(nn.Module):
        factor, output_size = 1, BANDS

        def forward(self, features, lengths):
            return features, lengths

    model = make_model()
    for name in ("features", "normalize", "subsampling", "encoder"):
        kept = getattr(model, name)
        setattr(model, name, Own())
        assert not hears_long(model)
        setattr(model, name, kept)
    assert hears_long(model)


class Watched(Scratch):
    """Counts what lies on the disk."""

    most = 0

    def __init__(self, needed: int) -> None:
        super().__init__("a.wav", needed, torch.device("cpu"))
        self.made: list[Rows] = []

    def rows(self, *sizes: int) -> Rows:
        rows = super().rows(*sizes)
        self.made.append(rows)
        return rows

    def write(self, file, content, offset) -> None:
        super().write(file, content, offset)
        files = itertools.chain(*(rows._files for rows in self.made))
        held = sum(file.seek(0, 2) for file in files if not file.closed)
        self.most = max(self.most, held)


@pytest.mark.parametrize("norm", ["utterance", "global"])
@pytest.mark.parametrize("frontend", FRONTENDS)
def test_the_disk_holds_what_was_said_and_no_more(norm, frontend):
    model, sound = make_model(normalize=norm, frontend=frontend), make_sound(16_000)
    needed = needed_scratch(model, 16_000)
    with Watched(needed) as scratch:
        kept = scratch.rows(TOKENS)
        for block in score_long(model, sound.split(4000, dim=1), scratch, 16):
            kept.append(block[0])
    # The log-probabilities are there beside what leaves the last layer.
    assert 0.6 * needed <= scratch.most <= needed


def test_all_members_of_the_family_are_long_encoders():
    models: Iterator[AcousticModel] = map(make_model, MEMBERS)
    assert all(map(hears_long, models))


def test_a_subclass_that_changes_forward_alone_is_run_whole():
    class Louder(LogMel):
        def forward(self, waveforms, lengths):
            return super().forward(2 * waveforms, lengths)

    class Renamed(LogMel):
        pass

    model = make_model()
    model.features = Renamed(8000, n_fft=100, hop_length=HOP, n_mels=BANDS)
    assert hears_long(model)
    model.features = Louder(8000, n_fft=100, hop_length=HOP, n_mels=BANDS)
    assert not hears_long(model)
