import random
from itertools import pairwise

import numpy as np
import pytest

from speechgru.transcribe.segments.cutting import Cutting
from speechgru.transcribe.segments.voice_activity import SECONDS_PER_FRAME, Activity

CUTTING = Cutting(
    begins=0.5, ends=0.35, silence=0.3, speech=0.1, padding=0.15, longest=30.0
)


def activity(*stretches: tuple[float, float]) -> Activity:
    """Stretches of a probability, for so many s each."""
    speech = [
        probability
        for probability, seconds in stretches
        for _ in range(round(seconds / SECONDS_PER_FRAME))
    ]
    return Activity(np.array(speech, np.float32), np.array(speech, np.float32))


def duration_of(found: Activity) -> float:
    return len(found.speech) * SECONDS_PER_FRAME


def cut(*stretches: tuple[float, float]) -> list[tuple[float, float]]:
    found = activity(*stretches)
    pieces = CUTTING.cut(found, duration_of(found))
    return [(round(piece.start, 2), round(piece.end, 2)) for piece in pieces]


def random_activity(seed: int) -> Activity:
    """Speech of up to a minute and silences, with doubts in both."""
    generator = np.random.default_rng(seed)
    choose = random.Random(seed)
    stretches = [
        np.clip(generator.normal(choose.choice([0.05, 0.4, 0.95]), 0.15, length), 0, 1)
        for length in (
            choose.choice([choose.randrange(20), choose.randrange(2000)])
            for _ in range(choose.randrange(12))
        )
    ]
    speech = np.concatenate([np.empty(0), *stretches]).astype(np.float32)
    return Activity(speech, generator.random(len(speech)).astype(np.float32))


def test_a_piece_is_speech_with_padding():
    assert cut((0, 3.2), (1, 3.2), (0, 3.2)) == [(3.05, 6.55)]


def test_nothing_is_cut_out_of_silence_or_of_nothing():
    assert cut((0.3, 60)) == []
    assert cut() == []


def test_speech_goes_on_through_doubt_but_does_not_begin_with_it():
    assert cut((0.4, 3.2), (1, 3.2), (0.4, 3.2), (0, 3.2)) == [(3.05, 9.75)]


def test_a_short_silence_is_part_of_the_speech_around_it():
    assert len(cut((0, 1), (1, 1), (0, 0.25), (1, 1), (0, 1))) == 1
    assert len(cut((0, 1), (1, 1), (0, 0.32), (1, 1), (0, 1))) == 2


def test_a_click_is_no_speech():
    assert cut((0, 1), (1, 0.096), (0, 1)) == []
    assert len(cut((0, 1), (1, 0.128), (0, 1))) == 1


def test_two_pieces_share_a_gap_that_is_too_short_for_both_paddings():
    cutting = Cutting(silence=0.1)
    found = activity((1, 1.6), (0, 0.16), (1, 1.6))
    first, second = cutting.cut(found, duration_of(found))
    assert first.end == second.start == pytest.approx(1.6 + 0.08)


def test_padding_ends_where_the_recording_does():
    found = activity((1, 3.2))
    [piece] = CUTTING.cut(found, 3.19)  # within the last frame
    assert (piece.start, piece.end) == (0.0, 3.19)


def test_long_speech_is_cut_at_its_quietest_frame():
    found = activity((1, 48.0))
    found.energies[699:702] = 0.1
    found.energies[700] = 0.0
    found.energies[600] = 0.0  # a plosive: what is around it is loud
    pieces = CUTTING.cut(found, 48.0)
    assert [piece.end for piece in pieces] == pytest.approx([700 * 0.032, 48.0])
    assert pieces[1].start == pieces[0].end


def test_speech_of_30_s_is_left_whole():
    assert cut((0, 1.6), (1, 28.8), (0, 1.6)) == [(1.45, 30.55)]


@pytest.mark.parametrize("seed", range(60))
def test_whatever_the_activity_pieces_are_in_order_and_hold_all_speech(seed):
    found = random_activity(seed)
    duration = duration_of(found)
    pieces = CUTTING.cut(found, duration)
    for piece in pieces:
        assert 0 <= piece.start < piece.end <= duration
        assert piece.end - piece.start <= 30 + 2 * 0.15 + 1e-6
    assert all(one.end <= other.start for one, other in pairwise(pieces))
    # Outside of pieces is what nobody is sure of, or what is too short.
    frames = np.arange(len(found.speech)) * SECONDS_PER_FRAME
    inside = np.zeros(len(frames), bool)
    for piece in pieces:
        inside |= (frames >= piece.start - 1e-6) & (frames < piece.end - 1e-6)
    sure = np.flatnonzero(~inside & (found.speech >= 0.5))
    runs = np.split(sure, np.flatnonzero(np.diff(sure) > 1) + 1)
    assert all(len(run) < 4 for run in runs)


@pytest.mark.parametrize("seed", range(60))
def test_no_cut_is_inside_speech_that_is_not_too_long(seed):
    found = random_activity(seed)
    for one, other in pairwise(CUTTING.cut(found, duration_of(found))):
        gap = other.start - one.end
        if gap > 1e-6:
            # Behind the padding of the one, and before that of the other.
            start, stop = one.end - 0.15, other.start + 0.15
            assert stop - start >= 0.3 - 1e-6
        else:
            assert one.end - one.start >= 15 - 0.3
