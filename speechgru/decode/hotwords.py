"""Words and phrases that are expected, and therefore heard more readily."""

from collections import deque
from collections.abc import Sequence

import torch
from torch import Tensor

from speechgru.interfaces import InputError, Tokenizer
from speechgru.text.normalize import describe_character


def normalize_phrases(phrases: Sequence[str], tokenizer: Tokenizer) -> list[str]:
    """Bring phrases to the form of transcripts, each once.

    Raises:
        InputError: one has no words.
    """
    normalized = [tokenizer.normalize(phrase) for phrase in phrases]
    if "" in normalized:
        raise InputError("a hotword is empty, expected a word; leave it out")
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
        children: list[dict[str, int]] = [{}]
        shares = [0.0]
        num_matched = [0]
        alphabet = set("".join(tokenizer.tokens[1:])) | {" "}
        for phrase in normalize_phrases(phrases, tokenizer):
            foreign = next((c for c in phrase if c not in alphabet), None)
            if foreign is not None:
                raise InputError(
                    f"the hotword {phrase!r} holds {describe_character(foreign)}, "
                    "which is in none of the model's tokens; spell it with these, or "
                    "leave it out"
                )
            node = 0
            pattern = f" {phrase} "
            for place, character in enumerate(pattern):
                if character not in children[node]:
                    children[node][character] = len(children)
                    children.append({})
                    shares.append(0.0)
                    num_matched.append(0)
                node = children[node][character]
                if place < len(pattern) - 1:
                    shares[node] = max(shares[node], score * place / len(phrase))
            num_matched[node] += 1
        self._children = children
        self._behind_spaces = {row[" "] for row in children if " " in row}
        self._failures = self._link(num_matched)
        self._shares, self._num_matched, self._score = shares, num_matched, score
        # A text begins as if behind a space.
        self.start = (self._follow(0, " "),)
        walks = [
            [self._walk(node, token) for token in ("", *tokenizer.tokens[1:])]
            for node in range(len(children))
        ]
        self.scores = torch.tensor([[score for score, _ in row] for row in walks])
        self.next_nodes = torch.tensor([[node for _, node in row] for row in walks])
        # A text that ends in a space has ended its last word already.
        ends = [self._walk(node, " ") for node in range(len(children))]
        # Nothing can follow, so what has only begun counts nothing.
        self.end_scores = torch.tensor(
            [gained - shares[reached] for gained, reached in ends], dtype=torch.float32
        )

    def _link(self, num_matched: list[int]) -> list[int]:
        """The longest proper end of each node that also begins a phrase."""
        failures = [0] * len(self._children)
        queue = deque(self._children[0].values())
        while queue:
            node = queue.popleft()
            for character, child in self._children[node].items():
                shorter = failures[node]
                while shorter and character not in self._children[shorter]:
                    shorter = failures[shorter]
                failures[child] = self._children[shorter].get(character, 0)
                num_matched[child] += num_matched[failures[child]]
                queue.append(child)
        return failures

    def _follow(self, node: int, character: str) -> int:
        while node and character not in self._children[node]:
            node = self._failures[node]
        return self._children[node].get(character, 0)

    def _walk(self, node: int, token: str) -> tuple[float, int]:
        """What a token adds, and where it leads."""
        before = self._shares[node]
        gained = 0.0
        for character in token:
            if character == " " and node in self._behind_spaces:
                continue  # texts are shown with one
            node = self._follow(node, character)
            gained += self._score * self._num_matched[node]
        return gained + self._shares[node] - before, node

    def expand(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """See `Scorer`."""
        nodes = states[:, 0]
        return self.scores[nodes], self.next_nodes[nodes][..., None]

    def finish(self, states: Tensor) -> Tensor:
        """See `Scorer`."""
        return self.end_scores[states[:, 0]]
