"""Padding utterances to a batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from speechgru.data.plan import PlannedBatch
from speechgru.interfaces import BLANK, Batch


@dataclass(frozen=True)
class Example:
    """One utterance, loaded.

    Attributes:
        id: of the utterance.
        waveform: (S,) float32 at the model's rate.
        targets: (U,) int64 token ids; empty where none are wanted.
        reference: normalised transcript.
    """

    id: str
    waveform: Tensor
    targets: Tensor
    reference: str


def collate(views: Sequence[Sequence[Example]], planned: PlannedBatch) -> Batch:
    """Pad examples on the right: waveforms with silence, targets with blank.

    Args:
        views: of each, the same utterances in the same order.
        planned: where in the epoch the batch belongs.
    """
    examples = [example for view in views for example in view]
    return Batch(
        ids=[example.id for example in examples],
        waveforms=pad_sequence([e.waveform for e in examples], batch_first=True),
        waveform_lengths=torch.tensor([len(e.waveform) for e in examples]),
        targets=pad_sequence(
            [e.targets for e in examples], batch_first=True, padding_value=BLANK
        ),
        target_lengths=torch.tensor([len(e.targets) for e in examples]),
        references=[example.reference for example in examples],
        num_views=len(views),
        step_size=planned.step_size * len(views),
        key=(planned.epoch, planned.step, planned.part),
    )
