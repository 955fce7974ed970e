"""Runs that were not evaluated so far, as a page that loads and runs nothing."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from html import escape
from importlib.resources import files

from speechgru.report.unscored import Unscored
from speechgru.score.summary import percent


def make_unscored_page(title: str, runs: Sequence[Unscored]) -> str:
    """Put everything into one page.

    Args:
        title: of the page.
        runs: at least one.
    """
    style = files("speechgru.report") / "page_parts" / "page.css"
    body = "".join(
        f"<section><h2>{escape(str(each.run.folder))}</h2>\n{_show(each)}</section>\n"
        for each in runs
    )
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n"
        f"<style>\n{style.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n"
        f"<header><h1>{escape(title)}</h1></header>\n<main>\n{body}</main>\n"
        "</body>\n</html>\n"
    )
    # A file name that is no UTF-8 cannot stand in the page as it is.
    return page.encode(errors="replace").decode()


def _show(unscored: Unscored) -> str:
    missing = (
        f"<li>{escape(what)}{f': <code>{escape(command)}</code>' * bool(command)}</li>"
        for what, command in unscored.missing()
    )
    parts = [
        _table(("", ""), _facts(unscored)),
        f"<h3>Not there yet</h3>\n<ul>{''.join(missing)}</ul>",
    ]
    if unscored.curves is not None:
        picture = b64encode(unscored.curves).decode()
        parts.append(
            '<h3>Learning curves</h3>\n<img alt="learning curves" '
            f'style="max-width: 100%" src="data:image/png;base64,{picture}">'
        )
    if unscored.samples:
        heads = ("utterance of dev", "said", "heard")
        rows = map(astuple, unscored.samples)
        parts += ["<h3>Heard in validation</h3>", _table(heads, rows)]
    config = escape(unscored.config)
    parts.append(
        f"<details><summary>Configuration</summary><pre>{config}</pre></details>"
    )
    return "\n".join(parts)


def _facts(unscored: Unscored) -> Iterable[tuple[str, str]]:
    run = unscored.run
    wanted = "" if run.max_epochs is None else f" of {run.max_epochs}"
    yield "epochs done", f"{run.epochs}{wanted}"
    if run.cpu_seconds is not None:
        yield "CPU time", f"{run.cpu_seconds / 60:.1f} minutes"
    if run.best_dev_wer is not None and unscored.best_epoch is not None:
        epoch = f"in epoch {unscored.best_epoch}"
        yield "lowest WER on dev", f"{percent(run.best_dev_wer)} %, {epoch}"
    yield "checkpoints", ", ".join(unscored.checkpoints) or "none"
    if unscored.logged_at is not None:
        yield "last written to the log", unscored.logged_at


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    def row(cells: Iterable[str], tag: str) -> str:
        shown = "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)
        return f"<tr>{shown}</tr>"

    head = row(heads, "th") if any(heads) else ""
    return f"<table>{head}{''.join(row(cells, 'td') for cells in rows)}</table>"
