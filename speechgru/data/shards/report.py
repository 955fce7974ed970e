"""What came of writing shards."""

from dataclasses import dataclass
from pathlib import Path

from speechgru.data.shards.contents import Contents
from speechgru.data.shards.encoding import Encoding

SKIPPED_FILE = "skipped.jsonl"
_MB = 1e6


@dataclass(frozen=True)
class ShardsReport:
    """What was written; `str()` gives lines for people.

    Attributes:
        folder: of the shards.
        contents: of it.
        encoding: of the sound.
    """

    folder: Path
    contents: Contents
    encoding: Encoding

    def __str__(self) -> str:
        lines = []
        for name, split in self.contents.splits.items():
            size = sum(shard.size for shard in split.shards)
            number = len(split.shards)
            lines.append(
                f"{name}: {split.utterances} utterances, {split.hours:.3f} h, "
                f"{number} shard{'s' * (number != 1)} of {self.encoding.format}, "
                f"{size / _MB:.1f} MB"
            )
        shards = [s for split in self.contents.splits.values() for s in split.shards]
        if self.encoding.loss:
            lines.append(f"note: {self.encoding.loss}")
        elif rounded := sum(shard.rounded for shard in shards):
            lines.append(
                f"note: {rounded} utterances were finer than 16 bits, or of several "
                "channels, and were rounded to 16 bits"
            )
        if clipped := sum(shard.clipped for shard in shards):
            lines.append(
                f"note: {clipped} utterances are louder than full scale, and were "
                "clipped there"
            )
        if skipped := sum(shard.skipped for shard in shards):
            lines.append(
                f"{skipped} utterances skipped; see {self.folder / SKIPPED_FILE}"
            )
        return "\n".join([*lines, f"shards: {self.folder}"])
