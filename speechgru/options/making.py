"""The options of `speechgru new`; conf/new.yaml."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from speechgru.options.choices import default_data_dir
from speechgru.options.component import Component
from speechgru.options.fields import Options, option
from speechgru.options.rules import modules
from speechgru.ranges import SEED, Range

SHARE = Range(0, 0.5, above=True)


@dataclass(frozen=True, kw_only=True)
class NewOptions(Options):
    """Of what a project is made, and how its recordings are divided.

    Attributes:
        source: recordings and texts: a folder, a table, a manifest, or what else can be
            read as a corpus.
        dev, test: others like it; None: a part of the source.
        corpus: the kind of the source with its options; None: guessed.
        recipe: name of corpus and recipe; None: by that of the folder.
        dev_share, test_share: of the hours, about.
        apart: "speakers": nobody is heard in two splits; "utterances": the same text or
            recording is in one split only; None: speakers, where there are three or
            more.
        seed: of the division.
        data_dir: where public corpora lie.
        trust: modules of the user's own whose classes may be built.
    """

    name: ClassVar[str] = "new"
    is_command: ClassVar[bool] = True

    source: str | None = None
    dev: str | None = None
    test: str | None = None
    corpus: Component | None = None
    recipe: str | None = None
    dev_share: float = option(0.1, within=SHARE)
    test_share: float = option(0.1, within=SHARE)
    apart: Literal["speakers", "utterances"] | None = None
    seed: int = option(1, within=SEED)
    data_dir: Path = option(make=default_data_dir)
    trust: tuple[str, ...] = option((), rule=modules)
