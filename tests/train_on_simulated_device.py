"""Train as `speechgru train` does, on the CPU and on a simulated device.

Usage: train_on_simulated_device.py FOLDER OVERRIDE ...

Prints the waits of each step but the first on the device, with their lines, as JSON.
"""

import json
import sys
from itertools import pairwise

from lightning.pytorch.accelerators import Accelerator, AcceleratorRegistry
from lightning.pytorch.strategies import SingleDeviceStrategy, StrategyRegistry
from simulated_device import DEVICE, simulated

from speechgru.cli.train import main
from speechgru.training.ctc import CTCTask


class SimulatedAccelerator(Accelerator):
    """Tells Lightning of the device."""

    def setup_device(self, device):
        pass

    def teardown(self):
        pass

    @staticmethod
    def parse_devices(devices):
        return [0]

    @staticmethod
    def get_parallel_devices(devices):
        return [DEVICE]

    @staticmethod
    def auto_device_count():
        return 1

    @staticmethod
    def is_available():
        return True

    @staticmethod
    def name():
        return "simulated"

    def get_device_stats(self, device):
        return {}


AcceleratorRegistry.register("simulated", SimulatedAccelerator)
StrategyRegistry.register("simulated", SingleDeviceStrategy, device=DEVICE)


def train(folder, overrides):
    sys.argv = ["speechgru", "train", f"hydra.run.dir={folder}", *overrides]
    status = main(sys.argv[2:])
    assert status == 0, status


def watch_steps(waits):
    """Note the epoch of each step, and how many waits there were when it began."""
    begun, step = [], CTCTask.training_step

    def training_step(self, batch, index):
        begun.append((self.current_epoch, len(waits)))
        return step(self, batch, index)

    CTCTask.training_step = training_step
    return begun


if __name__ == "__main__":
    folder, *overrides = sys.argv[1:]
    train(f"{folder}/cpu", overrides)
    there = ["trainer.accelerator=simulated", "trainer.strategy=simulated"]
    with simulated() as waits:
        begun = watch_steps(waits)
        train(f"{folder}/device", [*overrides, *there])
    steps = [
        waits[start:end]
        for (epoch, start), (next_epoch, end) in pairwise(begun)
        if epoch == next_epoch  # between them, there is validation
    ]
    print("STEPS", json.dumps(steps[1:]))
