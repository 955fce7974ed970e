"""A data module as training sets it up, on so many processes, without a trainer."""

from types import SimpleNamespace
from typing import Any

from speechgru.data.augment.chain import Chain
from speechgru.options.training import TrainerOptions
from speechgru.training.length import Length
from speechgru.training.speech_data import SpeechDataModule


def make_module(
    train, dev, tokenizer, num_workers=0, rank=0, num_ranks=1, **options: Any
) -> SpeechDataModule:
    """Batches of 2 s at 8 kHz, one bucket, nothing augmented."""
    module = SpeechDataModule(
        train,
        dev,
        tokenizer,
        sample_rate=8000,
        batch_seconds=2,
        num_buckets=1,
        num_workers=num_workers,
        resample=False,
        augment=Chain({}, 0),
        num_views=1,
        seed=1,
        accumulate=1,
        length=Length(TrainerOptions()),
        **{"window": 2, "cache_size": 1.0, "wordless": 0.0} | options,
    )
    module.trainer = SimpleNamespace(
        world_size=num_ranks,
        global_rank=rank,
        is_global_zero=rank == 0,
        num_devices=num_ranks,
        strategy=SimpleNamespace(root_device=SimpleNamespace(type="cpu")),
    )
    return module
