"""Speech recognition with bidirectional GRU encoders and CTC.

The names below are the public interface: they keep their meaning from one minor
version to the next, and what is to go is announced by a DeprecationWarning one
minor version before. Each is loaded on first use, so that `import speechgru` is
cheap. Options of `train` and `evaluate` are dataclasses of `speechgru.options`.

>>> import speechgru
>>> speechgru.Utterance.__module__
'speechgru.interfaces'
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from speechgru.checkpoint.load import load_checkpoint
    from speechgru.data.manifest import read_manifest, write_manifest
    from speechgru.evaluation.compare import compare
    from speechgru.evaluation.evaluate import evaluate
    from speechgru.interfaces import Utterance
    from speechgru.score.error_rate import ErrorRate
    from speechgru.training.start import train
    from speechgru.transcribe.excerpt import Excerpt
    from speechgru.transcribe.transcriber import Transcriber
    from speechgru.transcribe.transcript import Transcript

__version__ = "0.2.0"
__all__ = [
    "ErrorRate",
    "Excerpt",
    "Transcriber",
    "Transcript",
    "Utterance",
    "__version__",
    "compare",
    "evaluate",
    "load_checkpoint",
    "read_manifest",
    "train",
    "write_manifest",
]

_MODULES = {
    "ErrorRate": "score.error_rate",
    "Excerpt": "transcribe.excerpt",
    "Transcriber": "transcribe.transcriber",
    "Transcript": "transcribe.transcript",
    "Utterance": "interfaces",
    "compare": "evaluation.compare",
    "evaluate": "evaluation.evaluate",
    "load_checkpoint": "checkpoint.load",
    "read_manifest": "data.manifest",
    "train": "training.start",
    "write_manifest": "data.manifest",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'speechgru' has no attribute {name!r}")
    module = importlib.import_module(f"speechgru.{_MODULES[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
