"""The files that the doctor writes: JSON, a page, and clean manifests."""

from collections.abc import Iterable
from pathlib import Path

from speechgru.data.validation.clean import plan_manifests, write_clean
from speechgru.data.validation.diagnosis import Diagnosis
from speechgru.data.validation.record import RECORD_MARK, record_parts
from speechgru.factory import name_corpus
from speechgru.files import replace_by_parts, replace_file
from speechgru.interfaces import InputError
from speechgru.options import DoctorOptions
from speechgru.report.corpus_page import PAGE_MARK, make_corpus_page


def check_outputs(options: DoctorOptions, splits: Iterable[str]) -> None:
    """See that no file would be replaced but an older one of the same kind.

    Args:
        options: that name the files.
        splits: by name, of which each gets a manifest.

    Raises:
        InputError: something is there that somebody may need.
    """
    if options.fix is not None:
        plan_manifests(options.fix, splits)
    for path, mark in ((options.json, RECORD_MARK), (options.page, PAGE_MARK)):
        if path is not None and not _is_free(path, mark):
            raise InputError(
                f"{path}: is there already, and no report of the doctor; name another "
                "file"
            )


def write_outputs(options: DoctorOptions, diagnosis: Diagnosis) -> list[str]:
    """Write what is asked for.

    Returns:
        Lines that tell what was written.

    Raises:
        InputError: a file cannot be written, or a manifest is there already.
    """
    lines = []
    if options.json is not None:
        replace_by_parts(options.json, record_parts(diagnosis))
        lines.append(f"json: {options.json}")
    if options.page is not None:
        title = f"speechgru doctor: {name_corpus(options.corpus)}"
        replace_file(options.page, make_corpus_page(title, diagnosis).encode())
        lines.append(f"page: {options.page}")
    if options.fix is not None:
        lines += write_clean(diagnosis, options.fix, options.leave_out).lines()
    return lines


def _is_free(path: Path, mark: bytes) -> bool:
    """Whether nothing lies at a path but a file that begins so."""
    try:
        with path.open("rb") as file:
            return file.read(len(mark)) == mark
    except FileNotFoundError:
        return True
    except OSError:  # a folder
        return False
