"""The options of `speechgru train` and of its groups; conf/train.yaml and beside it."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from speechgru.options.choices import chosen, default_data_dir
from speechgru.options.component import Component
from speechgru.options.durations import duration, to_seconds
from speechgru.options.fields import Options, option
from speechgru.options.rules import devices, modules, nodes, place, precision, workers
from speechgru.ranges import (
    ANY_COUNT,
    COUNT,
    EPOCHS,
    GIGABYTES,
    HOURS,
    INTERVAL,
    PROBABILITY,
    SECONDS,
    SEED,
    THREADS,
    OptionError,
    whole,
)


@dataclass(frozen=True, kw_only=True)
class DataOptions(Options):
    """What is trained on, and how it is dealt out.

    Attributes:
        train_split, dev_split: of the corpus.
        fold: e.g. "1/4": of both splits, hold out other speakers as dev; "all":
            nobody, without validation; None: the splits as they are.
        batch_seconds: s of padded audio per optimiser step, over all processes and
            accumulated batches.
        per_process: batch_seconds and batch_tokens are those of each process and
            accumulated batch: more of them make larger steps.
        steps_per_epoch: optimiser steps between two validations; None: a pass over the
            training data.
        batch_tokens: of padded text per optimiser step, of a language model.
        texts: files of one sentence a line to train a language model on as well.
        num_buckets: of like durations, at most; fewer mix more and pad more.
        num_workers: loading processes; 0 loads in the training process; "auto": none
            on a CPU, else as many as there are cores for.
        window: files that are read at a time, where many utterances lie in one, as in
            shards; their utterances are mixed.
        cache_size: GB of shards from addresses that are kept on this machine.
        wordless: generated silence, noise, hum and clicks, for each utterance.
        augment: False: neither waveform augmentation nor SpecAugment, and no other
            vocal tracts.
        resample: convert audio of other rates, instead of an error.
        check: examine every file before training starts.
        on_error: "skip": count, list and leave out what cannot be used.
        train_hours: h of train, drawn at random, the same for all seeds, a smaller
            part within a larger; None: all.
        max_train, max_dev: utterances, the first ones; None: all.
    """

    name: ClassVar[str] = "data"

    train_split: str = "train"
    dev_split: str = "dev"
    fold: str | None = None
    batch_seconds: float = option(60.0, within=SECONDS)
    batch_tokens: int = option(2000, within=COUNT)
    per_process: bool = option(False, later=True)
    steps_per_epoch: int | None = option(None, within=COUNT, later=True)
    texts: tuple[Path, ...] = ()
    num_buckets: int = option(30, within=COUNT)
    num_workers: int | str = option("auto", rule=workers)
    window: int = option(8, within=COUNT, later=True)
    cache_size: float = option(100.0, within=GIGABYTES, later=True)
    wordless: float = option(0.0, within=PROBABILITY, later=True)
    augment: bool = True
    resample: bool = False
    check: bool = True
    on_error: Literal["raise", "skip"] = "raise"
    train_hours: float | None = option(None, within=HOURS, later=True)
    max_train: int | None = option(None, within=COUNT)
    max_dev: int | None = option(None, within=COUNT)

    @property
    def validates_on_train(self) -> bool:
        """Whether dev is what is trained on, to see whether a model can learn."""
        return self.dev_split == self.train_split and self.fold is None


@dataclass(frozen=True, kw_only=True)
class CallbackOptions(Options):
    """What happens around training.

    Attributes:
        best: what makes a checkpoint the best, by the lowest on dev; None: "wer",
            of a language model "loss".
        save_every: s between checkpoints within an epoch.
        save_every_steps: optimiser steps between them; None: only save_every decides.
        draw_every: s between pictures of the learning curves, at least.
        keep_every: epochs between checkpoints that stay; None: best and last only.
        early_stopping_patience: epochs without a lower score; None: never stop.
        profile_steps: optimiser steps whose parts are timed; None: none are.
    """

    name: ClassVar[str] = "callbacks"

    best: Literal["wer", "cer", "loss"] | None = option(None, later=True)
    save_every: float = option(300.0, within=INTERVAL)
    save_every_steps: int | None = option(None, within=COUNT, later=True)
    draw_every: float = option(60.0, within=INTERVAL)
    keep_every: int | None = option(None, within=EPOCHS)
    early_stopping_patience: int | None = option(None, within=ANY_COUNT)
    profile_steps: int | None = option(None, within=COUNT, later=True)


@dataclass(frozen=True, kw_only=True)
class LoggerOptions(Options):
    """What is logged besides the text.

    Attributes:
        csv: metrics/, and curves.png.
        tensorboard: for TensorBoard.
        wandb: Weights & Biases: "offline" writes to wandb/ of the working directory,
            "online" sends it to a server as well.
        mlflow: a folder that MLflow writes to, or the address of its server.
        project: in which both list the run.
    """

    name: ClassVar[str] = "logger"

    csv: bool = True
    tensorboard: bool = True
    wandb: Literal["offline", "online"] | None = option(None, later=True)
    mlflow: str | None = option(None, rule=place, later=True)
    project: str = option("speechgru", later=True)


@dataclass(frozen=True, kw_only=True)
class TrainerOptions(Options):
    """On what is trained, and for how long.

    Attributes:
        accelerator: "cpu", "gpu" or "auto".
        devices: processes or GPUs of each node; "auto": what was started from
            outside, or else one on a CPU, all GPUs.
        num_nodes: machines; "auto": those on which processes were started.
        launcher: "torchrun" or "slurm", which must have started this process; None:
            whatever has.
        strategy: "auto", or "ddp" for several processes.
        precision: "32-true", "bf16-mixed" or "16-mixed".
        max_epochs: passes over the training data, or as many times
            data.steps_per_epoch.
        max_steps: optimiser steps of the run, whatever max_epochs says; None: that
            decides.
        max_time: how long training may take, whatever max_epochs says, e.g. "2h",
            "1h30m", "1:30:00", or a number of minutes: the first steps are measured,
            and then the length of the run and its schedule are fixed.
        deterministic: take kernels whose sums come in the same order every time,
            wherever torch has some; CTC is computed on the host, also of a GPU.
        accumulate: batches per optimiser step, which split data.batch_seconds.
        timeout: s that processes wait for each other within a step, before the run
            ends with an error.
        num_threads: per process; more are often slower on a busy machine.
        log_every_n_steps: steps between two lines of metrics.
    """

    name: ClassVar[str] = "trainer"

    accelerator: str = "cpu"
    devices: int | str | tuple[int, ...] = option("auto", rule=devices)
    num_nodes: int | str = option("auto", rule=nodes, later=True)
    launcher: Literal["torchrun", "slurm"] | None = option(None, later=True)
    strategy: str = "auto"
    precision: str | int = option("32-true", rule=precision)
    max_epochs: int = option(100, within=EPOCHS)
    max_steps: int | None = option(None, within=EPOCHS, later=True)
    max_time: str | int | float | None = option(None, rule=duration, later=True)
    deterministic: bool = option(False, later=True)
    accumulate: int = option(1, within=whole(1, 1_000_000))
    timeout: float = option(600.0, within=SECONDS, later=True)
    num_threads: int = option(1, within=THREADS)
    log_every_n_steps: int = option(10, within=COUNT)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_time is not None and self.max_steps is not None:
            raise OptionError(
                f"trainer.max_time is {self.max_time!r} and trainer.max_steps "
                f"{self.max_steps}: both say how long the run is; set one of them to "
                "null"
            )

    @property
    def max_seconds(self) -> float | None:
        """max_time in s."""
        if self.max_time is None:
            return None
        return to_seconds("trainer.max_time", self.max_time)


@dataclass(frozen=True, kw_only=True)
class TrainOptions(Options):
    """What is trained, on what and how.

    Attributes:
        corpus: whose splits `data` names; `choose("corpus", "manifest", train=...,
            dev=...)` takes manifests.
        data, trainer, callbacks, logger: see their classes.
        augment: waveform augmentation by name, in this order.
        text: the tokenizer.
        features, normalize, spec_augment, subsampling, encoder: the model's parts.
        task: the loss and how it is minimised.
        decoder: of the texts that dev is scored by.
        word_map: what their words count as; none: as themselves.
        seed: of everything.
        data_dir, runs_dir: where corpora and runs lie.
        init_from: checkpoint to fine-tune; it brings its model and treatment of text.
        trust: modules of the user's own whose classes may be built.
    """

    name: ClassVar[str] = "train"
    is_command: ClassVar[bool] = True

    seed: int = option(1, within=SEED)
    data_dir: Path = option(make=default_data_dir)
    runs_dir: Path = Path("runs")
    init_from: Path | None = None
    trust: tuple[str, ...] = option((), rule=modules)
    corpus: Component
    data: DataOptions = option(make=DataOptions)
    augment: dict[str, Component] = option(make=dict)
    text: Component = option(make=chosen("text", "characters"))
    features: Component = option(make=chosen("features", "log_mel"))
    normalize: Component = option(make=chosen("normalize", "global"))
    spec_augment: Component = option(make=chosen("spec_augment", "masks"))
    subsampling: Component = option(make=chosen("subsampling", "conv1d"))
    encoder: Component = option(make=chosen("encoder", "gru"))
    task: Component = option(make=chosen("task", "ctc"))
    decoder: Component = option(make=chosen("decoder", "greedy"))
    word_map: Component = option(make=chosen("word_map", "none"), later=True)
    trainer: TrainerOptions = option(make=TrainerOptions)
    logger: LoggerOptions = option(make=LoggerOptions)
    callbacks: CallbackOptions = option(make=CallbackOptions)
