"""What the rooms hand to each other, and nothing else.

torch is named here but not imported: the command line needs `InputError` at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from typing_extensions import Self

BLANK = 0
"""Token id of the CTC blank, everywhere."""


class InputError(ValueError):
    """The user's data or options are unusable.

    The message names the item, what was found, what was expected and the
    remedy; the command line prints it without a traceback.
    """


class NoSoundError(InputError):
    """A word that cannot be pronounced."""


@dataclass(frozen=True)
class FilePart:
    """A recording that lies, as it is, inside a larger file: a tar, or an Arrow file.

    Attributes:
        path: of the larger file.
        start: of the recording, bytes from the start of that file.
        size: of the recording, bytes.
    """

    path: Path
    start: int
    size: int


@dataclass(frozen=True)
class Utterance:
    """One line of a manifest.

    Attributes:
        id: unique within its manifest.
        audio_path: absolute, or relative to the working directory.
        duration: s.
        text: transcript, as the corpus has it.
        speaker: where known.
        offset: s from the start of the file.
        partial: only `duration` seconds of the file belong to the utterance
            (the manifest gave an offset); otherwise all of it does.
        byte_range: first byte and number of bytes of the recording, where the file
            holds several; otherwise the file is the recording.

    Examples:
        >>> Utterance("ann-1", Path("wav/0001.wav"), 2.41, "turn the lights off").text
        'turn the lights off'
    """

    id: str
    audio_path: Path
    duration: float
    text: str
    speaker: str | None = None
    offset: float = 0.0
    partial: bool = False
    byte_range: tuple[int, int] | None = None

    @property
    def audio(self) -> Path | FilePart:
        """What is decoded."""
        if self.byte_range is None:
            return self.audio_path
        return FilePart(self.audio_path, *self.byte_range)


@dataclass(frozen=True)
class Movable:
    """A frozen dataclass whose tensors go from one device to another together.

    Lengths stay where they are, on the host: there they are asked for.
    """

    def to(self, device: torch.device, non_blocking: bool = False) -> Self:
        """Move every tensor but lengths to a device."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> Self:
        """Pin what `to` moves, so that nobody need wait for its copy to a GPU."""
        return self._map(lambda tensor: tensor.pin_memory())

    def _map(self, change: Callable[[Tensor], Tensor]) -> Self:
        from torch import Tensor

        tensors = {
            field.name: change(getattr(self, field.name))
            for field in fields(self)
            if isinstance(getattr(self, field.name), Tensor)
            and not field.name.endswith("lengths")
        }
        return replace(self, **tensors)


@dataclass(frozen=True)
class Batch(Movable):
    """Padded utterances, ready for the model.

    Dimensions: B utterances, S samples, U tokens.

    Attributes:
        ids: B utterance ids.
        waveforms: (B, S) float32 in [-1, 1], zero beyond each length.
        waveform_lengths: (B,) int64, samples.
        targets: (B, U) int64 token ids, never blank, padded with blank.
        target_lengths: (B,) int64, tokens.
        references: B normalised transcripts.
        num_views: how often each utterance is there, augmented apart; the
            second views follow all of the first, in the same order.
        step_size: items of all views in the whole optimiser step that this
            batch is a part of, over all processes and accumulated batches.
        key: what seeds the randomness of this batch, e.g. (epoch, index).
    """

    ids: list[str]
    waveforms: Tensor
    waveform_lengths: Tensor
    targets: Tensor
    target_lengths: Tensor
    references: list[str]
    num_views: int
    step_size: int
    key: tuple[int, ...]


@dataclass(frozen=True)
class TextBatch(Movable):
    """Padded texts, ready for a language model.

    Attributes:
        ids: B names of the texts.
        token_ids: (B, U) int64, never blank, padded with blank.
        lengths: (B,) int64, tokens.
        step_size, key: as in `Batch`.
    """

    ids: list[str]
    token_ids: Tensor
    lengths: Tensor
    step_size: int
    key: tuple[int, ...]


@dataclass(frozen=True)
class Span:
    """A token or a word in time.

    Attributes:
        text: the token or word.
        start: s from the start of the utterance.
        end: s.
        confidence: probability in [0, 1].
    """

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Alternative:
    """A text that could have been said as well.

    Attributes:
        text: as in `Hypothesis`.
        score: as in `Hypothesis`.
    """

    text: str
    score: float


@dataclass(frozen=True)
class Hypothesis:
    """What a decoder heard.

    Attributes:
        text: decoded, normalised as the training transcripts were.
        score: natural log-probability of the decoded path; of a beam search,
            that of the text, with what its language model adds.
        tokens: in order of time.
        words: in order of time.
        alternatives: other texts, the best first, if they were asked for.
    """

    text: str
    score: float
    tokens: tuple[Span, ...]
    words: tuple[Span, ...]
    alternatives: tuple[Alternative, ...] = ()


