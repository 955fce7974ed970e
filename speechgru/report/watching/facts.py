"""How far a run is, in words, for every view of it."""

from speechgru.progress import say_duration
from speechgru.report.watching.state import RunState
from speechgru.score.learning import find_best, find_last

_SHOWN = (
    ("recipe", "recipe"),
    ("corpus", "corpus.name"),
    ("seed", "seed"),
)


def describe_state(state: RunState) -> str:
    """Whether it trains, and who does.

    The machine and the process are named, since one may have to end it there.
    """
    if state.owner is None:
        return "done" if state.is_done else "not running"
    known = {"process": "process {}", "host": "of {}", "since": "since {}"}
    said = [
        text.format(state.owner[name])
        for name, text in known.items()
        if isinstance(state.owner.get(name), (str, int))
    ]
    return f"training ({' '.join(said)})" if said else "training"


def describe_progress(state: RunState) -> str:
    """Epochs, steps, and the time left."""
    log = state.log
    said = []
    if log.epoch is None:
        said.append("no epoch has begun")
    elif log.step is not None:
        of = _of(log.steps_per_epoch)
        said.append(f"epoch {log.epoch}{_of(log.num_epochs)}, step {log.step}{of}")
    else:
        said.append(f"{log.epochs_done}{_of(log.num_epochs)} epochs done")
    if state.seconds_left is not None:
        said.append(f"about {say_duration(state.seconds_left)} left")
    if state.is_running:
        said.append(f"last written {say_duration(state.silent)} ago")
    return "; ".join(said)


def _of(number: int | None) -> str:
    return "" if number is None else f" of {number}"


def describe_best(state: RunState) -> str | None:
    """The lowest error rate on dev so far; None: dev was not scored."""
    best = find_best(state.curves)
    if best is None:
        return None
    wer, epoch = best
    said = f"lowest WER on dev {100 * wer:.2f} %, in epoch {epoch}"
    now = next(row for row in reversed(state.curves) if "val/wer" in row)
    if now["epoch"] + 1 != epoch:
        said += f"; {100 * now['val/wer']:.2f} % in epoch {now['epoch'] + 1:.0f}"
    return said


def describe_run(state: RunState) -> str:
    """What it trains, as far as the configuration says."""
    said = [
        f"{name} {state.config[key]}"
        for name, key in _SHOWN
        if state.config.get(key) is not None
    ]
    cpu = find_last(state.curves, "train/cpu_seconds")
    if cpu is not None:
        said.append(f"{say_duration(cpu)} of CPU time")
    return ", ".join(said)
