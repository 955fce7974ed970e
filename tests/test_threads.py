"""What all commands set up."""

import os

import pytest
import torch

from speechgru.interfaces import InputError
from speechgru.threads import set_up_cpu

CACHE = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"


@pytest.mark.usefixtures("threads")
def test_numbers_that_slow_the_processor_are_zero():
    torch.set_flush_denormal(False)  # other tests may have set it
    tiny = torch.tensor([1e-38])
    assert tiny / 100 > 0
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot flush denormal numbers")
    torch.set_flush_denormal(False)
    set_up_cpu(1)
    assert tiny / 100 == 0
    assert torch.get_num_threads() == 1


def test_less_than_a_thread_is_refused():
    with pytest.raises(InputError, match="num_threads is 0, expected a whole number"):
        set_up_cpu(0)


@pytest.mark.usefixtures("threads")
def test_shapes_that_do_not_recur_are_not_kept(monkeypatch):
    monkeypatch.setenv(CACHE, "unset afterwards")
    monkeypatch.delenv(CACHE)
    set_up_cpu(1)
    assert os.environ[CACHE] == "16"


@pytest.mark.usefixtures("threads")
def test_a_cache_of_ones_own_choice_stays(monkeypatch):
    monkeypatch.setenv(CACHE, "64")
    set_up_cpu(1)
    assert os.environ[CACHE] == "64"
