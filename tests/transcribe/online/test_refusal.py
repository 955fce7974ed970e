"""What cannot hear a stream says why, and what can."""

import pytest
from conftest import SAMPLE_RATE, SMALL_MODEL
from torch import nn
from transcribe.online.tone_model import LIVE_MODEL

from speechgru.checkpoint.models import build_model
from speechgru.decode.greedy import GreedyDecoder
from speechgru.interfaces import InputError
from speechgru.transcribe.online.refusal import (
    check_decoder,
    describe_streaming,
    explain_refusal,
)
from speechgru.transcribe.transcriber import Transcriber


def test_every_reason_is_told_at_once(live):
    normalize = {"_target_": "speechgru.features.normalize.UtteranceNorm"}
    model = build_model({**SMALL_MODEL, "normalize": normalize}, 6)
    transcriber = Transcriber(model, live.tokenizer, GreedyDecoder())
    with pytest.raises(InputError) as error:
        transcriber.stream([], SAMPLE_RATE)
    for part in (
        "its encoder is bidirectional, and hears the whole recording before",
        "normalize is UtteranceNorm, which needs the whole recording",
        "recipe=an4/unigru",
        "transcribe hears whole recordings",
    ):
        assert part in str(error.value)


@pytest.mark.parametrize("subsampling", ["conv1d", "conv2d", "frame_stack"])
@pytest.mark.parametrize("normalize", ["NoNorm", "GlobalNorm"])
@pytest.mark.parametrize("encoder", ["gru", "ligru", "lstm", "mingru", "rnn"])
def test_all_that_hears_the_past_alone_can(subsampling, normalize, encoder):
    classes = {
        "conv1d": "Conv1dSubsampling", "conv2d": "Conv2dSubsampling",
        "frame_stack": "FrameStack", "gru": "GRUEncoder", "ligru": "LiGRUEncoder",
        "lstm": "LSTMEncoder", "mingru": "MinGRUEncoder", "rnn": "RNNEncoder",
    }  # fmt: skip
    room = "speechgru.model"
    config = {
        **LIVE_MODEL,
        "normalize": {
            "_target_": f"speechgru.features.normalize.{normalize}",
            "_partial_": normalize == "GlobalNorm",
        },
        "subsampling": {
            "_target_": f"{room}.frontends.{subsampling}.{classes[subsampling]}",
            "_partial_": True,
            "factor": 2,
        },
        "encoder": {
            **LIVE_MODEL["encoder"],
            "_target_": f"{room}.encoders.{encoder}.{classes[encoder]}",
        },
    }
    if subsampling != "frame_stack":
        config["subsampling"] |= {"channels": 4, "kernel_size": 3}
    assert explain_refusal(build_model(config, 6)) == []


def test_an_encoder_of_ones_own_needs_what_the_message_names(live):
    class Own(nn.Identity):
        output_size = 4

    model = build_model(LIVE_MODEL, 6)
    model.encoder = Own()
    [reason] = explain_refusal(model)
    assert "Own, which lacks stream() and flush()" in reason


def test_a_decoder_of_whole_utterances_is_refused():
    class Whole:
        name = "whole"
        weights = None

        def __call__(self, *_):
            return []

    with pytest.raises(InputError, match="choose decoder=greedy or prefix_beam"):
        check_decoder(Whole())


def test_a_model_says_whether_it_can_and_how_late(live):
    said = describe_streaming(live.model, 0.1)
    assert said.startswith("yes, latency 0.082 to 0.182 s and the time to compute")
    assert describe_streaming(build_model(SMALL_MODEL, 6), 0.1).startswith(
        "no: its encoder is bidirectional"
    )
