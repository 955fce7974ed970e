"""The one error of audio that cannot be used."""

from speechgru.audio.resample import SAMPLE_RATES
from speechgru.interfaces import InputError


class AudioError(InputError):
    """Audio that cannot be used.

    Attributes:
        kind: one of missing, empty-file, undecodable, truncated, damaged,
            no-samples, nan-samples, out-of-range, cancelling-channels, no-channel,
            sample-rate, outside-file.
    """

    def __init__(self, kind: str, message: str) -> None:
        # Both, so that it can pass from one process to another.
        super().__init__(kind, message)
        self.kind = kind

    def __str__(self) -> str:
        return self.args[1]


def truncated(name: str, found: int, announced: int, unit: str) -> AudioError:
    """The error for a file that ends before its sound does."""
    return AudioError(
        "truncated",
        f"{name}: truncated, {found} of the {announced} {unit} that it announces are "
        "there; copy the file again or drop it",
    )


def damaged(name: str, what: str) -> AudioError:
    """The error for a file whose sound is known to be changed or incomplete."""
    return AudioError(
        "damaged", f"{name}: damaged, {what}; copy the file again or drop it"
    )


def undecodable(name: str, error: Exception) -> AudioError:
    """The error for what no decoder knows."""
    return AudioError(
        "undecodable",
        f"{name}: not decodable as audio ({reason(error)}), expected wav, flac, "
        "ogg, opus, mp3, aiff or sph, or with speechgru[media] m4a, mp4, webm and "
        "others; convert it, e.g. by ffmpeg -i IN OUT.wav, or drop it",
    )


def check_rate(rate: int, name: str) -> None:
    """Raise AudioError if no sound has such a rate, Hz."""
    if rate not in SAMPLE_RATES:
        raise AudioError(
            "sample-rate",
            f"{name}: sample_rate is {rate} Hz, expected {SAMPLE_RATES.start} to "
            f"{SAMPLE_RATES.stop - 1}: its header is damaged; convert it anew from its "
            "source or drop it",
        )


def reason(error: Exception) -> str:
    """What a decoder says of a failure."""
    text = getattr(error, "error_string", None) or str(error)
    return text.strip().rstrip(".") or "damaged data"
