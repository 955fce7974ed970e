"""What one process wants, all of them do behind the same step."""

import pytest
import torch
import torch.distributed as dist

from speechgru.training.agreement import Agreement


class Network:
    """Another process, with wishes of its own, one for each message."""

    def __init__(self, wishes):
        self.wishes = wishes

    def all_reduce(self, tensor, op, group, async_op):
        assert op == dist.ReduceOp.MAX
        other = torch.tensor(self.wishes.pop(0), dtype=tensor.dtype)

        class Work:
            def wait(self):
                tensor.copy_(torch.maximum(tensor, other))

        return Work()


@pytest.fixture
def network(monkeypatch):
    network = Network([])
    monkeypatch.setattr(dist, "new_group", lambda backend: object())
    monkeypatch.setattr(dist, "all_reduce", network.all_reduce)
    return network


def test_one_process_agrees_with_itself_at_once():
    agreement = Agreement(1)
    assert agreement.ask(True, False) == (True, False)
    assert agreement.settle(12345) == (12345,)


def test_several_hear_of_each_other_a_step_later(network):
    network.wishes = [[0, 0], [0, 1], [0, 0]]
    agreement = Agreement(2)
    assert agreement.ask(1, 0) == (0, 0)
    assert agreement.ask(0, 0) == (1, 0)
    assert agreement.ask(0, 0) == (0, 1)


def test_numbers_of_steps_arrive_whole_and_by_the_end_of_an_epoch_all_have(network):
    network.wishes = [[0], [70_000_000_000]]
    agreement = Agreement(2)
    assert agreement.ask(3) == (0,)
    assert agreement.settle(0) == (70_000_000_000,)
    assert network.wishes == []
