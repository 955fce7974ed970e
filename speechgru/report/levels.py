"""How loud the utterances of results are."""

from collections.abc import Sequence

from speechgru.audio.read import read_audio
from speechgru.data.validation.measures import measure_level
from speechgru.interfaces import InputError
from speechgru.progress import track
from speechgru.score.results import Result


def measure_levels(results: Sequence[Result]) -> dict[str, float]:
    """dBFS of what is not silent, by utterance id.

    Args:
        results: those whose sound cannot be read are left out.
    """
    levels = {}
    for result in track(results, "report, levels", "recordings"):
        if result.audio_path is None:
            continue
        part = () if result.offset is None else (result.offset, result.duration)
        try:
            waveform, rate = read_audio(result.audio, *part)
        except (InputError, OSError):
            continue  # the page says why, where it would play it
        if len(waveform):
            levels[result.id] = measure_level(waveform.numpy(), rate)
    return levels
