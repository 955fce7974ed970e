"""Words as sequences of tokens."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from speechgru.interfaces import BLANK, InputError, PhoneticTokenizer, Tokenizer
from speechgru.text.normalize import describe_character
from speechgru.text.pronunciations import read_pronunciations
from speechgru.text.spelling import Spelling, find_spelling

ROOT = 0
REFUSED = -1
WITHIN, AT_END, BETWEEN = 0, 1, 2  # of words

NUM_TRIED = 100
"""Words that are looked at for how a text begins."""


class Lexicon:
    """The words that may be heard, as a trie that tokens walk along.

    Nodes are integers, 0 between words. A token may hold several characters, the
    first of which may be the space that ends a word. Words lead from node to node
    by the units of `Spelling`; where these are sounds, several may end at one.

    Dimensions: W words, N nodes, C tokens.

    Attributes:
        words: in order of their ids.
        spelled: their units.
        word_ids: (W,) int64, sorted by the nodes at which the words are complete.
        num_words: (N,) int64, that are complete at each node.
        parents: of the nodes, each lower than its node.
        unknown_node: that of all other words; -1 if there may be none.

    Args:
        words: as the tokenizer normalises text; each once, unless it has several
            pronunciations.
        tokenizer: of the tokens.
        open_vocabulary: whether other words may be heard as well; a node of
            their own stands for all of them.
        sounds: of each word, where tokens are sounds; of none, or (): as the tokenizer
            pronounces it.

    Raises:
        InputError: there are no words, or one that the tokens cannot spell.
    """

    def __init__(
        self,
        words: Iterable[str],
        tokenizer: Tokenizer,
        open_vocabulary: bool = False,
        sounds: Sequence[Sequence[str]] = (),
    ) -> None:
        self.words = tuple(words)
        if not self.words:
            raise InputError("the lexicon has no words, expected at least one")
        spaced = next((token for token in tokenizer.tokens if " " in token[1:]), None)
        if spaced is not None:
            raise InputError(
                f"the token {spaced!r} holds a space behind its first character, "
                "expected none for decoding with a lexicon; decode without one"
            )
        spelling = find_spelling(tokenizer)
        self.spelled = tuple(
            spell_word(word, tokenizer, spelling, given)
            for word, given in zip(self.words, sounds or repeat(()), strict=False)
        )
        trie = _Trie(spelling)
        ends = torch.tensor([trie.add(units) for units in self.spelled])
        self.unknown_node = len(trie.parents) if open_vocabulary else REFUSED
        self.parents = (*trie.parents, *[ROOT] * open_vocabulary)
        self.word_ids = ends.argsort(stable=True)
        self.num_words = ends.bincount(minlength=len(self.parents))
        # Few tokens lead on within a word, so only these are kept, node by node.
        sources, tokens, targets = torch.tensor(trie.steps).view(-1, 3).unbind(1)
        order = sources.argsort()
        self._tokens, self._targets = tokens[order], targets[order]
        counts = sources.bincount(minlength=len(self.parents))
        self._first = F.pad(counts.cumsum(0), (1, 0))
        self._rows = self._lay_rows(tokenizer, trie.begun)
        can_end = (self.num_words > 0) | open_vocabulary
        self._row = can_end.long()
        self._row[ROOT] = BETWEEN

    def _lay_rows(self, tokenizer: Tokenizer, begun: Mapping[int, int]) -> Tensor:
        """(3, C) where tokens lead that go on with no word: WITHIN, AT_END, BETWEEN."""
        rows = torch.full((3, len(tokenizer.tokens)), self.unknown_node)
        rows[:, BLANK] = REFUSED
        begins = torch.tensor([token[:1] == " " for token in tokenizer.tokens])
        rows[WITHIN, begins] = REFUSED
        for token, node in begun.items():
            rows[AT_END:, token] = node
        if " " in tokenizer.tokens:
            space = tokenizer.tokens.index(" ")
            rows[AT_END, space] = ROOT
            # Behind no word it would end none; but pieces of words may begin with it.
            begins_text = _begins_with_space(self.words, tokenizer)
            rows[BETWEEN, space] = ROOT if begins_text else REFUSED
        return rows

    def step(self, nodes: Tensor) -> Tensor:
        """Where every token leads.

        Args:
            nodes: (n,) int64.

        Returns:
            (n, C) int64 nodes; -1 where a token cannot follow.
        """
        reached = self._rows[self._row[nodes]]
        rows, steps = list_entries(self._first, nodes)
        reached[rows, self._tokens[steps]] = self._targets[steps]
        return reached


def list_entries(first: Tensor, nodes: Tensor) -> tuple[Tensor, Tensor]:
    """The entries of some nodes, in tables that keep those of each node together.

    Args:
        first: (N + 1,) int64, the place of the first entry of each node, and the end.
        nodes: (n,) int64.

    Returns:
        rows: (m,) int64, the place in `nodes` that each entry is of, in order.
        entries: (m,) int64, their places in the tables.
    """
    begins = first[nodes]
    counts = first[nodes + 1] - begins
    rows = torch.repeat_interleave(counts)
    return rows, torch.arange(len(rows)) + (begins - counts.cumsum(0) + counts)[rows]


class _Trie:
    """Words, unit by unit, and the tokens that lead from place to place in them.

    Attributes:
        parents: of the nodes.
        steps: node, token and next node, again and again, for all tokens that lead
            on within a word.
        begun: node behind each token that begins a word with its space.
    """

    def __init__(self, spelling: Spelling) -> None:
        self.parents = [ROOT]
        self.steps = array("q")
        self.begun: dict[int, int] = {}
        self._children: list[dict[str, int]] = [{}]
        self._tokens = {units: token for token, units in enumerate(spelling.units)}
        self._longest = max(map(len, spelling.units))

    def add(self, word: str) -> int:
        """Add a word, as units; return its last node."""
        path = [ROOT]
        for end, unit in enumerate(word, 1):
            children = self._children[path[-1]]
            if unit not in children:
                children[unit] = self._grow(path, word[:end])
            path.append(children[unit])
        return path[-1]

    def _grow(self, path: Sequence[int], units: str) -> int:
        """A new node at the end of a path, and what leads to it."""
        node = len(self.parents)
        self.parents.append(path[-1])
        self._children.append({})
        for begin in range(max(0, len(units) - self._longest), len(units)):
            token = self._tokens.get(units[begin:])
            if token is not None:
                self.steps.extend((path[begin], token, node))
        token = self._tokens.get(f" {units}")
        if token is not None:
            self.begun[token] = node
        return node


def _begins_with_space(words: Sequence[str], tokenizer: Tokenizer) -> bool:
    """Whether also the first word of a text begins with its space."""
    first = (tokenizer.encode(word)[0] for word in words[:NUM_TRIED])
    return all(tokenizer.tokens[token_id].startswith(" ") for token_id in first)


def spell_word(
    word: str, tokenizer: Tokenizer, spelling: Spelling, sounds: Sequence[str]
) -> str:
    """The units of a word. Raises InputError: it cannot be heard."""
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
    units = spelling(word, sounds)
    foreign = next((unit for unit in units if unit not in spelling.known), None)
    if foreign is not None:
        raise InputError(
            f"the word {word!r} holds {describe_character(foreign)}, which is in "
            "none of the model's tokens; remove the word, or make the language model "
            "with the model's text options by speechgru lm checkpoint=CHECKPOINT"
        )
    return units


def read_lexicon(
    path: str | Path, tokenizer: Tokenizer
) -> tuple[list[str], list[Sequence[str]]]:
    """Read words, one a line, perhaps with the tokens that spell each.

    The format is flashlight's: the word, white space, its tokens. These must be the
    word's own characters, after which | may stand for the space; where tokens are
    sounds, they may be any of these, and a word may have several pronunciations.

    Args:
        path: of the file.
        tokenizer: of the tokens.

    Returns:
        The words, and the sounds of each, none if the tokenizer knows them.

    Raises:
        InputError: the file cannot be read, is empty, repeats a line, or spells
            a word with other tokens.
    """
    phonetic = isinstance(tokenizer, PhoneticTokenizer)
    found: dict[tuple[str, ...], int] = {}
    for number, word, spelling in read_pronunciations(path):
        line = f"{path}:{number}: {word!r}"
        if phonetic:
            _check_sounds(line, spelling, tokenizer)
            entry = (word, *spelling)
        else:
            _check_characters(line, word, spelling)
            entry = (word,)
        if entry in found:
            raise InputError(
                f"{line} stands in line {found[entry]} already; remove one"
            )
        found[entry] = number
    if not found:
        raise InputError(f"{path}: holds no words, expected one a line")
    return [word for word, *_ in found], [sounds for _, *sounds in found]


def _check_characters(line: str, word: str, spelling: Sequence[str]) -> None:
    """See that a word is spelled by its characters. Raises InputError."""
    if spelling and "".join(spelling).removesuffix("|") != word:
        raise InputError(
            f"{line} is spelled {' '.join(spelling)!r}, "
            "expected its own characters; only they are tokens here: correct the "
            "line, or leave the word alone on it"
        )


def _check_sounds(line: str, sounds: Sequence[str], tokenizer: Tokenizer) -> None:
    """See that sounds are tokens. Raises InputError."""
    known = {token.strip() for token in tokenizer.tokens[1:]}
    foreign = next((sound for sound in sounds if sound not in known), None)
    if foreign is not None:
        raise InputError(
            f"{line} sounds like {' '.join(sounds)!r}, but {foreign!r} is not among "
            f"the {len(known)} sounds of the model, expected some of these: "
            f"{' '.join(sorted(known))}; correct the line, or leave the word alone on "
            "it"
        )
