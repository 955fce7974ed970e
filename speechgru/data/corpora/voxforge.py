"""VoxForge: sentences that volunteers read, 16 kHz, one archive a session.

Source: http://www.voxforge.org (GPL, as VoxForge says).
"""

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from speechgru.audio import AudioError
from speechgru.data.archive import extract_archive
from speechgru.data.corpora.corpus import Corpus
from speechgru.data.corpora.left_out import LeftOut, write_left_out
from speechgru.data.corpora.recordings import try_files
from speechgru.data.corpora.shared import name_shared
from speechgru.data.corpora.speakers import deal_speakers
from speechgru.data.corpora.voxforge_sessions import (
    Prompted,
    name_speaker,
    read_session,
)
from speechgru.data.download import download, open_url
from speechgru.data.source import PreparedReport
from speechgru.interfaces import InputError, Utterance
from speechgru.progress import track
from speechgru.ranges import LARGEST_SEED, Range, check, whole

_SHARE = Range(0, 0.5, below=True)
_LINK = re.compile(r'href="([^"/?]+\.tgz)"')
_MOST_INDEX = 16 << 20  # bytes


class VoxForge(Corpus):
    """VoxForge, dealt out by speakers, since it has no splits of its own.

    A speaker is who the name of a session says. Whoever is anonymous, or has a name
    that breaks the pattern, may be anybody, so such sessions are trained on. Many
    sentences are read by many speakers; how many of dev and test are in train, is
    said. Recordings that cannot be used are left out and listed.

    Args:
        name: as for Corpus.
        root: folder of the manifests and the unpacked sessions.
        archive: folder of the sessions, as archives or unpacked; None: the folder
            voxforge in what the environment variable SPEECHGRU_ARCHIVES names, or
            what has been downloaded.
        address: of the page that lists the archives.
        download: fetch the archives that are not there: some thousands.
        dev_share: of the utterances, at most; see `deal_speakers`.
        test_share: likewise.
        seed: of the order of speakers.

    Raises:
        InputError: an option is not what it may be.
    """

    def __init__(
        self,
        name: str,
        root: str | Path,
        archive: str | None,
        address: str,
        download: bool,
        dev_share: float,
        test_share: float,
        seed: int,
    ) -> None:
        check("dev_share", dev_share, _SHARE)
        check("test_share", test_share, _SHARE)
        check("seed", seed, whole(-LARGEST_SEED, LARGEST_SEED))
        super().__init__(name, root)
        self.archive = archive
        self.address = address
        self.download = download
        self.shares = {"test": test_share, "dev": dev_share}
        self.seed = seed

    @property
    def files(self) -> Path:
        """Folder of the unpacked sessions."""
        return self.root / "files"

    def _settings(self) -> Mapping[str, Any]:
        return {"shares": self.shares, "seed": self.seed}

    def prepare(self) -> PreparedReport:
        """Unpack the sessions, pair recordings and texts, deal out the speakers.

        Raises:
            InputError: no sessions, a damaged archive, or too few speakers.
        """
        folder = self._find_folder()
        if self.download:
            _fetch(self.address, folder)
        prompted: list[Prompted] = []
        left_out: list[LeftOut] = []
        sessions = self._unpack(folder)
        for session in track(sessions, f"{self.name}: reading sessions", "sessions"):
            some, others = read_session(session)
            prompted += some
            left_out += others
        splits = self._describe(prompted, left_out)
        if not all(splits.values()):
            raise InputError(
                f"{folder}: {len(prompted)} recordings in {len(sessions)} sessions, "
                "expected those of three known speakers or more, for train, dev and "
                "test; add sessions"
            )
        self._write(splits)
        notes = [*name_shared(splits), *write_left_out(self.root, left_out)]
        return self._report(splits, [f"{self.name} {note}" for note in notes])

    def _find_folder(self) -> Path:
        archives = os.environ.get("SPEECHGRU_ARCHIVES")
        if self.archive is not None:
            return Path(self.archive).expanduser()
        if archives and (Path(archives) / "voxforge").is_dir():
            return Path(archives) / "voxforge"
        return self.root / "archives"

    def _unpack(self, folder: Path) -> list[Path]:
        """Folders of all sessions, in the order of their names."""
        archives = sorted(folder.glob("*.tgz"))
        for archive in track(archives, f"{self.name}: unpacking", "sessions"):
            if not (self.files / archive.stem).exists():
                extract_archive(archive, self.files / archive.stem)
        unpacked = [path.parent for path in folder.glob("*/etc") if path.is_dir()]
        sessions = {path.name: path for path in unpacked}
        sessions |= {each.stem: self.files / each.stem for each in archives}
        if not sessions:
            raise InputError(
                f"{folder}: no sessions, expected archives such as "
                "1028-20100710-hne.tgz, or their folders; fetch them from "
                f"{self.address} and set corpus.archive=FOLDER, or set "
                "corpus.download=true"
            )
        return [sessions[name] for name in sorted(sessions)]

    def _describe(
        self, prompted: Sequence[Prompted], left_out: list[LeftOut]
    ) -> dict[str, list[Utterance]]:
        """Utterances by split; what is damaged goes to what is left out."""
        infos = try_files([each.path for each in prompted], self.name)
        utterances = []
        known: Counter[str] = Counter()
        for each, info in zip(prompted, infos, strict=True):
            if isinstance(info, AudioError):
                name = f"{each.session}/{each.path.name}"
                left_out.append(LeftOut("", name, str(info)))
                continue
            speaker = name_speaker(each.session)
            if speaker is not None:
                known[speaker] += 1
            utterances.append(
                Utterance(
                    id=f"{each.session}-{each.path.stem}",
                    audio_path=each.path,
                    duration=info.duration,
                    text=each.text,
                    speaker=speaker or each.session,
                )
            )
        dealt = deal_speakers(known, self.shares, self.seed)
        splits: dict[str, list[Utterance]] = {split: [] for split in self.splits}
        for utterance in utterances:
            splits[dealt.get(utterance.speaker or "", "train")].append(utterance)
        return splits


def _fetch(address: str, folder: Path) -> None:
    """Download the archives that a page lists and that are not there."""
    try:
        with open_url(address, 0) as response:
            page = response.read(_MOST_INDEX).decode(errors="replace")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{address}: cannot be read ({error}), expected a page that lists "
            "archives; correct corpus.address, or set corpus.archive=FOLDER"
        ) from error
    names = sorted(set(_LINK.findall(page)))
    if not names:
        raise InputError(
            f"{address}: lists no .tgz, expected the archives of the sessions; correct "
            "corpus.address, or set corpus.archive=FOLDER"
        )
    for name in track(names, "downloading sessions", "sessions"):
        if not (folder / name).exists():
            download(f"{address.rstrip('/')}/{name}", folder / name)
