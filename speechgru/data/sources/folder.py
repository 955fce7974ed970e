"""A folder of recordings with their texts beside them.

`a.wav` belongs to `a.txt` or `a.lab`, or to the line `a TEXT` of a file in the same
folder whose name ends in `.trans.txt`, as in LibriSpeech.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

from speechgru.bounded import MOST_SETTINGS, read_whole
from speechgru.data.folder import MEDIA, list_recordings, walk
from speechgru.data.sources.lines import read_numbered
from speechgru.data.sources.reading import Reading
from speechgru.data.sources.splits import Place, TranslatedSource
from speechgru.files import reason
from speechgru.interfaces import InputError, Utterance
from speechgru.progress import track
from speechgru.ranges import OptionError

TEXTS = (".txt", ".lab")
LISTED = ".trans.txt"
SPEAKERS = ("top", "parent")


class FolderCorpus(TranslatedSource):
    """Splits that are folders; an id is a path below the folder, without its ending.

    Args:
        name, train, dev, test: as in `SplitSource`.
        speakers: which folder is named by the speaker: "top", the one below the
            split's, or "parent", the one that the recording lies in; None: none is.
    """

    kind: ClassVar[str] = "folders"
    endings: ClassVar[str] = "/"

    def __init__(
        self,
        name: str,
        train: Place,
        dev: Place,
        test: Place,
        speakers: str | None = None,
    ) -> None:
        super().__init__(name, train, dev, test, speakers=speakers)
        if speakers not in (None, *SPEAKERS):
            raise OptionError(
                f"speakers is {speakers!r}, expected one of: {', '.join(SPEAKERS)}, "
                "or null"
            )
        self.speakers = speakers

    def inputs(self, path: Path) -> Iterable[Path]:
        """All recordings and texts."""
        if not path.is_dir():
            raise InputError(
                f"{path}: no such folder, expected one of recordings; correct the path"
            )
        endings = (*MEDIA, *TEXTS)
        found = (file for file, is_folder in walk(str(path), {}) if not is_folder)
        for file in sorted(found):
            if file.lower().endswith(endings):
                yield Path(file)

    def translate(self, path: Path, reading: Reading) -> Iterator[Utterance]:
        """Pair recordings with their texts; one without is a mistake."""
        listing = list_recordings(path)
        for problem in listing.problems.values():
            reading.add_problem(problem)
        listed: dict[str, dict[str, str]] = {}
        used: set[str] = set()
        for file in track(listing.files, f"reading {path.name}", "recordings"):
            folder = os.path.dirname(file)
            if folder not in listed:
                listed[folder] = _read_listed(Path(folder))
            try:
                text = _find_text(file, listed[folder], used)
                if text is None:
                    raise InputError(
                        f"{file}: no text beside it, expected one of "
                        f"{', '.join(os.path.splitext(file)[0] + e for e in TEXTS)}, "
                        f"or a line in a file *{LISTED}; add it, or move the recording "
                        "away"
                    )
                duration = reading.measure(Path(file))
            except InputError as error:
                reading.add_problem(error)
                continue
            id = os.path.splitext(os.path.relpath(file, path))[0]
            yield Utterance(
                id=id,
                audio_path=Path(file),
                duration=duration,
                text=text,
                speaker=self._speaker(id),
            )
        _tell_unused(path, used, listed, reading)

    def _speaker(self, id: str) -> str | None:
        folders = id.split(os.sep)[:-1]
        if self.speakers is None or not folders:
            return None
        return folders[0 if self.speakers == "top" else -1]


def _find_text(file: str, listed: dict[str, str], used: set[str]) -> str | None:
    stem = os.path.splitext(file)[0]
    beside = [stem + ending for ending in TEXTS if os.path.exists(stem + ending)]
    if len(beside) > 1:
        raise InputError(
            f"{file}: both {' and '.join(beside)} are there, expected one text; move "
            "the other away"
        )
    for text in beside:
        used.add(text)
        return _read_text(text)
    return listed.pop(os.path.basename(stem), None)


def _read_text(path: str) -> str:
    """The words of a file; its lines are joined by spaces."""
    try:
        text = read_whole(path, MOST_SETTINGS).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read ({reason(error)}), expected a text in UTF-8; save "
            "it as UTF-8"
        ) from error
    return " ".join(text.split())


def _read_listed(folder: Path) -> dict[str, str]:
    """Texts by names of recordings, from the lists that lie in a folder."""
    texts: dict[str, str] = {}
    for path in sorted(folder.glob(f"*{LISTED}")):
        for number, line in read_numbered(path, "lines of a name and a text"):
            if not line.strip():
                continue
            name, *words = line.split()
            if name in texts:
                raise InputError(
                    f"{path}:{number}: '{name}' has a text already, expected one line "
                    "a recording; remove one of them"
                )
            texts[name] = " ".join(words)
    return texts


def _tell_unused(
    path: Path, used: set[str], listed: dict[str, dict[str, str]], reading: Reading
) -> None:
    """Say which texts belong to no recording: READMEs, or recordings that are gone."""
    unused = [
        os.path.join(folder, name) for folder, names in listed.items() for name in names
    ]
    unused += [
        file
        for file, is_folder in walk(str(path), {})
        if not is_folder
        and file.endswith(TEXTS)
        and not file.endswith(LISTED)
        and file not in used
    ]
    if unused:
        reading.say(
            f"{len(unused)} texts have no recording beside them and are left out, e.g. "
            f"{sorted(unused)[0]}"
        )
