"""Are shards what they were when they were written?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from speechgru.data.shards.contents import Shard
from speechgru.data.shards.local_copies import LocalCopies, find_known
from speechgru.data.shards.verified import Verified
from speechgru.data.utterances import files_of, select
from speechgru.data.validation.diagnosis import Problem
from speechgru.files import reason
from speechgru.interfaces import InputError, Utterance
from speechgru.progress import track
from speechgru.remote import address_of

_GB = 1e9
_MOST_LISTED = 20


@dataclass(frozen=True)
class Sound:
    """What is left of splits without the utterances of broken shards.

    Attributes:
        splits: what is left.
        problems: of each utterance that is not, behind its index.
        indices: of what is left, in those splits of which something is not.
    """

    splits: Mapping[str, Sequence[Utterance]]
    problems: Sequence[tuple[int, Problem]]
    indices: Mapping[str, NDArray[np.int64]]

    def placed(
        self, problems: Sequence[tuple[int, Problem]]
    ) -> list[tuple[int, Problem]]:
        """Problems of what is left, by their indices in the splits as they were."""
        later = [
            (int(self.indices[p.split][index]) if p.split in self.indices else index, p)
            for index, p in problems
        ]
        return [*self.problems, *later]


def leave_out_broken(
    splits: Mapping[str, Sequence[Utterance]], skip: bool, cache_size: float
) -> Sound:
    """Check the shards that utterances lie in, and leave out those of broken ones.

    Shards at addresses are fetched for it.

    Args:
        splits: utterances by split.
        skip: whether broken shards are left out; otherwise they are an error.
        cache_size: GB of shards from addresses that are kept on this machine.

    Raises:
        InputError: a shard is broken; or shards at addresses do not fit.
    """
    stored = {split: files_of(some) for split, some in splits.items()}
    paths = dict.fromkeys(
        path for each in stored.values() if each for path in each.paths
    )
    known = find_known(paths)
    remote = sum(shard.size for path, shard in known.items() if address_of(path))
    if remote > cache_size * _GB:
        raise InputError(
            f"the shards at their address have {remote / _GB:.3g} GB, but "
            f"data.cache_size is {cache_size:g} GB, so that they cannot be examined "
            "before training; raise it, or set data.check=false: then each is held to "
            "its digest when it is fetched"
        )
    broken = find_broken(known, LocalCopies(known, cache_size * _GB))
    if broken and not skip:
        raise InputError(
            f"{describe_broken(broken)}\nmend them, or leave their utterances out by "
            "data.on_error=skip"
        )
    left, problems, indices = dict(splits), [], {}
    for split, each in stored.items():
        if each is None or not broken.keys() & set(each.paths):
            continue
        bad = np.array([path in broken for path in each.paths])[each.numbers]
        indices[split] = np.flatnonzero(~bad)
        left[split] = select(splits[split], indices[split])
        for index in np.flatnonzero(bad).tolist():
            utterance = splits[split][index]
            message = f"{utterance.id}: {broken[utterance.audio_path]}"
            problems.append((index, Problem(split, utterance.id, "shard", message)))
    return Sound(left, problems, indices)


def find_broken(known: Mapping[Path, Shard], fetch: LocalCopies) -> dict[Path, str]:
    """Hold shards to their sizes and digests; what is wrong with the others."""
    broken: dict[Path, str] = {}
    verified: dict[Path, Verified] = {}
    for path, shard in track(known.items(), "checking shards", "shards", len(known)):
        folder = path.parent.parent
        remembered = verified.setdefault(folder, Verified(folder))
        try:
            fetch(path)
            remembered.check(path, shard)
        except InputError as error:
            broken[path] = str(error)
        except OSError as error:
            broken[path] = (
                f"{path}: cannot be read ({reason(error)}), expected a shard of "
                f"{shard.size} bytes; copy it again"
            )
    for each in verified.values():
        each.write()
    return broken


def describe_broken(broken: Mapping[Path, str]) -> str:
    """Some of the broken shards, a line each."""
    lines = [*broken.values()][:_MOST_LISTED]
    rest = len(broken) - len(lines)
    return "\n".join([*lines, *([f"... and {rest} more"] if rest else [])])
