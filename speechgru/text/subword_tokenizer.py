"""One token per piece of a word."""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from speechgru.ranges import SIZE, OptionError, check
from speechgru.text.bpe import BpeCutter
from speechgru.text.byte_tokens import BYTE_TOKENS, join_tokens
from speechgru.text.casing import Case
from speechgru.text.learn_pieces import COVERAGE, MARK, learn_pieces
from speechgru.text.normalize import Digits, Punctuation, TextNormalizer
from speechgru.text.pieces import LONGEST_PIECE, Kind, check_options, check_pieces
from speechgru.text.tokenizer import compose, look_up, unknown_character
from speechgru.text.unigram import UNKNOWN_PENALTY, UnigramCutter
from speechgru.text.word_counts import count_normalized

MOST_WORDS = 1 << 16
"""Words whose cut is remembered, none longer than LONGEST_PIECE."""


class SubwordTokenizer:
    """Map transcripts to ids of pieces of words and back.

    After the blank come the 256 bytes, if there is a fallback to them, then the
    pieces. A piece that begins with a space begins a word; no piece reaches over
    the end of one.

    Args:
        pieces: each once, as they stand after normalisation.
        scores: of the pieces: natural log-probabilities for unigram; for bpe the
            higher, the earlier learnt.
        kind: "unigram" or "bpe": how a word is cut.
        byte_fallback: write a character that no piece has as its bytes in UTF-8.
        sampling: cut words in other ways in training. For unigram: each way by its
            probability to this power, so that 0 makes all alike and 1 leaves
            the best most of them. For bpe: the share of merges left out. None: cut in
            the best way always.
        case, punctuation, digits, language: as for `TextNormalizer`.

    Raises:
        InputError: the pieces are none, too many, or not what is said above.

    Source:
        See `UnigramCutter` and `BpeCutter`; pieces are learnt by sentencepiece,
        arXiv:1808.06226.
    """

    def __init__(
        self,
        pieces: Sequence[str],
        scores: Sequence[float],
        kind: Kind = "unigram",
        byte_fallback: bool = False,
        sampling: float | None = None,
        case: Case = "upper",
        punctuation: Punctuation = "space",
        digits: Digits = "keep",
        language: str | None = None,
    ) -> None:
        self.normalizer = TextNormalizer(case, punctuation, digits, language)
        check_options(kind, sampling)
        check_pieces(pieces, scores, self.normalizer)
        self.pieces, self.scores = tuple(pieces), tuple(scores)
        self.kind, self.byte_fallback, self.sampling = kind, byte_fallback, sampling
        fallback = BYTE_TOKENS if byte_fallback else ()
        self.tokens = ("<blank>", *fallback, *self.pieces)
        self._ids = {token: index for index, token in enumerate(self.tokens)}
        ranked = dict(zip(pieces, scores, strict=True))
        self._cutter: UnigramCutter | BpeCutter = (
            UnigramCutter(ranked) if kind == "unigram" else BpeCutter(ranked)
        )
        self._known: dict[str, tuple[int, ...]] = {}

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        vocabulary_size: int = 500,
        kind: Kind = "unigram",
        character_coverage: float = 1.0,
        byte_fallback: bool = False,
        sampling: float | None = None,
        case: Case = "upper",
        punctuation: Punctuation = "space",
        digits: Digits = "keep",
        language: str | None = None,
    ) -> "SubwordTokenizer":
        """Learn the pieces from transcripts.

        Args:
            texts: to train on; words that cannot be normalised are left out.
            vocabulary_size: tokens: the blank, the bytes if any, and the pieces.
            character_coverage: share of the characters in the texts that have a
                piece; the rarest have none.
            kind, byte_fallback, sampling, case, punctuation, digits, language: as for
                the class.

        Raises:
            OptionError: an option is out of its range, or the texts have no such
                vocabulary.
            InputError: there are no words.
        """
        check("vocabulary_size", vocabulary_size, SIZE)
        check("character_coverage", character_coverage, COVERAGE)
        check_options(kind, sampling)
        normalize = TextNormalizer(case, punctuation, digits, language)
        words = count_normalized(texts, normalize)
        learnable = {word: n for word, n in words.items() if MARK not in word}
        if not learnable:
            raise OptionError(
                "vocabulary_size has no words to learn from; check that the "
                "transcripts of the training split hold text"
            )
        scores = learn_pieces(
            learnable, vocabulary_size, kind, character_coverage, byte_fallback
        )
        return cls(
            [*scores],
            [*scores.values()],
            kind,
            byte_fallback,
            sampling,
            case,
            punctuation,
            digits,
            language,
        )

    def config(self) -> dict[str, Any]:
        """Give the plain values from which this tokenizer can be built again."""
        return {
            "_target_": "speechgru.text.subword_tokenizer.SubwordTokenizer",
            "pieces": list(self.pieces),
            "scores": list(self.scores),
            "kind": self.kind,
            "byte_fallback": self.byte_fallback,
            "sampling": self.sampling,
            **self.normalizer.config(),
        }

    def extended(self, characters: Iterable[str]) -> "SubwordTokenizer":
        """The same with pieces of one character each behind the others.

        With a fallback to bytes there is no need of them.
        """
        config = self.config()
        del config["_target_"]
        new = [c for c in characters if c not in self._ids]
        if not self.byte_fallback:
            config["pieces"] += new
            config["scores"] += [min(self.scores) - UNKNOWN_PENALTY] * len(new)
        return SubwordTokenizer(**config)

    def normalize(self, text: str) -> str:
        """Bring a transcript to the form that is trained on and scored."""
        return self.normalizer(text)

    def encode(self, text: str) -> list[int]:
        """Normalise a transcript and map it to token ids, in the best way.

        Raises:
            InputError: a character is in no piece, and there is no fallback to
                bytes; or it is refused by the normaliser.
        """
        ids: list[int] = []
        for word in self.normalize(text).split():
            known = self._known.get(word)
            if known is None:
                known = tuple(self._to_ids(self._cutter.cut(f" {word}")))
                if len(self._known) >= MOST_WORDS:
                    self._known.clear()
                if len(word) <= LONGEST_PIECE:
                    self._known[word] = known
            ids += known
        return ids

    def sample(self, text: str, seed: int) -> list[int]:
        """Normalise a transcript and map it to token ids, in a way that is drawn.

        Args:
            text: of an utterance.
            seed: the same draws the same way. Where `sampling` is None, nothing
                is drawn.

        Raises:
            InputError: as for `encode`.
        """
        if self.sampling is None:
            return self.encode(text)
        draws = Random(seed)
        ids: list[int] = []
        for word in self.normalize(text).split():
            ids += self._to_ids(self._cutter.sample(f" {word}", self.sampling, draws))
        return ids

    def _to_ids(self, pieces: Iterable[str]) -> Iterable[int]:
        for piece in pieces:
            if piece in self._ids:
                yield self._ids[piece]
            elif self.byte_fallback:
                yield from (self._ids[BYTE_TOKENS[byte]] for byte in piece.encode())
            else:
                remedy = "set text.byte_fallback=true"
                raise unknown_character(piece, len(self.tokens), remedy)

    def decode(self, token_ids: Sequence[int]) -> str:
        """Map token ids to text, in Unicode NFC as `normalize` gives it.

        Bytes that are no character become U+FFFD.

        Raises:
            ValueError: an id is the blank or not a token.
        """
        text = join_tokens(look_up(self.tokens, token_ids))
        return compose(text, self.normalizer.case).removeprefix(" ")
