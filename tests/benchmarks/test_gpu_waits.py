"""Waits of the host are counted step by step."""

import warnings

import pytest
import waits_part
from sizes import DRY_RUN
from speech import repeat, write_recordings
from steps import plain_options

from speechgru.training import ctc


@pytest.mark.usefixtures("threads")
def test_each_step_counts_the_waits_that_it_makes(tmp_path, monkeypatch):
    whole = ctc.ctc_losses

    def wait_twice(*arguments):
        for _ in range(2):
            # As torch says it where a CUDA tensor is read.
            warnings.warn("called a synchronizing CUDA operation", stacklevel=1)
        warnings.warn("something else", stacklevel=1)
        return whole(*arguments)

    monkeypatch.setattr(ctc, "ctc_losses", wait_twice)
    recordings = write_recordings(tmp_path, 1.0, 4)
    options = plain_options(DRY_RUN, "gru", 8, 4.0, "fp32")
    found = waits_part.count_waits(DRY_RUN, options, repeat(recordings, 60.0))
    assert found["num_steps"] == DRY_RUN.num_windows * DRY_RUN.window
    assert (found["mean"], found["most"]) == (2.0, 2)
    ((line, count),) = found["lines"].items()
    assert line.startswith("test_gpu_waits.py:")
    assert count == 2 * found["num_steps"]
