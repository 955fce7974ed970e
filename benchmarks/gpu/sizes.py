"""How much is measured: on a GPU, or in a dry run on a CPU."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """What is trained, and for how long.

    Attributes:
        device: "cuda" or "cpu".
        is_dry_run: whether numbers only show that they can be had.
        hidden_sizes: units per direction; the last is that of the details.
        num_layers: of every encoder but a recipe's.
        batches: s of padded audio of a step; that in the middle is of the details.
        precisions: see `rounding.py`.
        longest: s, of the longest utterance.
        num_files: of audio; utterances share them.
        warmup: steps before anything is timed.
        num_windows: that are timed; a figure is the median of them.
        window: steps between two looks at the clock.
        num_profiled: steps that are taken apart afterwards.
        transcribed: s of audio that is transcribed.
        first_batch: s, of the first try for the largest batch.
        recipe_batch: s of padded audio of a recipe's step; None: as it says.
        num_lines: of a manifest that is read and planned.
        host_seconds: CPU time for each stage of loading.
        an4: overrides of AN4's recipe.
        tests: how pytest chooses.
    """

    device: str
    is_dry_run: bool
    hidden_sizes: tuple[int, ...]
    num_layers: int
    batches: tuple[float, ...]
    precisions: tuple[str, ...]
    longest: float
    num_files: int
    warmup: int
    num_windows: int
    window: int
    num_profiled: int
    transcribed: float
    first_batch: float
    recipe_batch: float | None
    num_lines: int
    host_seconds: float
    an4: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def num_steps(self) -> int:
        """Of one training."""
        return self.warmup + self.num_windows * self.window + self.num_profiled

    @property
    def half_precision(self) -> str:
        """What a GPU is to be trained in."""
        return "bf16-mixed"

    @property
    def middle_batch(self) -> float:
        """Of the details, s."""
        return self.batches[len(self.batches) // 2]


GPU = Sizes(
    device="cuda",
    is_dry_run=False,
    hidden_sizes=(800, 1024),
    num_layers=5,
    batches=(500.0, 1000.0, 2000.0),
    precisions=("fp32", "tf32", "bf16-mixed", "16-mixed"),
    longest=16.5,  # as of LibriSpeech's training utterances
    num_files=96,
    warmup=4,
    num_windows=5,
    window=3,
    num_profiled=3,
    transcribed=1800.0,
    first_batch=2000.0,
    recipe_batch=None,
    num_lines=1_000_000,
    host_seconds=2.0,
    an4=("trainer=gpu", "trainer.precision=bf16-mixed"),
    tests=("-m", "gpu"),
)

DRY_RUN = Sizes(
    device="cpu",
    is_dry_run=True,
    hidden_sizes=(8,),
    num_layers=2,
    batches=(8.0,),
    precisions=("fp32", "bf16-mixed"),
    longest=2.0,
    num_files=4,
    warmup=1,
    num_windows=2,
    window=1,
    num_profiled=1,
    transcribed=4.0,
    first_batch=4.0,
    recipe_batch=8.0,
    num_lines=200,
    host_seconds=0.0,
    an4=("trainer.max_epochs=1", "data.max_train=8", "encoder.hidden_size=8"),
    tests=("-m", "not gpu and not slow"),
)
