"""Utterances from disk, loaded by the batch."""

import random
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset

from speechgru.audio import load_audio
from speechgru.data.batch import Example, collate
from speechgru.data.plan import PlannedBatch
from speechgru.data.randomness import keyed_seed
from speechgru.interfaces import Batch, InputError, Tokenizer, Utterance

Augment = Callable[[Tensor, random.Random], Tensor]


class SpeechDataset(Dataset):
    """Load a planned batch of utterances.

    Args:
        utterances: in any order; the plan's indices count in it.
        tokenizer: makes the targets.
        sample_rate: Hz, of the waveforms wanted.
        resample: convert other rates, instead of refusing them.
        augment: changes a training waveform; None leaves all as they are.
        seed: of the run; with epoch and utterance id, it keys the augmentation.
        with_targets: False for scoring only: a reference may then hold
            characters that the model has no token for.
    """

    def __init__(
        self,
        utterances: Sequence[Utterance],
        tokenizer: Tokenizer,
        sample_rate: int,
        resample: bool = False,
        augment: Augment | None = None,
        seed: int = 0,
        with_targets: bool = True,
    ) -> None:
        self.utterances = list(utterances)
        self.tokenizer = tokenizer
        self.sample_rate = sample_rate
        self.resample = resample
        self.augment = augment
        self.seed = seed
        self.with_targets = with_targets

    def __len__(self) -> int:
        """Number of utterances."""
        return len(self.utterances)

    def __getitem__(self, planned: PlannedBatch) -> Batch:
        """Load, augment and pad the utterances of one planned batch."""
        examples = [
            self.load(self.utterances[index], planned.epoch)
            for index in planned.indices
        ]
        return collate(examples, planned)

    def load(self, utterance: Utterance, epoch: int) -> Example:
        """Load one utterance as it sounds in an epoch.

        Raises:
            InputError: names the utterance.
        """
        waveform = load_audio(
            utterance.audio_path,
            self.sample_rate,
            self.resample,
            utterance.offset,
            utterance.duration if utterance.partial else None,
        )
        if self.augment is not None:
            key = keyed_seed("augment", self.seed, epoch, utterance.id)
            waveform = self.augment(waveform, random.Random(key))
        try:
            reference = self.tokenizer.normalize(utterance.text)
            targets = self.tokenizer.encode(reference) if self.with_targets else []
        except InputError as error:
            raise InputError(f"{utterance.id}: {error}") from error
        # An empty list alone would make floats.
        targets = torch.tensor(targets, dtype=torch.long)
        return Example(utterance.id, waveform, targets, reference)
