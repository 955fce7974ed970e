"""Utterances from disk, loaded by the batch."""

from collections.abc import Sequence

import torch
from torch.utils.data import Dataset

from speechgru.audio import resample_audio, wrong_sample_rate
from speechgru.data.augment.chain import Chain
from speechgru.data.batch import Example, collate
from speechgru.data.drawn_targets import DrawnTargets
from speechgru.data.feasibility import FewestSamples
from speechgru.data.joining import Joiner
from speechgru.data.plan import PlannedBatch
from speechgru.data.segments import SegmentReader
from speechgru.data.shards.read_ahead import ReadAhead
from speechgru.data.wordless import Wordless
from speechgru.interfaces import Batch, InputError, Tokenizer, Utterance


class SpeechDataset(Dataset):
    """Load a planned batch of utterances.

    Args:
        utterances: in any order; the plan's indices count in it.
        tokenizer: makes the targets.
        sample_rate: Hz, of the waveforms wanted.
        resample: convert other rates, instead of refusing them.
        augment: changes training waveforms; None leaves all as they are.
        num_views: of each utterance in its batch, augmented apart.
        wordless: utterances without words, which the plan counts behind the others.
        fewest_samples: that tokens can align with; augmentation makes no fewer. None:
            it does not care.
        with_targets: False for scoring only: a reference may then hold
            characters that the model has no token for.
        read_ahead: gets the files that utterances lie in ready.
        draw_targets: spells texts, in another way in every epoch; None: the
            tokenizer does, always alike.
    """

    def __init__(
        self,
        utterances: Sequence[Utterance],
        tokenizer: Tokenizer,
        sample_rate: int,
        resample: bool = False,
        augment: Chain | None = None,
        num_views: int = 1,
        wordless: Wordless | None = None,
        with_targets: bool = True,
        fewest_samples: FewestSamples | None = None,
        read_ahead: ReadAhead | None = None,
        draw_targets: DrawnTargets | None = None,
    ) -> None:
        self.utterances = utterances
        self.tokenizer = tokenizer
        self.sample_rate = sample_rate
        self.resample = resample
        self.augment = augment
        self.num_views = num_views
        self.wordless = wordless
        self.with_targets = with_targets
        self._read_ahead = read_ahead
        self.fewest_samples = fewest_samples
        self.draw_targets = draw_targets
        self._reader = SegmentReader()
        self._joiner: Joiner | None = None
        if augment is not None and augment.behind is not None:
            self._joiner = Joiner(
                augment,
                augment.behind,
                tokenizer,
                sample_rate,
                fewest_samples,
                draw_targets,
            )

    def __len__(self) -> int:
        """Number of utterances."""
        return len(self.utterances)

    def __getitem__(self, planned: PlannedBatch) -> Batch:
        """Load, augment and pad the utterances of one planned batch."""
        if self._read_ahead is not None:
            self._read_ahead.follow(planned)
        once = self.augment is None or self.augment.same_views
        views = [
            self._load_view(planned, view)
            for view in range(1 if once else self.num_views)
        ]
        return collate(views * self.num_views if once else views, planned)

    def _load_view(self, planned: PlannedBatch, view: int) -> list[Example]:
        epoch, size = planned.epoch, planned.num_joined
        examples = [self._load_planned(index, epoch, view) for index in planned.indices]
        if self._joiner is None:
            return examples
        return [
            self._joiner(examples[start : start + size], epoch, view)
            for start in range(0, len(examples), size)
        ]

    def _load_planned(self, index: int, epoch: int, view: int) -> Example:
        if index < len(self.utterances):
            return self.load(self.utterances[index], epoch, view)
        index -= len(self.utterances)
        waveform = self.wordless.load(index, epoch, view)
        no_targets = torch.empty(0, dtype=torch.long)
        return Example(f"wordless-{index}", waveform, no_targets, "")

    def load(self, utterance: Utterance, epoch: int, view: int = 0) -> Example:
        """Load one utterance as it sounds in a view of an epoch, before it is joined.

        Raises:
            InputError: names the utterance.
        """
        waveform, rate = self._reader.read(utterance)
        if rate != self.sample_rate and not self.resample:
            raise wrong_sample_rate(utterance.audio, rate, self.sample_rate)
        waveform = resample_audio(waveform, rate, self.sample_rate)
        try:
            reference = self.tokenizer.normalize(utterance.text)
            if self.draw_targets is not None:
                key = (epoch, utterance.id)
                token_ids = self.draw_targets(reference, key, len(waveform))
            else:
                token_ids = (
                    self.tokenizer.encode(reference) if self.with_targets else []
                )
        except InputError as error:
            raise InputError(f"{utterance.id}: {error}") from error
        if self.augment is not None:
            fewest = self.fewest_samples(token_ids) if self.fewest_samples else 0
            waveform = self.augment(waveform, epoch, utterance.id, view, fewest)
        # An empty list alone would make floats.
        targets = torch.tensor(token_ids, dtype=torch.long)
        return Example(utterance.id, waveform, targets, reference)
