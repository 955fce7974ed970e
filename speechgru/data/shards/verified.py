"""Which files were held to their digests, so that it need not be done again."""

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from speechgru.cache import cache_folder
from speechgru.data.shards.contents import Shard
from speechgru.data.shards.fetching import check_file
from speechgru.files import file_state, replace_file, to_json
from speechgru.interfaces import InputError


class Verified:
    """Remembers the size and the time of each file that had its digest.

    Args:
        folder: of the shards.
    """

    def __init__(self, folder: Path) -> None:
        name = hashlib.blake2b(os.fsencode(folder.absolute()), digest_size=16)
        self._path = cache_folder() / "shards" / f"{name.hexdigest()}.json"
        self._known: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            known = json.loads(self._path.read_bytes())
            self._known = known if isinstance(known, dict) else {}

    def check(self, path: Path, shard: Shard) -> None:
        """Hold a shard to its size and digest, unless that was done before.

        Raises:
            InputError: it is another one.
            OSError: it cannot be read.
        """
        state = [*file_state(path), shard.sha256]
        if self._known.get(shard.name) != state:
            check_file(path, shard, str(path))
            self._known[shard.name] = state

    def write(self) -> None:
        """Keep it for the next time; where that cannot be, nothing is lost."""
        with contextlib.suppress(InputError):
            replace_file(self._path, to_json(self._known))
