"""The machine that numbers belong to, and what it lacks."""

import importlib.util
import os
import platform
import re
from pathlib import Path

import torch

NEEDED = {
    "antlr4": "antlr4-python3-runtime",
    "cffi": "cffi",
    "hydra": "hydra-core",
    "jiwer": "jiwer",
    "lightning": "lightning",
    "matplotlib": "matplotlib",
    "omegaconf": "omegaconf",
    "pycparser": "pycparser",
    "pytest": "pytest",
    "rapidfuzz": "rapidfuzz",
    "soundfile": "soundfile",
    "tensorboard": "tensorboard",
    "torchaudio": "torchaudio",
    "tqdm": "tqdm",
    "yaml": "pyyaml",
}
"""Modules, and the distributions that hold them."""


def find_missing() -> list[str]:
    """Distributions that cannot be imported here."""
    return [
        name for module, name in NEEDED.items() if not importlib.util.find_spec(module)
    ]


def describe_machine(device: str) -> dict[str, str | int | float]:
    """What numbers depend on, plain."""
    described: dict[str, str | int | float] = {
        "cpu": _cpu_name(),
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
    }
    if device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        described |= {
            "gpu": properties.name,
            "gpu_memory_gb": round(properties.total_memory / 1e9, 1),
            "cuda": str(torch.version.cuda),
            "cudnn": torch.backends.cudnn.version() or 0,
        }
    return described


def _cpu_name() -> str:
    path = Path("/proc/cpuinfo")
    text = path.read_text() if path.exists() else ""
    found = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()
