"""When an utterance of a stream is over."""

from dataclasses import dataclass

from speechgru.ranges import PAUSE, check

BACK = 0.5
"""s at most, by which an utterance ends before the silence that was heard: a model
may be late with a token, and the next word begins with some silence before it."""

NEAR = 0.75
"""Of the longest utterance, from where on a short pause is enough."""

SHORT_PAUSE = 0.2
"""s."""


@dataclass(frozen=True)
class Endpoints:
    """Rules, any of which ends an utterance.

    A frame is silent if its most probable token is the blank or a space.

    Attributes:
        silence_before: s of silence, where nothing has been heard yet.
        silence_after: s of silence behind something that was heard.
        max_utterance: s that an utterance lasts at most: what is kept of it grows
            till then. From three quarters of it on, a pause of 0.2 s ends it, so that
            it is rarely cut within a word.

    Source:
        The endpoints of Kaldi, "online2/online-endpoint.h", in the three rules of
        k2's sherpa, https://k2-fsa.github.io/sherpa/python/streaming_asr/
        endpointing.html, with the numbers of the latter. The short pause is ours.
    """

    silence_before: float = 2.4
    silence_after: float = 1.2
    max_utterance: float = 20.0

    def __post_init__(self) -> None:
        """Raise OptionError for what is out of its range."""
        check("silence_before", self.silence_before, PAUSE)
        check("silence_after", self.silence_after, PAUSE)
        check("max_utterance", self.max_utterance, PAUSE)

    def find_end(self, heard: float, silence: float, is_empty: bool) -> float | None:
        """Where the utterance ends, if it does.

        Args:
            heard: s, of the utterance so far.
            silence: s, at the end of that.
            is_empty: whether no text was heard.

        Returns:
            s from its start, in the silence or at its end; None: it goes on.
        """
        needed = self.silence_before if is_empty else self.silence_after
        if not is_empty and heard >= NEAR * self.max_utterance:
            needed = min(needed, SHORT_PAUSE)
        if silence >= needed or heard >= self.max_utterance:
            return heard - min(silence / 2, BACK)
        return None
