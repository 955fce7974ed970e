"""What a source was read as: a manifest in the cache, made anew when it is stale."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson

from speechgru.cache import alone, cache_folder
from speechgru.data.manifest import to_record
from speechgru.data.manifest_table import open_manifest
from speechgru.data.sources.reading import Reading
from speechgru.data.sources.states import (
    LOCK,
    digest_files,
    note_use,
    remove_unused,
    state_of,
)
from speechgru.files import replace_by_parts, replace_file, to_json
from speechgru.interfaces import InputError, Utterance
from speechgru.remote import address_of

VERSION = 1
"""Of how sources are read; with another every one is read anew."""

Translate = Callable[[Reading], Iterator[Utterance]]


class SourceIndex:
    """The manifest of one split of a source, in the cache.

    It is held against the files that it was made of by their sizes and times; and
    against the audio, where that was measured.

    Args:
        path: of the split.
        described: what makes a difference besides: the class and its options.
    """

    def __init__(self, path: Path, described: Mapping[str, Any]) -> None:
        self.path = path
        key = to_json({"version": VERSION, "path": str(path.absolute()), **described})
        name = hashlib.blake2b(key, digest_size=12).hexdigest()
        self.folder = (
            cache_folder()
            / "sources"
            / f"{path.name.partition('.')[0] or 'source'}-{name}"
        )

    def open(self, inputs: Callable[[], Iterable[Path]], translate: Translate) -> Path:
        """The manifest; made where there is none that is fresh.

        Args:
            inputs: the files that describe the split.
            translate: reads the split.

        Raises:
            InputError: the split cannot be read, or changes while it is; or the
                cache cannot be written.
        """
        state = digest_files(inputs())
        manifest = self._manifest(state)
        if self._is_fresh(manifest):
            note_use(self.folder, state)
            return manifest
        with alone(self.folder / LOCK):
            state = digest_files(inputs())
            manifest = self._manifest(state)
            if not self._is_fresh(manifest):  # another process has not made it
                self._write(manifest, translate)
                if digest_files(inputs()) != state:
                    manifest.unlink()
                    raise InputError(
                        f"{self.path}: changed while it was read, expected files that "
                        "nobody writes to; try again when they are complete"
                    )
                remove_unused(self.folder, state)
        note_use(self.folder, state)
        return manifest

    def _write(self, manifest: Path, translate: Translate) -> None:
        with Reading(self.path) as reading:

            def lines() -> Iterator[bytes]:
                audio, first = AudioStates(), 0
                for utterance in translate(reading):
                    if not reading.accepts(utterance):
                        continue
                    if reading.num_measured:
                        audio.add(utterance.audio_path)
                    else:
                        first += 1
                    yield _to_line(utterance)
                reading.finish()
                measured = manifest.with_suffix(".audio")
                if reading.num_measured:
                    replace_file(measured, b"%d %s" % (first, audio.digest()))
                else:
                    measured.unlink(missing_ok=True)

            replace_by_parts(manifest, lines())

    def _manifest(self, state: str) -> Path:
        return self.folder / f"{state}.jsonl"

    def _is_fresh(self, manifest: Path) -> bool:
        if not manifest.is_file():
            return False
        try:
            measured = manifest.with_suffix(".audio").read_bytes()
        except FileNotFoundError:
            return True
        first, _, digest = measured.partition(b" ")
        audio = AudioStates()
        for utterance in islice(open_manifest(manifest), int(first), None):
            audio.add(utterance.audio_path)
        return audio.digest() == digest


def join_manifests(paths: Sequence[Path], manifests: Sequence[Path]) -> Path:
    """One manifest, in the cache, of the utterances of several.

    Args:
        paths: where these are, as the user has named them.
        manifests: of these, what they were read as.

    Raises:
        InputError: one of them cannot be read, or two utterances have the same id.
    """
    names = [str(address_of(path) or path.absolute()) for path in paths]

    def translate(reading: Reading) -> Iterator[Utterance]:
        reading.path = ", ".join(names)
        return chain.from_iterable(map(open_manifest, manifests))

    return SourceIndex(paths[0], {"joined": names}).open(lambda: manifests, translate)


def _to_line(utterance: Utterance) -> bytes:
    path = utterance.audio_path
    record = to_record(utterance, address_of(path) or os.path.abspath(path))
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


class AudioStates:
    """Sizes and times of the files of utterances, in their order."""

    def __init__(self) -> None:
        self._digest = hashlib.blake2b(digest_size=16)
        self._last: Path | None = None

    def add(self, path: Path) -> None:
        """Count a file; one behind itself counts once."""
        if path != self._last:
            self._last = path
            self._digest.update(state_of(path))

    def digest(self) -> bytes:
        """Of all files so far."""
        return self._digest.hexdigest().encode()
