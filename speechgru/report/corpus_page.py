"""What the doctor found, as one page of HTML that loads nothing and runs nothing."""

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from itertools import cycle

from speechgru.data.validation.diagnosis import Diagnosis, describe
from speechgru.data.validation.summary import COLUMNS
from speechgru.data.validation.summary import describe as describe_split
from speechgru.report.histogram_picture import COLORS, draw_histogram
from speechgru.text.normalize import describe_character

PAGE_MARK = b"<!doctype html>\n<!-- speechgru doctor -->\n"
"""How a page begins; one that does may be replaced by another."""

NUM_LISTED = 50
"""Problems of one kind in the page."""
NUM_CHARACTERS = 500


def make_corpus_page(title: str, diagnosis: Diagnosis) -> str:
    """Put everything into one page.

    Args:
        title: of the page.
        diagnosis: of a corpus.
    """
    parts = files("speechgru.report") / "page_parts"
    style = (parts / "page.css").read_text(encoding="utf-8")
    style += (parts / "corpus.css").read_text(encoding="utf-8")
    measured = diagnosis.measured
    sections = [
        _cards(diagnosis),
        _table(
            ("number",) * len(COLUMNS),
            [f"{name} ({unit})" if unit else name for name, unit in COLUMNS],
            (describe_split(split, each) for split, each in measured.summaries.items()),
        ),
        _list("What an epoch takes", measured.estimates),
        *_problems(diagnosis),
        _list("Notes", diagnosis.notes),
        _histograms(diagnosis),
        _characters(diagnosis),
    ]
    body = "".join(f"<section>{section}</section>\n" for section in sections if section)
    page = (
        f'{PAGE_MARK.decode()}<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<header><h1>{escape(title)}</h1></header>\n<main>\n{body}</main>\n"
        "</body>\n</html>\n"
    )
    # A file name that is no UTF-8 cannot stand in the page as it is.
    return page.encode(errors="replace").decode()


def _cards(diagnosis: Diagnosis) -> str:
    hours = sum(each.hours for each in diagnosis.measured.summaries.values())
    kinds = len({problem.kind for problem in diagnosis.problems})
    cards = [
        ("Utterances", f"{diagnosis.num_utterances:,}", f"{hours:,.2f} h"),
        (
            "With problems",
            f"{diagnosis.num_unhealthy:,}",
            f"kinds of them: {kinds}" if kinds else "all of them can be trained on",
        ),
        ("Notes", f"{len(diagnosis.notes)}", "which need no action"),
    ]
    return (
        '<div class="cards">'
        + "".join(
            f'<div class="card"><div class="name">{name}</div>'
            f'<div class="value">{value}</div><div class="note">{note}</div></div>'
            for name, value, note in cards
        )
        + "</div>"
    )


def _problems(diagnosis: Diagnosis) -> Iterable[str]:
    counts = Counter(problem.kind for problem in diagnosis.problems)
    for kind, count in counts.most_common():
        same = [problem for problem in diagnosis.problems if problem.kind == kind]
        lines = [describe(problem) for problem in same[:NUM_LISTED]]
        if count > NUM_LISTED:
            lines.append(f"... and {count - NUM_LISTED} more")
        yield _list(f"Problem: {kind}, {count} in all", lines)


def _histograms(diagnosis: Diagnosis) -> str:
    splits = list(diagnosis.splits)
    legend = "".join(
        f'<span><i style="background: {color}"></i>{escape(split)}</span>'
        for color, split in zip(cycle(COLORS), splits, strict=False)
    )
    plots = "".join(
        f"<figure><figcaption>{escape(histogram.name)}</figcaption>"
        f"{draw_histogram(histogram)}</figure>"
        for histogram in diagnosis.measured.histograms
    )
    return (
        "<h2>Histograms</h2>"
        f'<p class="legend">share of the utterances, in %: {legend}</p>'
        f'<div class="plots">{plots}</div>'
    )


def _characters(diagnosis: Diagnosis) -> str:
    characters = diagnosis.measured.characters
    total: Counter[str] = Counter()
    for counts in characters.values():
        total.update(counts)
    if not total:
        return ""
    rows = [
        (
            describe_character(each),
            *(f"{counts.get(each, 0):,}" for counts in characters.values()),
        )
        for each, _ in total.most_common(NUM_CHARACTERS)
    ]
    classes = ["", *("number" for _ in characters)]
    table = _table(classes, ["character", *characters], rows)
    more = len(total) - len(rows)
    rest = f"<p>... and {more:,} rarer ones</p>" if more > 0 else ""
    return f'<h2>Characters, normalised</h2><div class="scroll">{table}</div>{rest}'


def _list(heading: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<h2>{escape(heading)}</h2><ul class="scroll">{items}</ul>'


def _table(
    classes: Sequence[str], names: Sequence[str], rows: Iterable[Sequence[str]]
) -> str:
    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(
            f'<{tag} class="{name}">{escape(cell)}</{tag}>'
            for name, cell in zip(classes, row, strict=True)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    head = f"<thead><tr>{cells('th', names)}</tr></thead>"
    return f"<table>{head}<tbody>{body}</tbody></table>"
