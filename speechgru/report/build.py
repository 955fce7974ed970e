"""A page of results, from run folders and files of results."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from speechgru.files import printable
from speechgru.options import ReportOptions
from speechgru.ranges import OptionError
from speechgru.report.collector import MediaCollector
from speechgru.report.page import make_page
from speechgru.report.sources import check_output, find_results, short_names
from speechgru.report.systems import compare_all, read_system, remark_on
from speechgru.report.unscored import Unscored, is_unscored, read_unscored
from speechgru.report.unscored_page import make_unscored_page
from speechgru.threads import set_up_cpu


@dataclass(frozen=True)
class Report:
    """A page, not written yet.

    Attributes:
        output: where it belongs: its links to audio are relative to that folder.
        page: HTML.
        remarks: what could not be shown, and why; a line each.
    """

    output: Path
    page: str
    remarks: tuple[str, ...]


def build_report(
    paths: Sequence[str | Path], options: ReportOptions | None = None
) -> Report:
    """Make one page of all results; nothing is printed but progress, or written.

    Args:
        paths: of run folders and of files of results, at least one.
        options: how the page is made.

    Raises:
        InputError: there are neither results nor runs, they cannot be read, or the
            page would overwrite them.
    """
    if not paths:
        raise OptionError("no results are given, expected run folders or results")
    options = options or ReportOptions()
    unscored = [Path(path) for path in paths if is_unscored(Path(path))]
    if len(unscored) == len(paths):
        return report_unscored(unscored, options)
    set_up_cpu(options.num_threads)
    sources = [
        source
        for path in map(Path, paths)
        if path not in unscored
        for source in find_results(path)
    ]
    output = options.output or sources[0].path.with_name("report.html")
    check_output(output, sources)
    collector = MediaCollector(output.parent, options.link_audio)
    systems, remarks = [], []
    for source, name in zip(sources, short_names(sources), strict=True):
        system, said = read_system(source, name, options, collector)
        systems.append(system)
        remarks += said
    differences, why_not = compare_all(systems, options.resample)
    title = f"speechgru: {', '.join(system.name for system in systems)}"
    page = make_page(title, systems, collector.recordings, differences, why_not)
    remarks += [remark for system in systems for remark in remark_on(system)]
    remarks += remark_missing(map(read_unscored, unscored))
    return Report(output, page, tuple(map(printable, remarks)))


def report_unscored(folders: Sequence[Path], options: ReportOptions) -> Report:
    """Make one page of runs that were not evaluated so far.

    Args:
        folders: of the runs.
        options: of which only the output counts: there is no sound to play.

    Raises:
        InputError: a file of a run is damaged.
    """
    output = options.output or folders[0] / "report.html"
    runs = [read_unscored(folder) for folder in folders]
    title = f"speechgru: {', '.join(folder.name for folder in folders)}"
    page = make_unscored_page(title, runs)
    return Report(output, page, tuple(map(printable, remark_missing(runs))))


def remark_missing(runs: Iterable[Unscored]) -> list[str]:
    """Say what the page cannot show of runs, and the commands that help."""
    return [
        f"{each.run.folder}: not there yet: {what}{f': {command}' * bool(command)}"
        for each in runs
        for what, command in each.missing()
    ]
