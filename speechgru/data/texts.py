"""Texts for a language model, by the batch."""

from collections.abc import Sequence

import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from speechgru.data.plan import PlannedBatch
from speechgru.files import read_lines
from speechgru.interfaces import BLANK, InputError, TextBatch, Tokenizer
from speechgru.progress import track


def read_sentences(paths: Sequence[str]) -> list[tuple[str, str]]:
    """Read text files of one sentence a line; names are file:line.

    Raises:
        InputError: a file cannot be read, or is not UTF-8.
    """
    return [
        (f"{path}:{number}", text)
        for path in paths
        for number, text in enumerate(read_lines(path, "text, one sentence a line"), 1)
        if text.strip()
    ]


class TextDataset(Dataset):
    """Tokens of texts, all in memory.

    Args:
        texts: each with its name.
        tokenizer: makes the tokens.

    Attributes:
        lengths: tokens of each text, its end included.

    Raises:
        InputError: a text that the tokens cannot spell, by its name.
    """

    def __init__(self, texts: Sequence[tuple[str, str]], tokenizer: Tokenizer) -> None:
        self.ids = [id for id, _ in texts]
        self.token_ids = []
        for id, text in track(texts, "reading texts", "sentences"):
            try:
                self.token_ids.append(torch.tensor(tokenizer.encode(text)).long())
            except InputError as error:
                raise InputError(f"{id}: {error}") from error
        self.lengths = [len(token_ids) + 1 for token_ids in self.token_ids]

    def __len__(self) -> int:
        """Number of texts."""
        return len(self.ids)

    def __getitem__(self, planned: PlannedBatch) -> TextBatch:
        """Pad the texts of one planned batch."""
        token_ids = [self.token_ids[index] for index in planned.indices]
        return TextBatch(
            ids=[self.ids[index] for index in planned.indices],
            token_ids=pad_sequence(token_ids, batch_first=True, padding_value=BLANK),
            lengths=torch.tensor([len(some) for some in token_ids]),
            step_size=planned.step_size,
            key=(planned.epoch, planned.step, planned.part),
        )
