"""Training an acoustic model by connectionist temporal classification."""

import logging
from collections.abc import Iterable, Mapping
from functools import partial
from heapq import nsmallest
from typing import Any, ClassVar

import torch.distributed as dist
from torch import Tensor, nn

from speechgru.data.augment.on_device import DeviceChain
from speechgru.data.randomness import keyed_seed
from speechgru.interfaces import Batch, Decoder, Tokenizer
from speechgru.model.acoustic import AcousticModel
from speechgru.model.encoders.contract import LayeredEncoder
from speechgru.progress import track
from speechgru.ranges import OptionError, Range, check, whole
from speechgru.score.error_rate import ErrorRate
from speechgru.score.word_map import WordMap
from speechgru.training.label_priors import LabelPriors
from speechgru.training.losses import (
    competition_losses,
    consistency_losses,
    ctc_losses,
    prior_losses,
    smoothing_losses,
)
from speechgru.training.mean import Mean
from speechgru.training.task import TrainingTask
from speechgru.training.token_bigrams import TokenBigrams

log = logging.getLogger(__name__)


class CTCTask(TrainingTask):
    """Train by CTC, validate by the error rates of decoded text.

    Args:
        model, tokenizer: see `TrainingTask`.
        decoder: makes the text that is scored in validation.
        augment: waveform augmentation of training, on its device.
        word_map: what words count as in validation; None: as themselves.
        consistency: weight of the divergence between two views of each
            utterance; 0 trains on one view.
        smoothing: weight of the divergence from the uniform distribution.
        intermediate: weight of the CTC loss of the layers below the last, as
            a share of the whole.
        label_priors: power of the tokens' mean probabilities, as of the epoch before,
            by which those of the last layer are divided in the loss of training.
        mmi: weight of all other sequences of tokens in the loss of the last layer, from
            the second epoch on, once it is known which follow which: 0 is CTC, 1
            maximum mutual information, and between them a share of both.
        num_samples: decoded utterances that validation keeps for the log, drawn at
            random, the same in every epoch; of several processes the first one's.
        options: see `TrainingTask` and `Optimisation`.

    Source:
        CTC, consistency, smoothing, priors and MMI: see `training/losses.py`.
        Intermediate CTC: arXiv:2102.03216, here on all layers.
    """

    scores: ClassVar[dict[str, str]] = {
        "val/wer": "{:.2%}",
        "val/cer": "{:.2%}",
        "val/loss": "{:.3f}",
    }
    losses_per_token = ("train/loss_per_token", "val/loss_per_token")
    remedy = "run speechgru doctor, or lower task.learning_rate"

    def __init__(
        self,
        model: AcousticModel,
        tokenizer: Tokenizer,
        decoder: Decoder,
        *,
        augment: DeviceChain | None = None,
        word_map: WordMap | None = None,
        consistency: float = 0.0,
        smoothing: float = 0.0,
        intermediate: float = 0.0,
        label_priors: float = 0.0,
        mmi: float = 0.0,
        num_samples: int = 3,
        **options: Any,
    ) -> None:
        super().__init__(model, tokenizer, **options)
        check("consistency", consistency, Range(0, 100))
        check("smoothing", smoothing, Range(0, 1))
        check("intermediate", intermediate, Range(0, 1, below=True))
        check("label_priors", label_priors, Range(0, 1))
        check("mmi", mmi, Range(0, 1))
        check("num_samples", num_samples, whole(0, 1000))
        if intermediate and not isinstance(model.encoder, LayeredEncoder):
            raise OptionError(
                f"intermediate is {intermediate}, but the encoder "
                f"{type(model.encoder).__name__} does not show its layers; set "
                "task.intermediate=0, choose a recurrent encoder, or give yours walk "
                f"and finish ({LayeredEncoder.__module__}.LayeredEncoder)"
            )
        if not intermediate and getattr(model.encoder, "conditioning", None):
            raise OptionError(
                f"intermediate is {intermediate}, expected a number above 0 with "
                "encoder.self_conditioned=true: the layers below the last must learn "
                "what they tell the next; set task.intermediate=0.5"
            )
        if mmi and label_priors:
            raise OptionError(
                f"mmi is {mmi}, expected 0 with label_priors={label_priors}: its sum "
                "over all paths knows no priors; set one of them to 0"
            )
        self.decoder = decoder
        self.augment = augment or DeviceChain()
        self.word_map = word_map
        self.consistency = consistency
        self.smoothing = smoothing
        self.intermediate = intermediate
        self.label_priors = label_priors
        self.priors = None
        if label_priors:
            self.priors = LabelPriors(len(tokenizer.tokens))
        self.mmi = mmi
        self.bigrams = TokenBigrams(len(tokenizer.tokens)) if mmi else None
        self.num_samples = num_samples
        self.unheard = Mean()
        self.word_errors = ErrorRate("word")
        self.character_errors = ErrorRate("character")

    @property
    def num_views(self) -> int:
        """Of each utterance in a training batch."""
        return 2 if self.consistency else 1

    def filters(self) -> Iterable[nn.Parameter]:
        """See `TrainingTask`."""
        return self.model.subsampling.parameters()

    def describe_best(self, best: Mapping[str, float]) -> str:
        """Say how good the best checkpoint is, and warn if it is not good at all."""
        wer, cer = best["val/wer"], best["val/cer"]
        # Without spaces a transcript is one word, and hardly ever right.
        if wer >= 1 and (cer >= 1 or next(iter(best)) == "val/wer"):
            log.warning("no word was recognised; train longer, or try debug=overfit")
        return f"WER {100 * wer:.2f} %, CER {100 * cer:.2f} %"

    def on_fit_start(self) -> None:
        """Estimate the normalisation on the first process, for all of them."""
        if self.metadata.get("step") or self.metadata.get("init_from"):
            return  # the statistics came with the weights
        if self.trainer.is_global_zero:
            size = getattr(self.model.normalize, "num_utterances", 0)
            device_batches = (
                (waveforms.to(self.device), lengths)
                for waveforms, lengths in self.trainer.datamodule.sample_waveforms(size)
            )
            size = min(size, len(self.trainer.datamodule.train_sizes))
            sample = track(device_batches, "normalisation", "utterances", size)
            self.model.fit_normalization(sample)
        if self.trainer.world_size > 1:
            for buffer in self.model.normalize.buffers():
                dist.broadcast(buffer, src=0)

    def on_train_start(self) -> None:
        """Warn if there is no epoch to use what is learnt of the one before."""
        super().on_train_start()
        learnt = {"label_priors": self.label_priors, "mmi": self.mmi}
        for name, weight in learnt.items():
            if weight and self.trainer.max_epochs == 1:
                log.warning(
                    "task.%s counts from the second epoch on, and there is one: this "
                    "run trains by CTC alone; train for longer",
                    name,
                )

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Sum the losses of one part of a step."""
        with self.keyed(batch, batch.num_views):
            losses, total = self._losses(batch)
        self.watch_losses(total, batch.ids)
        self.log_train_loss(losses)
        self.log_loss_per_token("train", losses, batch.target_lengths)
        return self.share_of_step(total, batch.step_size)

    def _losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The losses of transcripts (B,), and with all that is added to them."""
        waveforms = self.augment(batch.waveforms, batch.waveform_lengths)
        *below, log_probs, output_lengths = self.model.score_layers(
            waveforms, batch.waveform_lengths, all_layers=self.intermediate > 0
        )
        if self.bigrams is not None:
            self.bigrams.begin(batch.key[0])
            self.bigrams.observe(batch)
        losses = total = self._transcript_losses(log_probs, output_lengths, batch)
        if self.priors is not None:
            self.priors.begin(batch.key[0])
            self.priors.observe(log_probs, output_lengths)
            total = prior_losses(
                log_probs,
                output_lengths,
                batch,
                self.priors.log_priors,
                self.label_priors,
            )
        if below:
            others = [ctc_losses(each, output_lengths, batch) for each in below]
            share = self.intermediate
            total = (1 - share) * total + share * sum(others) / len(others)
        if self.consistency:
            apart = consistency_losses(log_probs, output_lengths)
            total = total + self.consistency * apart
            self.log("train/consistency", apart.detach().mean(), batch_size=len(apart))
        if self.smoothing:
            total = total + self.smoothing * smoothing_losses(log_probs, output_lengths)
        return losses, total

    def _transcript_losses(
        self, log_probs: Tensor, output_lengths: Tensor, batch: Batch
    ) -> Tensor:
        """(B,) by CTC, or by what else could have been said, too."""
        losses = ctc_losses(log_probs, output_lengths, batch)
        if self.bigrams is None or not self.bigrams.are_known:
            return losses
        competition = competition_losses(log_probs, output_lengths, batch, self.bigrams)
        return losses + self.mmi * competition

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Take a step, and take it into the sums of the epoch."""
        super().optimizer_step(*args, **kwargs)
        reduce = partial(self.trainer.strategy.reduce, reduce_op="sum")
        for sums in (self.priors, self.bigrams):
            if sums is not None:
                sums.end_step(reduce)

    def on_validation_start(self) -> None:
        """Draw samples anew."""
        self.samples = []

    def _sample_key(self, sample: tuple[str, str, str]) -> int:
        """A random number of an utterance; those with the least are the samples.

        The epoch is not in the key: the same utterances in every epoch show what has
        been learnt since the last one.
        """
        return keyed_seed("sample", self.seed, sample[0])

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Decode and count errors."""
        log_probs, output_lengths = self.scored_model(
            batch.waveforms, batch.waveform_lengths
        )
        losses = self._transcript_losses(log_probs, output_lengths, batch)
        hypotheses = self.decoder(
            log_probs, output_lengths, self.tokenizer, self.model.seconds_per_frame
        )
        texts = [hypothesis.text for hypothesis in hypotheses]
        counted = [list(batch.references), texts]
        if self.word_map is not None:
            counted = [[*map(self.word_map, some)] for some in counted]
        self.word_errors.update(*counted)
        self.character_errors.update(*counted)
        triples = zip(batch.ids, batch.references, texts, strict=True)
        self.samples = nsmallest(
            self.num_samples, [*self.samples, *triples], key=self._sample_key
        )
        options = {"on_epoch": True, "batch_size": len(batch.ids)}
        self.val_loss.update(losses.sum(), len(losses))
        # Metrics that are logged as objects are summed over processes and
        # reset after every epoch.
        self.log("val/loss", self.val_loss, **options)
        self.log_loss_per_token("val", losses, batch.target_lengths)
        self.log("val/wer", self.word_errors, **options)
        self.log("val/cer", self.character_errors, **options)
        # A model without a thought is silent: all frames are blank.
        silent = [
            not text
            for reference, text in zip(batch.references, texts, strict=True)
            if reference
        ]
        if silent:
            self.unheard.update(sum(silent), len(silent))
        self.log("val/unheard", self.unheard, **options)
