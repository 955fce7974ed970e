"""Parts of recordings, without decoding a whole file for each of them."""

from collections import OrderedDict
from pathlib import Path

from torch import Tensor

from speechgru.audio import AudioError, inspect_audio, is_cut_exactly, read_audio
from speechgru.interfaces import FilePart, Utterance

MPEG = (".mp3", ".mp2", ".mpga", ".mpeg")
"""Endings of files of which some are always decoded from their start on."""

FROM_START = (
    *MPEG,
    *(".aac", ".adts", ".ac3", ".amr", ".awb", ".asf", ".avi", ".flv", ".mka", ".mkv"),
    *(".ts", ".webm", ".wma"),
)
"""Endings of files of which some, or all, are decoded from their start on."""

MAX_KEPT = 1 << 29
"""Bytes of decoded files that are kept: 50 minutes at 44.1 kHz."""


class SegmentReader:
    """Read utterances, decoding no more of a file than they need.

    An MP3 that is joined of several, or odd in another way, is decoded whole, and so is
    an AAC, AMR or WMA; what was decoded last is kept, up to a size, in each process. A
    file beyond it is decoded up to each of its parts.
    """

    def __init__(self, max_bytes: int = MAX_KEPT) -> None:
        self.max_bytes = max_bytes
        self._kept: OrderedDict[Path | FilePart, tuple[Tensor, int]] = OrderedDict()
        self._num_bytes = 0
        self._counted: tuple[Path | FilePart, int] | None = None

    def count_channels(self, utterance: Utterance) -> int:
        """Channels of an utterance's file, which is inspected once for those of one.

        Raises:
            AudioError: as `inspect_audio`.
        """
        audio = utterance.audio
        if self._counted is None or self._counted[0] != audio:
            self._counted = (audio, inspect_audio(audio).num_channels)
        return self._counted[1]

    def read(self, utterance: Utterance) -> tuple[Tensor, int]:
        """Decode to mono at the file's own rate, as `read_audio` does.

        Returns:
            (S,) float32, and the sample rate in Hz.

        Raises:
            AudioError: as `read_audio`.
        """
        audio = utterance.audio
        if not utterance.partial:
            return read_audio(audio)
        # What a byte range holds has no ending to tell by.
        may_be_whole = utterance.byte_range is not None or (
            utterance.audio_path.suffix.lower() in FROM_START
        )
        if may_be_whole and (whole := self._whole(audio)):
            waveform, rate = whole
            start = round(utterance.offset * rate)
            count = round(utterance.duration * rate)
            part = waveform[start : start + count]
            if len(part) == count:
                return part.clone(), rate
        # Also where the part is not within the file, which it says best.
        return read_audio(audio, utterance.offset, utterance.duration)

    def _whole(self, audio: Path | FilePart) -> tuple[Tensor, int] | None:
        """All of a file, if that is better than its parts, sound and not too large."""
        if audio in self._kept:
            self._kept.move_to_end(audio)
            return self._kept[audio]
        try:
            if isinstance(audio, Path) and is_cut_exactly(audio):
                return None
            if 4 * inspect_audio(audio).num_samples > self.max_bytes:
                return None
            whole = read_audio(audio)
        except AudioError:
            return None  # but the part may be good
        self._kept[audio] = whole
        self._num_bytes += whole[0].nbytes
        while self._num_bytes > self.max_bytes and len(self._kept) > 1:
            _, (oldest, _) = self._kept.popitem(last=False)
            self._num_bytes -= oldest.nbytes
        return whole
