"""The latency that is told is the one that there is."""

import pytest
import torch
from conftest import SAMPLE_RATE
from transcribe.online.tone_model import LIVE_MODEL

from speechgru.checkpoint.models import build_model
from speechgru.transcribe.online.hearing import Hearing
from speechgru.transcribe.online.latency import find_latency, step_samples


def test_its_parts_are_those_of_the_model(live):
    latency = find_latency(live.model, 0.1)
    # A window of 200 samples, a kernel of 3 frames of 80, lookahead of 3 x 160.
    assert latency.window == 100 / SAMPLE_RATE
    assert latency.subsampling == 80 / SAMPLE_RATE
    assert latency.lookahead == pytest.approx(3 * 160 / SAMPLE_RATE)
    assert latency.step == 800 / SAMPLE_RATE
    assert latency.model == pytest.approx((100 + 80 + 480) / SAMPLE_RATE)
    assert latency.describe(1.2) == (
        "0.082 to 0.182 s and the time to compute: window 0.013, subsampling 0.010, "
        "lookahead 0.060, steps of 0.100 (0.020 a frame); a final result waits for "
        "1.2 s of silence"
    )


@pytest.mark.parametrize("lookahead", [0, 1, 5])
@pytest.mark.parametrize("factor", [1, 3, 4])
def test_a_frame_is_there_when_so_many_samples_are(live, lookahead, factor):
    torch.manual_seed(0)
    encoder = {**LIVE_MODEL["encoder"], "lookahead": lookahead}
    subsampling = {**LIVE_MODEL["subsampling"], "factor": factor, "kernel_size": 5}
    config = {**LIVE_MODEL, "encoder": encoder, "subsampling": subsampling}
    model = build_model(config, 6).eval()
    hearing = Hearing(model, live.tokenizer, live.decoder)
    latency = find_latency(model, 0.1)
    frame = step_samples(model, 1e-9)
    assert frame / SAMPLE_RATE == pytest.approx(model.seconds_per_frame)
    for index in (0, 1, 7):
        needed = index * frame + round(latency.model * SAMPLE_RATE)
        heard = hearing.advance(hearing.begin(), torch.randn(needed - 1))
        assert heard.num_frames == index
        assert hearing.advance(heard, torch.randn(1)).num_frames == index + 1
