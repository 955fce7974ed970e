"""Train, score and measure every encoder of the comparison, run by run.

Each finished run is one line of results.jsonl, and is not run again; a run
that was interrupted goes on where it was. `report.py` makes the table.
"""

import argparse
import fcntl
import json
import os
import platform
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from functools import cache
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from speechgru.audio import load_audio
from speechgru.checkpoint.description import MODEL_GROUPS
from speechgru.checkpoint.load import load_checkpoint
from speechgru.checkpoint.models import build_model
from speechgru.cli.config import compose_config, to_plain
from speechgru.data.corpora.corpus import Corpus
from speechgru.factory import build_corpus
from speechgru.interfaces import Tokenizer, Utterance
from speechgru.model.gradient_reach import gradient_reach
from speechgru.options.component import Component
from speechgru.score.error_rate import error_rate
from speechgru.score.learning import read_learning_curves
from speechgru.score.results import read_results

RESULTS = Path(__file__).parents[2] / "recipes/gru_vs_lstm/results.jsonl"
RUNS = Path("runs/gru_vs_lstm")

ENCODERS = {
    "fsdd-official": ("rnn", "lstm", "gru", "ligru", "mingru"),
    "fsdd-unseen": ("rnn", "lstm", "gru", "ligru", "mingru"),
    "an4": ("rnn", "lstm", "gru"),
}
SEEDS = (1, 2, 3)
# Equal parameters are compared everywhere, equal hidden size only here, and here
# seed 1 also tries other learning rates and lengths of training.
TRIALS = "fsdd-official"
LEARNING_RATES = (1.5e-3, 3e-3)
CHOSEN_RATES = {"rnn": 3e-3, "lstm": 3e-3, "gru": 3e-3, "ligru": 3e-3, "mingru": 3e-3}
LENGTHS = {
    0.5: ("rnn", "lstm", "gru", "ligru", "mingru"),
    2: ("rnn", "gru"),
}
LENGTHS_RATE = 3e-3
MAX_DISTANCE = 200  # frames
NUM_JOINED = 4  # waveforms, joined from utterances of dev, to follow gradients in
JOINED_SECONDS = 15  # s, at least, of each
SAMPLE_RATE = 16000  # Hz
NUM_TOKENS = 17  # of the digits; on AN4 a few more, for all encoders alike


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        corpus: a key of ENCODERS.
        encoder: a choice of conf/encoder.
        hidden_size: units per direction.
        seed: of everything.
        epochs: of training.
        learning_rate: the peak of the schedule.
    """

    corpus: str
    encoder: str
    hidden_size: int
    seed: int
    epochs: int
    learning_rate: float

    @property
    def folder(self) -> Path:
        """Of the run."""
        name = (
            f"{self.encoder}-{self.hidden_size}-{self.epochs}-epochs-"
            f"{self.learning_rate:g}"
        )
        return RUNS / self.corpus / name / f"s{self.seed}"

    @property
    def corpus_overrides(self) -> list[str]:
        """Choose the corpus, on any command."""
        name, _, partition = self.corpus.partition("-")
        chosen = [f"corpus.partition={partition}"] if partition else []
        return [f"corpus={name}", *chosen]

    @property
    def overrides(self) -> list[str]:
        """Choose everything, for `train`."""
        return [
            recipe_override(self.corpus),
            *self.corpus_overrides,
            f"encoder={self.encoder}",
            f"encoder.hidden_size={self.hidden_size}",
            f"seed={self.seed}",
            f"trainer.max_epochs={self.epochs}",
            f"task.learning_rate={self.learning_rate}",
        ]


def planned_runs() -> Iterator[Run]:
    """All runs; whole seeds come first, so that what is there is comparable."""
    trials = [
        trial(encoder, 1, rate)
        for rate in LEARNING_RATES
        for encoder in ENCODERS[TRIALS]
    ] + [
        trial(encoder, factor, LENGTHS_RATE)
        for factor, encoders in LENGTHS.items()
        for encoder in encoders
    ]
    yield from trials
    for seed in SEEDS:
        for corpus, encoders in ENCODERS.items():
            for encoder in encoders:
                rate = CHOSEN_RATES[encoder]
                for hidden_size in sorted(set(hidden_sizes(corpus, encoder).values())):
                    run = Run(
                        corpus, encoder, hidden_size, seed, num_epochs(corpus), rate
                    )
                    if run not in trials:
                        yield run


def trial(encoder: str, factor: float, learning_rate: float) -> Run:
    """Train seed 1 for `factor` times as long as usual, at another rate."""
    hidden_size = hidden_sizes(TRIALS, encoder)["hidden"]
    epochs = int(factor * num_epochs(TRIALS))
    return Run(TRIALS, encoder, hidden_size, SEEDS[0], epochs, learning_rate)


def num_epochs(corpus: str) -> int:
    """For which every encoder is trained."""
    return train_config(corpus)["trainer"]["max_epochs"]


@cache
def hidden_sizes(corpus: str, encoder: str) -> dict[str, int]:
    """Units per direction that make an encoder equal to the recipe's GRU.

    Returns:
        "hidden": at equal hidden size, on the corpus of the TRIALS.
        "parameters": at the nearest number of parameters of the whole model.
    """
    reference = train_config(corpus, "encoder=gru")["encoder"]["hidden_size"]
    target = num_parameters(corpus, "gru", reference)
    above = bisect_left(
        range(4 * reference),
        target,
        lo=1,
        key=lambda size: num_parameters(corpus, encoder, size),
    )
    equal = min(
        (above - 1, above),
        key=lambda size: abs(num_parameters(corpus, encoder, size) - target),
    )
    if corpus == TRIALS:
        return {"hidden": reference, "parameters": equal}
    return {"parameters": equal}


@cache
def num_parameters(corpus: str, encoder: str, hidden_size: int) -> int:
    """Of the whole model."""
    config = train_config(corpus, f"encoder={encoder}")
    groups = {name: config[name] for name in MODEL_GROUPS}
    groups["encoder"] = {**config["encoder"], "hidden_size": hidden_size}
    return build_model(groups, NUM_TOKENS).num_parameters


@cache
def train_config(corpus: str, *overrides: str) -> dict[str, Any]:
    """The recipe of a corpus, composed as `train` composes it."""
    overrides = [recipe_override(corpus), *overrides]
    return to_plain(compose_config("train", overrides), "train")


def recipe_override(corpus: str) -> str:
    """Choose the recipe of a corpus."""
    return f"recipe={corpus.partition('-')[0]}/gru_vs_lstm"


def perform(run: Run) -> dict[str, Any]:
    """Train, score and measure; what results.jsonl says of a run."""
    run.folder.mkdir(parents=True, exist_ok=True)
    peak_memory = train(run)
    loaded = load_checkpoint(run.folder / "best.ckpt")
    learning = [
        row for row in read_learning_curves(run.folder) if "train/cpu_seconds" in row
    ]
    # Apart, since Linux counts a parent's memory as its children's peak.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        reach = process.submit(measure_reach, run).result()
    return {
        **asdict(run),
        "num_parameters": loaded.model.num_parameters,
        "best_epoch": loaded.metadata["epoch"],
        "cpu_seconds_per_epoch": round(seconds_per_epoch(learning), 2),
        "cpu_seconds": round(learning[-1]["train/cpu_seconds"], 1),
        "peak_memory_mib": peak_memory,
        "dev_wer_by_epoch": [round(row["val/wer"], 5) for row in learning],
        "dev": score(run, "dev"),
        "test": score(run, "test"),
        "gradient_reach": reach,
        "commit": loaded.metadata["commit"],
        "machine": machine(),
    }


def perform_and_keep(run: Run) -> None:
    """Perform a run and write its line, whole or not at all."""
    result = perform(run)
    with RESULTS.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps(result) + "\n")
    print(f"{run.folder}: test WER {100 * wer(result, 'test'):.2f} %", flush=True)


def train(run: Run) -> int:
    """Train to the end, or go on; MiB of memory at the peak."""
    usage = run.folder / "peak_memory_mib"
    if (run.folder / "last.ckpt").exists():
        arguments = [f"resume={run.folder}"]
    else:
        arguments = [*run.overrides, f"hydra.run.dir={run.folder}"]
    peak = speechgru("train", *arguments, log=run.folder / "experiment.log")
    # A run that was interrupted has an earlier peak.
    before = int(usage.read_text()) if usage.exists() else 0
    usage.write_text(str(max(before, peak)))
    return max(before, peak)


def speechgru(command: str, *arguments: str, log: Path) -> int:
    """Run a command; MiB of memory at its peak."""
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "speechgru", command, *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(
            f"speechgru {command} {' '.join(arguments)}: exit status "
            f"{process.returncode}, expected 0; see {log}"
        )
    return usage.ru_maxrss // 1024


def seconds_per_epoch(learning: Sequence[dict[str, float]]) -> float:
    """The median over epochs: training and validation, without the start."""
    behind = [row["train/cpu_seconds"] for row in learning]
    return median(after - before for before, after in pairwise(behind))


def score(run: Run, split: str) -> dict[str, list[int]]:
    """Edits and words of each utterance of a split, in its order."""
    output = run.folder / f"{split}.jsonl"
    speechgru(
        "evaluate",
        str(run.folder / "best.ckpt"),
        *run.corpus_overrides,
        f"split={split}",
        f"output={output}",
        log=run.folder / "experiment.log",
    )
    counts = [result.word_errors for result in read_results(output)]
    return {
        "edits": [count.edits for count in counts],
        "words": [count.reference_length for count in counts],
    }


def wer(result: dict[str, Any], split: str) -> float:
    """The word error rate that a line of results.jsonl says."""
    return error_rate(sum(result[split]["edits"]), sum(result[split]["words"]))


def measure_reach(run: Run) -> dict[str, list[float]]:
    """log10 of the gradient's norm, k frames back, before and after training.

    The mean over layers and over utterances of dev, each joined from several
    of one speaker. "start" is a new model of the same seed.
    """
    torch.set_num_threads(1)
    trained = load_checkpoint(run.folder / "best.ckpt")
    config = train_config(run.corpus, *run.corpus_overrides)
    joined = joined_utterances(
        build_corpus(Component.read(config["corpus"], "corpus")),
        trained.tokenizer,
        NUM_JOINED,
    )
    torch.manual_seed(run.seed)
    new = build_model(trained.model_config, len(trained.tokenizer.tokens))
    reach = {}
    for moment, model in (("start", new), ("end", trained.model)):
        model.double()  # norms fall below the smallest float32
        curves = [
            gradient_reach(model, waveform.double(), targets, MAX_DISTANCE).log10()
            for waveform, targets in joined
        ]
        mean = torch.stack(curves).mean(dim=(0, 1))
        reach[moment] = [round(value, 3) for value in mean.tolist()]
    return reach


def joined_utterances(
    corpus: Corpus, tokenizer: Tokenizer, count: int
) -> list[tuple[Tensor, Tensor]]:
    """Waveforms of JOINED_SECONDS from one speaker's dev utterances, and targets."""
    by_speaker: dict[str | None, list[Utterance]] = {}
    for utterance in corpus.read("dev"):
        by_speaker.setdefault(utterance.speaker, []).append(utterance)
    joined = []
    for utterances in list(by_speaker.values())[:count]:
        parts, targets = [], []
        while sum(map(len, parts)) < JOINED_SECONDS * SAMPLE_RATE:
            utterance = utterances.pop(0)
            parts.append(load_audio(utterance.audio_path, SAMPLE_RATE, resample=False))
            targets += tokenizer.encode(utterance.text)
        joined.append((torch.cat(parts), torch.tensor(targets)))
    return joined


def machine() -> str:
    """The processor's name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor()


def finished(path: Path) -> set[Run]:
    """The runs that have a line."""
    if not path.exists():
        return set()
    return {read_run(json.loads(line)) for line in path.read_text().splitlines()}


def read_run(line: Mapping[str, Any]) -> Run:
    """The run that a line of results.jsonl tells of."""
    return Run(**{field.name: line[field.name] for field in fields(Run)})


def main() -> None:
    """Perform what is not finished yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--only", default="", help="runs whose folder contains this")
    parser.add_argument("--list", action="store_true", help="list the runs, and end")
    options = parser.parse_args()
    torch.set_num_threads(1)
    runs = [run for run in planned_runs() if options.only in str(run.folder)]
    done = finished(RESULTS)
    if options.list:
        for run in runs:
            print("done" if run in done else "    ", run.folder)
        return
    RUNS.mkdir(parents=True, exist_ok=True)
    lock = (RUNS / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"{RUNS}: the experiment is running already; use --jobs for more")
    with ThreadPoolExecutor(options.jobs) as pool:
        for _ in pool.map(perform_and_keep, [run for run in runs if run not in done]):
            pass


if __name__ == "__main__":
    main()
