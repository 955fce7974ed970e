"""Where a release of Common Voice is on this machine."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from speechgru.data.archive import extract_archive
from speechgru.interfaces import InputError
from speechgru.ranges import nearest

HOST = "https://datacollective.mozillafoundation.org"
TABLE = "validated.tsv"
"""In the folder of every language of every release."""


def find_language(release: str | None, language: str, unpacked: Path) -> Path:
    """Find the folder of a language: that of its tables, with its clips below.

    Args:
        release: folder of one or several releases, or of the language; or an
            archive, or a folder of them; None: what the environment variable
            SPEECHGRU_ARCHIVES names, or what is unpacked already.
        language: e.g. cy.
        unpacked: where an archive is unpacked.

    Raises:
        InputError: there is none, or there are several, or an archive is damaged.
    """
    if release is not None:
        places = [Path(release).expanduser()]
    else:
        archives_folder = os.environ.get("SPEECHGRU_ARCHIVES")
        places = [Path(archives_folder)] if archives_folder else []
        places.append(unpacked)
    for place in places:
        if place.is_file():
            found = list(_list_folders(_unpack(place, unpacked), language))
        else:
            found = list(_list_folders(place, language))
            archives = sorted(place.glob(f"cv-corpus-*-{language}.tar.gz"))
            if archives and not found:
                archive = _choose(archives, place)
                found = list(_list_folders(_unpack(archive, unpacked), language))
        if found:
            return _choose(found, place)
    raise InputError(_say_missing(places, language))


def _list_folders(place: Path, language: str) -> Iterator[Path]:
    """Folders of the language: the place itself, in it, or one level deeper."""
    candidates = [place] * (place.name == language)
    candidates += [place / language, *sorted(place.glob(f"*/{language}"))]
    yield from (folder for folder in candidates if (folder / TABLE).is_file())


def _choose(found: Sequence[Path], place: Path) -> Path:
    if len(found) > 1:
        raise InputError(
            f"{place}: {len(found)} releases, {', '.join(map(str, found))}; expected "
            "one, for their splits differ; set corpus.release to one of them"
        )
    return found[0]


def _unpack(archive: Path, unpacked: Path) -> Path:
    folder = unpacked / archive.name.removesuffix(".gz").removesuffix(".tar")
    if not folder.exists():
        extract_archive(archive, folder)
    return folder


def _say_missing(places: Sequence[Path], language: str) -> str:
    tables = [t for p in places for at in ("*", "*/*") for t in p.glob(f"{at}/{TABLE}")]
    others = sorted({table.parent.name for table in tables})
    if others:
        found = f"no {language}, but {', '.join(others)}{nearest(language, others)}"
    else:
        found = f"no release of Common Voice with a folder {language}/"
    return (
        f"{' and '.join(map(str, places))}: {found}; expected {language}/{TABLE} and "
        f"{language}/clips, or cv-corpus-VERSION-{language}.tar.gz; fetch one from "
        f"{HOST} (with an account) and set corpus.release=PATH"
    )
