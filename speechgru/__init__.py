"""Speech recognition with bidirectional GRU encoders and CTC.

`Transcriber` is loaded on first use, so that `import speechgru` stays cheap.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from speechgru.transcribe.transcriber import Transcriber

__version__ = "0.1.0"
__all__ = ["Transcriber", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Transcriber":
        from speechgru.transcribe.transcriber import Transcriber

        return Transcriber
    raise AttributeError(f"module 'speechgru' has no attribute {name!r}")
