"""Remarks on splits as wholes, and on what they have in common."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from speechgru.data.validation.remark import Remark
from speechgru.interfaces import Tokenizer, Utterance
from speechgru.text.changes import Changes

_ENOUGH = 20  # utterances of train, from which on a rare character is worth a note


@dataclass(frozen=True)
class TokenUse:
    """In how many utterances each token occurs.

    Attributes:
        counts: utterances by token id.
        first: id of the first of them, by token id.
    """

    counts: Counter[int] = field(default_factory=Counter)
    first: dict[int, str] = field(default_factory=dict)

    def add(self, id: str, token_ids: Sequence[int]) -> None:
        """Count the tokens of an utterance."""
        for token_id in set(token_ids):
            self.counts[token_id] += 1
            self.first.setdefault(token_id, id)

    def remark(self, tokenizer: Tokenizer) -> Iterator[Remark]:
        """Remark on tokens that are too rare to be learnt."""
        rare = {
            tokenizer.tokens[token]: self.first[token]
            for token, count in self.counts.items()
            if count == 1
        }
        if rare:
            some = ", ".join(f"{c!r} ({rare[c]})" for c in sorted(rare)[:10])
            yield Remark(
                "rare-tokens",
                "train",
                f"{len(rare)} of the tokens occur in a single utterance of train, too "
                f"few to be learnt: {some}",
            )


def write_notes(
    splits: Mapping[str, Sequence[Utterance]],
    num_channels: Mapping[int, int],
    rates: Mapping[str, Mapping[int, int]],
    uses: TokenUse,
    tokenizer: Tokenizer | None,
    changes: Changes | None,
    speakers: Mapping[str, set[str]],
) -> Iterator[Remark]:
    """Remark on what is unusual.

    Args:
        splits: utterances by split name.
        num_channels: files by their number of channels.
        rates: utterances by sample rate in Hz, by split.
        uses: of the tokens in train.
        tokenizer: whose tokens they are, or None.
        changes: what normalisation changes, or None.
        speakers: by split, those that are named.
    """
    for channels, count in sorted(num_channels.items()):
        if channels > 1:
            yield Remark(
                "channels",
                None,
                f"{count} files have {channels} channels; they are averaged to mono",
            )
    for split, counts in rates.items():
        if len(counts) > 1:
            each = ", ".join(
                f"{rate} Hz {count}" for rate, count in Counter(counts).most_common()
            )
            yield Remark(
                "rates", split, f"{split} has recordings of several rates: {each}"
            )
    if changes is not None:
        for note in changes.notes():
            yield Remark("normalisation", None, note)
    if tokenizer is not None and len(splits.get("train", ())) >= _ENOUGH:
        yield from uses.remark(tokenizer)
    for split, other in combinations(splits, 2):
        shared = sorted(speakers[split] & speakers[other])
        if shared:
            # One more name is no longer than to say that there is one more.
            named = shared if len(shared) <= 6 else shared[:5]
            rest = f" and {len(shared) - 5} others" * (named is not shared)
            some = ", ".join(named) + rest
            yield Remark(
                "shared-speakers",
                None,
                f"{split} and {other} share speakers, {len(shared)} in all: {some}",
            )
