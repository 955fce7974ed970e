"""JSON Lines manifests of the user's own, one a split."""

from pathlib import Path

from speechgru.data.sources.splits import SplitSource
from speechgru.remote import fetch


class ManifestCorpus(SplitSource):
    """Splits that are manifests, as `data/manifest.py` describes them.

    The arguments are those of SplitSource.
    """

    def part_manifest(self, path: Path) -> Path:
        """The manifest itself, of an address the latest."""
        fetch(path, is_latest=True)
        return path
