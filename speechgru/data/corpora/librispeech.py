"""LibriSpeech: 1,000 hours of read English books, 16 kHz, 2,484 speakers.

Source: https://www.openslr.org/12 (CC BY 4.0); "Librispeech: an ASR corpus based
on public domain audio books", ICASSP 2015.
"""

from pathlib import Path

from speechgru.data.corpora.parted import PartedCorpus
from speechgru.data.corpora.recordings import Recording, describe_files
from speechgru.files import read_lines
from speechgru.interfaces import InputError, Utterance


class LibriSpeech(PartedCorpus):
    """LibriSpeech, and what is laid out like it, such as Mini LibriSpeech.

    Files are `<part>/<speaker>/<chapter>/<speaker>-<chapter>-<nnnn>.flac`, with one
    `<speaker>-<chapter>.trans.txt` a chapter of lines `ID TEXT`. The arguments are
    those of PartedCorpus.
    """

    patterns = ("**/*.trans.txt", "**/*.flac")

    def _read_part(self, part: str, folder: Path) -> list[Utterance]:
        audio_paths = {path.stem: path for path in folder.glob("**/*.flac")}
        recordings = []
        for path in sorted(folder.glob("**/*.trans.txt")):
            for id, text in _read_chapter(path).items():
                if id not in audio_paths:
                    raise InputError(
                        f"{id}: in {path} but without {id}.flac; take the original "
                        f"archive of {part}"
                    )
                speaker = id.partition("-")[0]
                recordings.append(Recording(id, audio_paths.pop(id), text, speaker))
        for id, path in audio_paths.items():
            raise InputError(
                f"{path}: without a line '{id} TEXT' in a .trans.txt; take the "
                f"original archive of {part}"
            )
        if not recordings:
            raise InputError(
                f"{folder}: no .trans.txt below it, expected the chapters of {part}; "
                "take the original archive"
            )
        return describe_files(recordings, f"{self.name} {part}")


def _read_chapter(path: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    for number, line in enumerate(read_lines(path, "transcripts"), 1):
        if not line:
            continue
        id, _, text = line.strip().partition(" ")
        if not text or id in texts:
            raise InputError(
                f"{path}:{number}: '{line}' is not one new id and its transcript, "
                "expected e.g. '84-121123-0000 GO DO YOU HEAR'; take the original "
                "archive"
            )
        texts[id] = text
    return texts
