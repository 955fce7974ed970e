import pytest
import torch

from speechgru.training.schedule import SCHEDULES, one_cycle, warmup_cosine


def test_one_cycle_is_that_of_torch():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=1.0, total_steps=101, pct_start=0.31, cycle_momentum=False
    )
    for step in range(101):
        # Torch counts 101 steps as the ends of 100 intervals.
        expected = optimizer.param_groups[0]["lr"]
        warmup = (0.31 * 101 - 1) / 100
        assert one_cycle(step / 100, warmup) == pytest.approx(expected, abs=1e-9)
        optimizer.step()
        if step < 100:
            scheduler.step()


@pytest.mark.parametrize(
    ("progress", "expected"),
    [(0, 0), (0.1, 0.5), (0.2, 1), (0.6, 0.5), (1, 0)],
)
def test_warmup_cosine_by_hand(progress, expected):
    assert warmup_cosine(progress, warmup=0.2) == pytest.approx(expected)


@pytest.mark.parametrize("schedule", SCHEDULES.values())
def test_schedules_rise_to_the_peak_and_fall(schedule):
    values = [schedule(step / 1000, 0.25) for step in range(1001)]
    assert max(values) == values[250] == 1
    assert values[:251] == sorted(values[:251])
    assert values[250:] == sorted(values[250:], reverse=True)
