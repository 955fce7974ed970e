"""Training utterances that are joined to one recording."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from speechgru.data.augment.chain import Chain
from speechgru.data.batch import Example
from speechgru.data.drawn_targets import DrawnTargets
from speechgru.data.feasibility import FewestSamples
from speechgru.interfaces import InputError, Tokenizer


class Joiner:
    """Joins examples, with pauses between them, and their transcripts.

    What comes behind the joining in the augmentation is done here, too.

    A pause is longer than it was drawn where the joined tokens could not align
    otherwise: a space between two transcripts is one more.

    Args:
        augment: of training, which joins.
        behind: what it does with what is joined.
        tokenizer: makes the targets.
        sample_rate: Hz.
        fewest_samples: that tokens can align with; None: it does not care.
        draw_targets: see `SpeechDataset`.
    """

    def __init__(
        self,
        augment: Chain,
        behind: Chain,
        tokenizer: Tokenizer,
        sample_rate: int,
        fewest_samples: FewestSamples | None,
        draw_targets: DrawnTargets | None,
    ) -> None:
        self.augment = augment
        self.behind = behind
        self.tokenizer = tokenizer
        self.sample_rate = sample_rate
        self.fewest_samples = fewest_samples
        self.draw_targets = draw_targets

    def __call__(self, examples: Sequence[Example], epoch: int, view: int) -> Example:
        """Join the examples of a view of an epoch; one alone stays as it is."""
        joined = examples[0] if len(examples) == 1 else self._join(examples, epoch)
        waveform = self.behind(joined.waveform, epoch, joined.id, view)
        return replace(joined, waveform=waveform)

    def _join(self, examples: Sequence[Example], epoch: int) -> Example:
        reference, token_ids = self._join_texts(examples)
        waveforms: list[Tensor] = []
        pauses = self._measure_pauses(examples, token_ids)
        for example, pause in zip(examples, pauses, strict=True):
            waveforms.append(example.waveform)
            if pause:
                waveforms.append(
                    self.augment.pause(example.waveform, pause, epoch, example.id)
                )
        waveform = torch.cat(waveforms)
        id = "+".join(example.id for example in examples)
        if self.draw_targets is not None:
            token_ids = self.draw_targets(reference, (epoch, id), len(waveform))
        targets = torch.tensor(token_ids, dtype=torch.long)
        return Example(id, waveform, targets, reference)

    def _join_texts(self, examples: Sequence[Example]) -> tuple[str, list[int]]:
        references = [example.reference for example in examples if example.reference]
        reference = " ".join(references)
        try:
            return reference, self.tokenizer.encode(reference) if references else []
        except InputError:  # it knows every character of theirs, but no space
            reference = "".join(references)
            return reference, self.tokenizer.encode(reference)

    def _measure_pauses(
        self, examples: Sequence[Example], token_ids: Sequence[int]
    ) -> list[int]:
        """Samples of the pause behind each example; none behind the last.

        None is drawn behind what has no words, which may be a pause itself.
        """
        seconds = [
            self.augment.pause_behind(example.id) if example.reference else 0.0
            for example in examples[:-1]
        ]
        pauses = [round(each * self.sample_rate) for each in seconds]
        if self.fewest_samples is not None:
            total = sum(len(example.waveform) for example in examples) + sum(pauses)
            missing = self.fewest_samples(token_ids) - total
            if 0 < missing < math.inf:
                pauses = [each + math.ceil(missing / len(pauses)) for each in pauses]
        return [*pauses, 0]
