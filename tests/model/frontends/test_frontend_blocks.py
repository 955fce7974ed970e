"""Every front end, block by block as of the whole."""

import pytest
import torch

from speechgru.blocks import run_through
from speechgru.model.frontends.conv1d import Conv1dSubsampling
from speechgru.model.frontends.conv2d import Conv2dSubsampling
from speechgru.model.frontends.frame_stack import FrameStack


def make_frontends(factor: int) -> dict[str, torch.nn.Module]:
    torch.manual_seed(factor)
    kernel = {7: 13, 5: 9}.get(factor, 5)
    made = {
        "stack": FrameStack(7, factor),
        "conv1d": Conv1dSubsampling(7, factor, 4, kernel),
        "conv2d": Conv2dSubsampling(7, factor, 3, kernel),
        "deep": Conv1dSubsampling(7, factor, 4, kernel, depth=2, norm="batch"),
        "deep2d": Conv2dSubsampling(7, factor, 3, kernel, depth=2, norm="layer"),
    }
    for module in made.values():
        for norm in getattr(module, "norms", ()):
            torch.nn.init.normal_(norm.weight)
            torch.nn.init.normal_(norm.bias)
        module.eval()
    return made


@torch.no_grad()
@pytest.mark.parametrize("factor", range(1, 9))
@pytest.mark.parametrize("name", ["stack", "conv1d", "conv2d", "deep", "deep2d"])
def test_frames_of_blocks_are_those_of_the_whole(name, factor):
    frontend = make_frontends(factor)[name]
    for length in (1, 2, 9, 50):
        features = torch.randn(2, length, 7)
        whole, _ = frontend(features, torch.full((2,), length))
        for size in (1, 3, 8, 100):
            blocks = run_through(frontend.by_blocks(), features.split(size, dim=1))
            left = torch.cat([*blocks], dim=1)
            torch.testing.assert_close(left, whole, atol=1e-5, rtol=1e-5)
