import pytest
from transcribe.online.tone_model import teach_tones

from speechgru.transcribe.transcriber import Transcriber


@pytest.fixture(scope="session")
def live() -> Transcriber:
    """Hears tones, and can hear them while they sound."""
    return teach_tones()
