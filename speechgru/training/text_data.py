"""The texts that a language model is trained on and validated on."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from speechgru.data.texts import TextDataset
from speechgru.interfaces import Tokenizer
from speechgru.training.datamodule import PlannedDataModule


class TextDataModule(PlannedDataModule):
    """Plan and load batches of texts, for a language model.

    Args:
        train: texts to train on, with their names.
        dev: texts to validate on; none: no validation.
        tokenizer: makes the tokens.
        batch_tokens: padded tokens of a training step.
        options: see `PlannedDataModule`.
    """

    def __init__(
        self,
        train: Sequence[tuple[str, str]],
        dev: Sequence[tuple[str, str]],
        tokenizer: Tokenizer,
        batch_tokens: int,
        **options: Any,
    ) -> None:
        train_data, dev_data = (TextDataset(some, tokenizer) for some in (train, dev))
        super().__init__(
            train_data,
            dev_data,
            np.array(train_data.lengths, dtype=np.float64),
            np.array(dev_data.lengths, dtype=np.float64),
            train_batch=batch_tokens,
            dev_batch=batch_tokens,
            num_buckets=8,
            num_workers=0,
            **options,
        )
