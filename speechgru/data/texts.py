"""Texts for a language model, by the batch."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from speechgru.bounded import GZIP
from speechgru.data.plan import PlannedBatch
from speechgru.files import read_lines, reason
from speechgru.interfaces import BLANK, InputError, TextBatch, Tokenizer
from speechgru.progress import track


def read_sentences(paths: Sequence[str]) -> list[tuple[str, str]]:
    """Read text files of one sentence a line; names are file:line.

    Raises:
        InputError: a file cannot be read, or is not UTF-8.
    """
    return list(SentenceFiles(paths))


class SentenceFiles(Iterable[tuple[str, str]]):
    """Text files of one sentence a line, gone through line by line.

    Each item is the sentence behind its name, file:line. To iterate raises InputError:
    a file cannot be read, or is not UTF-8.

    Args:
        paths: of the files.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        # What is read of a pipe is gone.
        self._lines = {
            path: None if Path(path).is_file() else read_lines(path, KIND)
            for path in paths
        }

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """The sentences that are not empty."""
        for path, held in self._lines.items():
            lines = _open_lines(path) if held is None else held
            for number, text in enumerate(lines, 1):
                if text.strip():
                    yield f"{path}:{number}", text


KIND = "text, one sentence a line"


def _open_lines(path: str) -> Iterator[str]:
    """The lines of a file, be it of any size. Raises InputError."""
    with open(path, "rb") as file:
        is_packed = file.read(len(GZIP)) == GZIP
    if is_packed:
        yield from read_lines(path, KIND)
        return
    try:
        # Not split at U+2028 and others inside sentences.
        with open(path, encoding="utf-8-sig", newline="\n") as lines:
            for line in lines:
                yield line.rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read ({reason(error)}), expected {KIND} in UTF-8; "
            "correct the path, or save the file as UTF-8"
        ) from error


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
