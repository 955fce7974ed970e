"""A recording of any length, scored as a whole in memory that does not grow with it.

Features are computed block by block; a normalisation of the whole recording is settled
on them while they lie on the disk. The encoder goes from layer to layer, each of which
reads all frames from the disk and writes its own.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from speechgru.blocks import BlockStage, Chain, Each, agrees, run_through
from speechgru.features.normalize import BlockNorm
from speechgru.interfaces import InputError
from speechgru.model.acoustic import AcousticModel
from speechgru.model.encoders.contract import LongEncoder
from speechgru.scratch import Rows, Scratch

BLOCK = 1024
"""Output frames that are in memory together; 41 s where there are 25 a second."""


def hears_long(model: AcousticModel) -> bool:
    """Whether every stage can go through a recording block by block."""
    needed: tuple[tuple[object, type, str], ...] = (
        (model.features, BlockStage, "by_blocks"),
        (model.normalize, BlockNorm, "settle"),
        (model.subsampling, BlockStage, "by_blocks"),
        (model.encoder, LongEncoder, "encode_rows"),
    )
    return all(
        isinstance(stage, protocol) and agrees(stage, method)
        for stage, protocol, method in needed
    )


def needed_scratch(model: AcousticModel, num_samples: int) -> int:
    """Bytes on the disk that `score_long` holds at once, at most.

    The log-probabilities, if the caller keeps them, are included.
    """
    samples = torch.tensor([num_samples])
    num_frames = int(model.features.output_lengths(samples))
    num_outputs = int(model.output_lengths(samples))
    features = num_frames * model.features.output_size * model.normalize.hears_all
    inputs = num_outputs * model.subsampling.output_size
    encoded = num_outputs * model.encoder.output_size
    scores = num_outputs * model.head.out_features
    stages = (features, inputs, encoded, encoded, scores)
    return 4 * max(map(sum, pairwise(stages)))


@torch.no_grad()
def score_long(
    model: AcousticModel,
    waveforms: Iterable[Tensor],
    scratch: Scratch,
    block: int = BLOCK,
) -> Iterator[Tensor]:
    """Score every token at every output frame, as a call of the model would.

    Args:
        model: one that `hears_long`, in eval mode.
        waveforms: (1, S) float32 at the model's rate, one block after another.
        scratch: for frames in between.
        block: output frames that are in memory together.

    Yields:
        (1, T, C) float32 natural log-probabilities, T up to `block`.

    Raises:
        InputError: there is not one output frame, or no room for the frames.
    """
    inputs = _encoder_inputs(model, waveforms, scratch, block)
    if not len(inputs):
        raise InputError("no output frame, expected at least one; record more")
    for encoded in model.encoder.encode_rows(inputs, scratch, block).blocks(block):
        yield model.log_probs(encoded)


def _encoder_inputs(
    model: AcousticModel, waveforms: Iterable[Tensor], scratch: Scratch, block: int
) -> Rows:
    """(T, F) what the encoder receives, of (1, S) blocks of a recording."""
    block *= model.subsampling.factor
    samples = _split(waveforms, block * model.features.hop_length)
    features = run_through(
        model.features.by_blocks(), (each.to(scratch.device) for each in samples)
    )
    heard: Rows | None = None
    if model.normalize.hears_all:
        heard = scratch.rows(model.features.output_size)
        for frames in features:
            heard.append(frames[0])
        if not len(heard):
            return heard
        normalize = model.normalize.settle(heard.blocks(block))
        features = iter(heard.blocks(block))
    else:
        normalize = model.normalize.settle(())
    stages = Chain([Each(normalize), model.subsampling.by_blocks()])
    inputs = scratch.rows(model.subsampling.output_size)
    for frames in run_through(stages, features):
        inputs.append(frames[0])
    if heard is not None:
        heard.close()
    return inputs


def _split(waveforms: Iterable[Tensor], size: int) -> Iterator[Tensor]:
    for waveform in waveforms:
        yield from waveform.split(size, dim=1)
