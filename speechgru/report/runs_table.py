"""The table that `speechgru runs` prints."""

from speechgru.files import printable
from speechgru.report.runs import RunList
from speechgru.run_files import BEST
from speechgru.score.summary import percent


def format_runs(listed: RunList) -> str:
    """A line for each run, and indented ones for its scores and differences."""
    names = [printable(str(run.folder)) for run in listed.runs]
    width = max(len("run"), *map(len, names))
    lines = [f"{'run':{width}}  seed   epochs CPU h:min  dev WER"]
    for run, name, differs in zip(listed.runs, names, listed.differences, strict=True):
        wanted = "" if run.max_epochs is None else f"/{run.max_epochs}"
        epochs = f"{run.epochs}{wanted}"
        best = run.best_dev_wer
        lines.append(
            f"{name:{width}} {run.seed!s:>5} {epochs:>8} "
            f"{_duration(run.cpu_seconds):>9} "
            f"{'-' if best is None else percent(best):>8}"
            f"{'  training' * run.is_training}"
        )
        for score in run.scores:
            interval = f"[{_percent(score.low)}, {_percent(score.high)}]"
            decoder = "" if score.decoder is None else f", {score.decoder}"
            by = "" if score.checkpoint == BEST else f", {score.checkpoint}"
            lines.append(
                printable(
                    f"    {score.corpus} {score.split}: WER {_percent(score.rate)} % "
                    f"{interval}{decoder}{by}"
                )
            )
        if differs:
            differing = (f"{key}={value}" for key, value in differs.items())
            lines.append(f"    {printable(' '.join(differing))}")
    return "\n".join(lines)


def _percent(rate: float | None) -> str:
    return "inf" if rate is None else percent(rate)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02}"
