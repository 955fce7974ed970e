"""`speechgru watch`: a run as it trains."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from speechgru.cli.config import read_command_line
from speechgru.files import printable, replace_file
from speechgru.options import WatchOptions
from speechgru.terminal import HarmlessStream

USAGE = """
usage: speechgru watch [RUN] [KEY=VALUE ...]

Show a run while it trains: how far it is, the time left, learning curves, what is
unusual, and what the model hears; of the newest run below runs_dir, if none is
named. On a terminal it is drawn anew every few seconds; elsewhere a text follows
each epoch. page=FILE.html writes a page as well, which a browser loads anew by
itself. It only reads, over ssh as well, and ends when the run ends.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(WatchOptions, arguments, USAGE, (0, 1))
    from speechgru.report.watching.follow import (
        check_folder,
        check_page,
        find_newest,
        follow,
    )
    from speechgru.report.watching.page import make_live_page
    from speechgru.report.watching.screen import draw_screen
    from speechgru.report.watching.state import RunReader, RunState

    options = line.options
    folder = (
        Path(line.positional[0]) if line.positional else find_newest(options.runs_dir)
    )
    stream: Any = sys.stdout
    redraws = (
        stream.isatty() and isinstance(stream, HarmlessStream) and not options.once
    )
    told: list[object] = []

    def show(state: RunState) -> None:
        if options.page is not None:
            replace_file(options.page, make_live_page(state, options.every).encode())
        text = draw_screen(state, shutil.get_terminal_size().columns - 1)
        now = (state.log.epochs_done, state.is_running)
        if redraws:
            stream.redraw(text)
        elif now not in told:
            print(text, flush=True)
        told[:] = [now]

    if options.page is not None:
        check_page(options.page)
    if options.once:
        check_folder(folder)
        show(RunReader(folder).read())
    else:
        follow(folder, options.every, show)
    if options.page is not None:
        print(f"page: {printable(str(options.page))}")
    return 0
