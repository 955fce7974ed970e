"""The rules that end an utterance."""

import pytest

from speechgru.transcribe.online.endpoints import Endpoints

RULES = Endpoints(silence_before=2.4, silence_after=1.2, max_utterance=20.0)


@pytest.mark.parametrize(
    ("heard", "silence", "is_empty", "end"),
    [
        (2.3, 2.3, True, None),
        (2.4, 2.4, True, 1.9),
        (3.0, 1.1, False, None),
        (3.0, 1.2, False, 2.5),
        (19.9, 0.0, False, None),
        (20.0, 0.0, False, 20.0),
        (14.9, 0.4, False, None),
        (15.0, 0.4, False, 14.8),
        (16.0, 0.1, False, None),
    ],
)
def test_an_utterance_ends_by_any_rule_and_within_its_silence(
    heard, silence, is_empty, end
):
    found = RULES.find_end(heard, silence, is_empty)
    assert found == (None if end is None else pytest.approx(end))


def test_short_rules_go_back_half_of_the_silence():
    short = Endpoints(silence_before=0.3, silence_after=0.1)
    assert short.find_end(1.0, 0.1, False) == pytest.approx(0.95)
    assert short.find_end(0.3, 0.3, True) == pytest.approx(0.15)
