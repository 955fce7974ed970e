"""How many output frames there are for each token: what CTC has to spare."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from speechgru.checkpoint.build import build
from speechgru.data.feasibility import frames_needed
from speechgru.data.utterances import select, texts_of
from speechgru.factory import build_tokenizer
from speechgru.interfaces import InputError, Utterance
from speechgru.options.training import TrainOptions

MOST_SPELLED = 20_000
"""Utterances whose tokens are counted, evenly over all."""

FAST = 0.05
"""Share of the utterances, those spoken fastest, by which frames are chosen."""


@dataclass(frozen=True)
class Slack:
    """What CTC has to spare.

    Attributes:
        frame: ms from one output frame to the next.
        tokens_per_second: over all that were counted.
        tight: output frames for each frame that CTC needs, which all but the fastest
            twentieth of the utterances have.
        too_short: utterances that cannot be aligned.
        counted: utterances.
    """

    frame: float
    tokens_per_second: float
    tight: float
    too_short: int
    counted: int

    def describe(self) -> str:
        """In words."""
        said = (
            f"{self.tokens_per_second:.1f} tokens a second; frames of "
            f"{self.frame:g} ms leave the fastest twentieth {self.tight:.1f} frames a "
            "token"
        )
        if self.too_short:
            said += f"; {self.too_short} of {self.counted} utterances cannot be aligned"
        return said


@dataclass(frozen=True)
class Spelled:
    """Utterances that have tokens, or a part of many.

    Attributes:
        seconds: s, of each.
        needed: frames that CTC needs for each.
        num_tokens: in all.
    """

    seconds: Sequence[float]
    needed: Sequence[int]
    num_tokens: int


def spell(options: TrainOptions, utterances: Sequence[Utterance]) -> Spelled:
    """Cut texts into tokens, which are learnt from them where they have to be.

    Args:
        options: of the training, whose tokens they are.
        utterances: to train on.

    Raises:
        InputError: none has tokens.
    """
    tokenizer = build_tokenizer(options.text, texts_of(utterances), options.trust)
    step = -(-len(utterances) // MOST_SPELLED)
    seconds, needed, num_tokens = [], [], 0
    for utterance in select(utterances, range(0, len(utterances), step)):
        try:
            token_ids = tokenizer.encode(utterance.text)
        except InputError:  # the doctor names it
            continue
        if token_ids:
            seconds.append(utterance.duration)
            needed.append(frames_needed(token_ids))
            num_tokens += len(token_ids)
    if not needed:
        raise InputError("no utterance has tokens, expected some; see speechgru doctor")
    return Spelled(seconds, needed, num_tokens)


def measure_slack(options: TrainOptions, spelled: Spelled) -> Slack:
    """Count output frames.

    Args:
        options: of the training, whose frames they are.
        spelled: the utterances.
    """
    features = build(options.features.to_plain(), "features", options.trust)
    subsampling = build(
        options.subsampling.to_plain(),
        "subsampling",
        options.trust,
        input_size=features.output_size,
    )
    rate = features.sample_rate
    samples = torch.tensor([round(each * rate) for each in spelled.seconds])
    window = getattr(features, "n_fft", 1)
    lengths = subsampling.output_lengths(
        features.output_lengths(samples.clamp(min=window))
    )
    ratio = lengths.numpy() / np.array(spelled.needed)
    minute = torch.tensor([60 * rate])
    frames = int(subsampling.output_lengths(features.output_lengths(minute))[0])
    return Slack(
        frame=round(60_000 / frames, 1),
        tokens_per_second=spelled.num_tokens / sum(spelled.seconds),
        tight=float(np.quantile(ratio, FAST)),
        too_short=int((ratio < 1).sum()),
        counted=len(spelled.needed),
    )