@runtime_checkable
class Tokenizer(Protocol):
    """Transcript <-> token ids; id 0 is the blank."""

    tokens: tuple[str, ...]

    def config(self) -> dict[str, Any]:
        """Plain values that `build` makes the same tokenizer of."""

    def normalize(self, text: str) -> str:
        """Bring a transcript to the form that is trained on and scored."""

    def encode(self, text: str) -> list[int]:
        """Normalise, then map to token ids. Raises InputError."""

    def decode(self, token_ids: Sequence[int]) -> str:
        """Map token ids to text; blanks are not allowed."""


@runtime_checkable
class ExtensibleTokenizer(Tokenizer, Protocol):
    """One that can take up the characters of other texts, for fine-tuning."""

    def extended(self, characters: Iterable[str]) -> Tokenizer:
        """The same with tokens for those that it lacks, behind the others."""


@runtime_checkable
class SamplingTokenizer(Tokenizer, Protocol):
    """One that spells a text in several ways, of which training may hear them all."""

    def sample(self, text: str, seed: int) -> list[int]:
        """As `encode`, in a way that the seed draws."""


@runtime_checkable
class PhoneticTokenizer(Tokenizer, Protocol):
    """One whose tokens are sounds: words that sound alike have the same tokens.

    The tokens of a word are those of its encoding; the first, and no other, begins
    with a space.
    """

    def pronounce(self, word: str) -> Sequence[str]:
        """The sounds of a normalised word. Raises NoSoundError: none."""


@runtime_checkable
class Encoder(Protocol):
    """Frames to frames, each output frame a summary of its surroundings."""

    output_size: int

    def __call__(
        self, features: Tensor, input_lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Map (B, T, F) and (B,) frames to (B, T', output_size) and (B,).

        Lengths are on the host, also where the frames are on a GPU.
        """

    def output_lengths(self, input_lengths: Tensor) -> Tensor:
        """Frames that leave for frames that enter, exactly."""


@runtime_checkable
class LanguageModel(Protocol):
    """Texts to their probabilities."""

    def score_texts(self, texts: Sequence[str]) -> list[float]:
        """Natural log-probabilities of whole texts, their ends included."""


@runtime_checkable
class Decoder(Protocol):
    """Log-probabilities to hypotheses, one per utterance.

    It is complete when it is constructed. One whose constructor has the arguments
    model and rescoring is given them by the commands; see `BeamDecoder`.

    Attributes:
        name: as in decoder=NAME.
    """

    name: str

    @property
    def weights(self) -> dict[str, float]:
        """What counts how much, by its name; {} where nothing is weighed."""

    def __call__(
        self,
        log_probs: Tensor,
        output_lengths: Tensor,
        tokenizer: Tokenizer,
        seconds_per_frame: float,
    ) -> list[Hypothesis]:
        """Decode (B, T, C) float32 natural log-probabilities."""


class Decoding(Protocol):
    """An utterance that is decoded while it is heard.

    It is never changed: each chunk gives another, so that one may go back.
    """

    def advance(self, log_probs: Tensor) -> Decoding:
        """Take the next frames in: (T, C) float32 natural log-probabilities."""

    @property
    def text(self) -> str:
        """What is heard so far; the last word may be open."""

    def finish(self) -> Hypothesis:
        """What was heard if the utterance ends here, as when it is decoded whole."""


@runtime_checkable
class StreamingDecoder(Decoder, Protocol):
    """One that can hear an utterance frame by frame.

    Attributes:
        blank_penalty: subtracted from the blank's natural log-probability.
    """

    blank_penalty: float

    def begin(self, tokenizer: Tokenizer, seconds_per_frame: float) -> Decoding:
        """Begin an utterance. Raises InputError: the tokens do not fit."""


@runtime_checkable
class TunableDecoder(Decoder, Protocol):
    """One that weighs a language model, whose weights `speechgru tune` finds.

    Attributes:
        lm_path: file of the language model; None: there is none.
        takes_tuned: whether weights are taken that were tuned, if there are any.
        lm_weight, word_score: of a text, beside the sound.
        beam_size: texts that are kept after each frame.
        num_best: texts of a hypothesis, its alternatives included.
    """

    lm_path: str | None
    takes_tuned: bool
    lm_weight: float
    word_score: float
    beam_size: int
    num_best: int

    def scores_words(self, tokenizer: Tokenizer) -> bool:
        """Whether a word_score makes a difference."""

    def fit(self, tokenizer: Tokenizer) -> object:
        """Get ready for texts of these tokens. Raises InputError."""

    def adjusted(
        self, lm_weight: float, word_score: float, beam_size: int, num_best: int
    ) -> TunableDecoder:
        """The same search with other weights and sizes."""
