"""Signals before training, during a step, and twice."""

import contextlib
import os
import signal

import pytest

from speechgru.training.interruption import Interrupted, Interruption


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_before_training_a_signal_ends_the_run_at_once(number):
    before = signal.getsignal(number)
    with pytest.raises(Interrupted) as caught, Interruption() as interruption:
        os.kill(os.getpid(), number)
    assert caught.value.status == 128 + number
    assert interruption.number == number
    assert signal.getsignal(number) is before


def test_no_library_can_take_it_for_an_error_of_its_own():
    with Interruption() as interruption:
        with pytest.raises(Interrupted), contextlib.suppress(Exception):
            os.kill(os.getpid(), signal.SIGINT)
        # And should one swallow everything, the next check ends the run.
        with pytest.raises(Interrupted):
            interruption.check()


def test_during_training_the_first_signal_waits_for_the_step(caplog):
    with Interruption() as interruption:
        interruption.wait_for_step()
        os.kill(os.getpid(), signal.SIGTERM)
        assert interruption.number == signal.SIGTERM


def test_a_second_signal_kills():
    child = os.fork()
    if child == 0:
        with Interruption() as interruption:
            interruption.wait_for_step()
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGTERM)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGTERM


def test_a_process_that_was_just_forked_leaves_signals_alone():
    with Interruption():
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGTERM)
            os._exit(7)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
