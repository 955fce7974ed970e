"""Waveforms to normalised feature frames, on the model's device."""

try:
    import torchaudio  # noqa: F401
except OSError as error:
    import torch

    raise ImportError(
        f"torchaudio cannot be loaded with torch {torch.__version__} ({error}); "
        "install builds that belong together: "
        "pip install torch==2.11.0 torchaudio==2.11.0"
    ) from error
