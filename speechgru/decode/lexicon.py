"""Words as sequences of tokens."""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from speechgru.files import read_lines
from speechgru.interfaces import BLANK, InputError, Tokenizer
from speechgru.text.normalize import describe_character

ROOT = 0
REFUSED = -1


class Lexicon:
    """The words that may be heard, as a trie that tokens walk along.

    Nodes are integers, 0 between words. A token may hold several characters, the
    first of which may be the space that ends a word.

    Dimensions: N nodes, C tokens.

    Attributes:
        words: in order of their ids.
        next_nodes: (N, C) int64; -1 where a token cannot follow.
        word_ids: (N,) int64, of the word that is complete at a node, else -1.
        parents: of the nodes, each lower than its node.
        unknown_node: that of all other words; -1 if there may be none.

    Args:
        words: each once, as the tokenizer normalises text.
        tokenizer: of the tokens.
        open_vocabulary: whether other words may be heard as well; a node of
            their own stands for all of them.

    Raises:
        InputError: there are no words, or one that the tokens cannot spell.
    """

    def __init__(
        self,
        words: Iterable[str],
        tokenizer: Tokenizer,
        open_vocabulary: bool = False,
    ) -> None:
        self.words = tuple(words)
        if not self.words:
            raise InputError("the lexicon has no words, expected at least one")
        alphabet = set("".join(tokenizer.tokens[1:]))
        spaced = next((token for token in tokenizer.tokens if " " in token[1:]), None)
        if spaced is not None:
            raise InputError(
                f"the token {spaced!r} holds a space behind its first character, "
                "expected none for decoding with a lexicon; decode without one"
            )
        children: list[dict[str, int]] = [{}]
        parents = [ROOT]
        complete = {}
        for word_id, word in enumerate(self.words):
            check_word(word, tokenizer, alphabet)
            node = ROOT
            for character in word:
                if character not in children[node]:
                    children[node][character] = len(children)
                    children.append({})
                    parents.append(node)
                node = children[node][character]
            complete[node] = word_id
        self.unknown_node = len(children) if open_vocabulary else REFUSED
        if open_vocabulary:
            children.append({})
            parents.append(ROOT)
        self.parents = tuple(parents)
        self.word_ids = torch.full((len(children),), -1)
        self.word_ids[list(complete)] = torch.tensor(list(complete.values()))
        self.next_nodes = self._walk_all(children, tokenizer.tokens)

    def _walk_all(
        self, children: list[dict[str, int]], tokens: tuple[str, ...]
    ) -> Tensor:
        next_nodes = torch.full((len(children), len(tokens)), self.unknown_node)
        next_nodes[:, BLANK] = REFUSED
        columns = {token: index for index, token in enumerate(tokens) if index}
        for node, followers in enumerate(children):
            for character, child in followers.items():
                if character in columns:
                    next_nodes[node, columns[character]] = child
        for token, column in columns.items():
            if len(token) > 1 or token == " ":
                for node in range(len(children)):
                    next_nodes[node, column] = self._walk(children, node, token)
        return next_nodes

    def _walk(self, children: list[dict[str, int]], node: int, token: str) -> int:
        if token == " " and node == ROOT:
            return REFUSED  # it would end no word
        if token.startswith(" "):
            is_word = node in (ROOT, self.unknown_node) or self.word_ids[node] >= 0
            if not is_word and self.unknown_node == REFUSED:
                return REFUSED
            node = ROOT
        for character in token.removeprefix(" "):
            node = children[node].get(character, self.unknown_node)
            if node == REFUSED:
                return REFUSED
        return node


def check_word(word: str, tokenizer: Tokenizer, alphabet: set[str]) -> None:
    """See that a word can be heard. Raises InputError."""
    foreign = next((character for character in word if character not in alphabet), None)
    try:
        normalized = tokenizer.normalize(word)
    except InputError:
        normalized = word
    if normalized != word:
        raise InputError(
            f"the word {word!r} is not as the model's texts are, expected "
            f"{normalized!r}; make the language model or lexicon with the model's "
            "text options, e.g. by speechgru lm checkpoint=CHECKPOINT"
        )
    if foreign is not None:
        raise InputError(
            f"the word {word!r} holds {describe_character(foreign)}, which is in "
            "none of the model's tokens; remove the word, or make the language model "
            "with the model's text options by speechgru lm checkpoint=CHECKPOINT"
        )


def read_lexicon(path: str | Path) -> list[str]:
    """Read words, one a line, perhaps with the tokens that spell each.

    The format is flashlight's: the word, white space, its tokens. Spellings
    must be the word's own characters, after which | may stand for the space.

    Raises:
        InputError: the file cannot be read, is empty, repeats a word, or spells
            one with other tokens.
    """
    words: dict[str, int] = {}
    for number, line in enumerate(read_lines(path, "a lexicon, one word a line"), 1):
        if not line.strip():
            continue
        word, *spelling = line.split()
        spelled = "".join(spelling).removesuffix("|")
        if spelling and spelled != word:
            raise InputError(
                f"{path}:{number}: {word!r} is spelled {' '.join(spelling)!r}, "
                "expected its own characters; only they are tokens here: correct the "
                "line, or leave the word alone on it"
            )
        if word in words:
            raise InputError(
                f"{path}:{number}: {word!r} stands in line {words[word]} already; "
                "remove one"
            )
        words[word] = number
    if not words:
        raise InputError(f"{path}: holds no words, expected one a line")
    return list(words)
