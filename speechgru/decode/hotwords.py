"""Words and phrases that are expected, and therefore heard more readily."""

from collections import deque
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from speechgru.interfaces import InputError, Tokenizer
from speechgru.text.normalize import describe_character
from speechgru.text.spelling import find_spelling

NO_UNIT = -1  # behind the last of a token
NUM_AT_ONCE = 1024
"""Nodes that all tokens are followed from at once."""


def normalize_phrases(phrases: Sequence[str], tokenizer: Tokenizer) -> list[str]:
    """Bring phrases to the form of transcripts, each once.

    Raises:
        InputError: one has no words.
    """
    normalized = [tokenizer.normalize(phrase) for phrase in phrases]
    if "" in normalized:
        empty = phrases[normalized.index("")]
        raise InputError(
            f"the hotword {empty!r} has no word in it, expected one; leave it out"
        )
    return list(dict.fromkeys(normalized))


class HotwordScorer:
    """Add a score for each occurrence of a phrase, as whole words.

    A phrase that has begun has a share of its score, which it loses if it goes
    on otherwise; so it is not pruned early, and in the end only whole
    occurrences count. All phrases are followed at once by one automaton.

    Args:
        phrases: each of one or more words.
        tokenizer: of the tokens.
        score: added per occurrence, natural log.

    Raises:
        InputError: a phrase is empty or cannot be spelled.

    Source:
        Aho and Corasick, "Efficient string matching: an aid to bibliographic
        search", 1975.
    """

    def __init__(
        self, phrases: Sequence[str], tokenizer: Tokenizer, score: float
    ) -> None:
        spelling = find_spelling(tokenizer)
        children: list[dict[str, int]] = [{}]
        shares = [0.0]
        num_matched = [0]
        for phrase in normalize_phrases(phrases, tokenizer):
            units = " ".join(spelling(word) for word in phrase.split())
            foreign = next((c for c in units if c not in spelling.known | {" "}), None)
            if foreign is not None:
                raise InputError(
                    f"the hotword {phrase!r} holds {describe_character(foreign)}, "
                    "which is in none of the model's tokens; spell it with these, or "
                    "leave it out"
                )
            node = 0
            pattern = f" {units} "
            for place, unit in enumerate(pattern):
                if unit not in children[node]:
                    children[node][unit] = len(children)
                    children.append({})
                    shares.append(0.0)
                    num_matched.append(0)
                node = children[node][unit]
                if place < len(pattern) - 1:
                    shares[node] = max(shares[node], score * place / len(units))
            num_matched[node] += 1
        automaton = _Automaton(children, shares, num_matched, score)
        # A text begins as if behind a space.
        self.start = (automaton.behind_space,)
        self.scores, self.next_nodes = automaton.walk_all(spelling.units)
        # A text that ends in a space has ended its last word already.
        gained, reached = automaton.walk_all([" "])
        # Nothing can follow, so what has only begun counts nothing.
        self.end_scores = (gained - automaton.shares[reached])[:, 0]

    def expand(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """See `Scorer`."""
        nodes = states[:, 0]
        return self.scores[nodes], self.next_nodes[nodes].long()[..., None]

    def finish(self, states: Tensor) -> Tensor:
        """See `Scorer`."""
        return self.end_scores[states[:, 0]]


class _Automaton:
    """All phrases at once, as nodes that units lead between.

    Dimensions: N nodes, V units that occur in phrases, and one for all others.

    Args:
        children: of each node, by unit.
        shares: score of what has begun at each node.
        num_matched: phrases that are whole at each node, that of their ends included.
        score: of a phrase.
    """

    def __init__(
        self,
        children: Sequence[Mapping[str, int]],
        shares: Sequence[float],
        num_matched: Sequence[int],
        score: float,
    ) -> None:
        self.shares = torch.tensor(shares)
        num_matched = list(num_matched)
        units = sorted({unit for row in children for unit in row})
        self._columns = {unit: column for column, unit in enumerate(units, 1)}
        self._next = torch.zeros(len(children), len(units) + 1, dtype=torch.int64)
        # The longest proper end of each node that also begins a phrase. Those of one
        # length come behind all that are shorter.
        failures = [0] * len(children)
        queue = deque([0])
        while queue:
            node = queue.popleft()
            shorter = failures[node]
            if node:
                num_matched[node] += num_matched[shorter]
                self._next[node] = self._next[shorter]
            for unit, child in children[node].items():
                column = self._columns[unit]
                failures[child] = int(self._next[node, column])
                self._next[node, column] = child
                queue.append(child)
        self._gains = score * torch.tensor(num_matched)
        space = self._columns[" "]
        self.behind_space = int(self._next[0, space])
        self._behind_spaces = torch.zeros(len(children), dtype=torch.bool)
        self._behind_spaces[[row[" "] for row in children if " " in row]] = True

    def walk_all(self, tokens: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Follow tokens, as units, from all nodes.

        Returns:
            (N, C) float32 what each token adds, and (N, C) int32 where it leads.
        """
        longest = max(map(len, tokens))
        columns = torch.tensor(
            [
                [self._columns.get(unit, 0) for unit in token]
                + [NO_UNIT] * (longest - len(token))
                for token in tokens
            ]
        )
        added, reached = [], []
        # By the block, for what is between takes several times as much memory.
        for first in range(0, len(self.shares), NUM_AT_ONCE):
            block = torch.arange(first, min(first + NUM_AT_ONCE, len(self.shares)))
            nodes, gains = self._walk(block[:, None].expand(-1, len(tokens)), columns)
            gains += self.shares[nodes] - self.shares[block][:, None]
            added.append(gains)
            reached.append(nodes.int())
        return torch.cat(added), torch.cat(reached)

    def _walk(self, nodes: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Follow (C, L) columns from nodes (n, C): to others, with what they gain."""
        gains = torch.zeros(nodes.shape)
        space = self._columns[" "]
        for column in columns.T:
            # Texts are shown with one space where there are several.
            skipped = (column == space) & self._behind_spaces[nodes]
            moves = (column != NO_UNIT) & ~skipped
            nodes = torch.where(moves, self._next[nodes, column.clamp(min=0)], nodes)
            gains += torch.where(moves, self._gains[nodes], 0.0)
        return nodes, gains
