"""The beam searches that there are, for tests of each."""

from importlib.util import find_spec

import pytest

from speechgru.decode.flashlight import FlashlightDecoder
from speechgru.decode.prefix_beam import PrefixBeamDecoder

NEEDS_FLASHLIGHT = pytest.mark.skipif(
    find_spec("flashlight") is None, reason="flashlight-text is not installed"
)
BEAMS = [PrefixBeamDecoder, pytest.param(FlashlightDecoder, marks=NEEDS_FLASHLIGHT)]
BOTH = pytest.mark.parametrize("kind", BEAMS)
