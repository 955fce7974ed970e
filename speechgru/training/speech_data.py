"""The utterances that an acoustic model is trained on and validated on."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
from torch import Tensor

from speechgru.audio import duration_tolerance
from speechgru.data.augment.chain import Chain
from speechgru.data.dataset import SpeechDataset
from speechgru.data.drawn_targets import draw_targets
from speechgru.data.feasibility import FewestSamples
from speechgru.data.plan import BatchPlan
from speechgru.data.randomness import keyed_seed
from speechgru.data.shards.stored_files import StoredFiles
from speechgru.data.utterances import durations_of, select
from speechgru.data.wordless import Wordless
from speechgru.interfaces import Tokenizer, Utterance
from speechgru.training.datamodule import PlannedDataModule


class SpeechDataModule(PlannedDataModule):
    """Plan and load batches of utterances.

    Args:
        train: utterances to train on.
        dev: utterances to validate on, never augmented; none: no validation.
        tokenizer: makes the targets.
        sample_rate: Hz, of the model.
        batch_seconds: s of padded audio per optimiser step, over all
            processes and accumulated batches.
        num_buckets: see BatchPlan.
        num_workers: loading processes; 0 loads in the training process.
        resample: convert training data of other rates, instead of an error.
        augment: waveform augmentation of the training data.
        num_views: of each training utterance in its batch; all count in
            batch_seconds.
        wordless: utterances without words to train on, for each with words.
        window: files that are mixed at a time, where many utterances lie in one.
        cache_size: GB of such files from addresses that are kept on this machine.
        seed: of the run.
        output_lengths: (B,) samples to (B,) output frames of the model, so that
            augmentation speeds nothing up too much, and a tokenizer that draws how
            it spells draws nothing too long; None: the one may, the other draws not.
        options: see `PlannedDataModule`.
    """

    def __init__(
        self,
        train: Sequence[Utterance],
        dev: Sequence[Utterance],
        tokenizer: Tokenizer,
        sample_rate: int,
        batch_seconds: float,
        num_buckets: int,
        num_workers: int | Literal["auto"],
        resample: bool,
        augment: Chain,
        num_views: int,
        wordless: float,
        window: int,
        cache_size: float,
        seed: int,
        output_lengths: Callable[[Tensor], Tensor] | None = None,
        **options: Any,
    ) -> None:
        self._cache_size = cache_size
        planned = augment.plan(train)
        silent = Wordless(wordless, planned, sample_rate, seed)
        stored, stored_dev = StoredFiles.find(train), StoredFiles.find(dev)
        mixed = stored and stored.mix(window, seed, len(silent))
        fewest_samples, drawn = None, None
        if output_lengths is not None and len(train):
            longest = float(planned.max())
            longest += duration_tolerance(longest)
            longest *= augment.most_joined
            fewest_samples = FewestSamples(output_lengths, int(longest * sample_rate))
            drawn = draw_targets(tokenizer, seed, fewest_samples)
        super().__init__(
            SpeechDataset(
                train,
                tokenizer,
                sample_rate,
                resample,
                augment,
                num_views,
                silent,
                fewest_samples=fewest_samples,
                read_ahead=stored and stored.read_ahead(mixed, cache_size),
                draw_targets=drawn,
            ),
            SpeechDataset(
                dev,
                tokenizer,
                sample_rate,
                resample,
                read_ahead=stored_dev and stored_dev.read_ahead(None, cache_size),
            ),
            np.concatenate([planned, silent.durations]),
            durations_of(dev),
            train_batch=batch_seconds / num_views,
            dev_batch=batch_seconds,
            num_buckets=num_buckets,
            num_workers=num_workers,
            seed=seed,
            window=mixed,
            num_joined=augment.num_joined if augment.most_joined > 1 else None,
            **options,
        )

    def sample_waveforms(self, num_utterances: int) -> Iterator[tuple[Tensor, Tensor]]:
        """A seeded sample of the training data, unaugmented, for statistics.

        Yields:
            (1, S) waveforms with (1,) lengths in samples.
        """
        data = self.train_data
        generator = random.Random(keyed_seed("statistics", self.seed))
        some = data.utterances
        if self.window is not None:  # of few files, each of which is a sample
            early = self.window.order(epoch=0)[: self.window.at_once]
            files = self.window.files[: len(some)]
            some = select(some, np.flatnonzero(np.isin(files, early)))
        count = min(num_utterances, len(some))
        chosen = generator.sample(some, count)
        stored = StoredFiles.find(chosen)
        plain = SpeechDataset(
            chosen,
            data.tokenizer,
            data.sample_rate,
            data.resample,
            read_ahead=stored and stored.read_ahead(None, self._cache_size),
        )
        for planned in BatchPlan(np.ones(count), batch_seconds=1.0):
            batch = plain[planned]
            yield batch.waveforms, batch.waveform_lengths
