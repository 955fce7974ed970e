import math

import pytest

from speechgru.options import TranscribeOptions
from speechgru.options.moments import to_seconds
from speechgru.ranges import OptionError


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        *((0, 0), (750, 750), (12.5, 12.5), ("750", 750), ("90.25", 90.25)),
        *(("12:30", 750), ("0:07.5", 7.5), ("90:00", 5400), ("1:02:03.5", 3723.5)),
    ],
)
def test_a_moment_is_seconds_or_a_clock(written, seconds):
    assert to_seconds("start", written) == seconds
    assert TranscribeOptions(start=written, end=written).start == written


@pytest.mark.parametrize(
    "written",
    ["", "soon", "12:60", "1:60:00", "-1", ":30", "1:2:3:4", -1, math.nan, True, 1e10],
)
def test_what_is_no_moment_is_refused_by_name(written):
    with pytest.raises(OptionError, match=r"^end is .*minutes:seconds"):
        TranscribeOptions(end=written)


@pytest.mark.parametrize("channel", ["mix", "each", 0, 3])
def test_a_channel_is_a_word_or_a_number(channel):
    assert TranscribeOptions(channel=channel).channel == channel


@pytest.mark.parametrize("channel", ["left", -1, 1.5, True, None, 5000])
def test_other_channels_are_refused(channel):
    with pytest.raises(OptionError, match=r"^channel is .*expected mix, each, or"):
        TranscribeOptions(channel=channel)
