"""Small archives in the layouts of corpora."""

import tarfile
import zipfile
from pathlib import Path

import numpy as np
import soundfile


def write_audio(
    path: Path, num_samples: int = 1600, rate: int = 16000, **options
) -> Path:
    """A recording of quiet noise, in the format that its ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = 0.1 * np.random.default_rng(num_samples).standard_normal(num_samples)
    soundfile.write(path, noise, rate, **options)
    return path


def write_text(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def pack_tar(folder: Path, path: Path, top: str, mode: str = "w:gz") -> Path:
    """All that is in a folder, below a top folder ("." is none)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:
        archive.add(folder, arcname=top)
    return path


def pack_zip(folder: Path, path: Path) -> Path:
    """All that is in a folder, without a top folder."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return path
