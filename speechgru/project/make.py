"""What `speechgru new` does."""

import os
import re
import secrets
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from speechgru.advice.facts import CorpusFacts, gather_facts
from speechgru.advice.recommend import recommend
from speechgru.data.manifest import write_manifest
from speechgru.data.utterances import durations_of, select
from speechgru.interfaces import InputError, Utterance
from speechgru.options.choices import choices, choose
from speechgru.options.making import NewOptions
from speechgru.project.division import divide
from speechgru.project.files import make_files
from speechgru.project.reading import read_sources
from speechgru.remote import address_of, locate

LITTLE = 0.05
"""h; what is less shows that everything works, and no more."""


def make_project(folder: Path, options: NewOptions) -> list[str]:
    """Make a project in a new folder.

    Returns:
        Lines for people.

    Raises:
        InputError: the folder is there already, or the source cannot be read or
            divided. Nothing is written then.
    """
    check_free(folder)
    name = name_project(folder, options.recipe)
    given, notes = read_sources(options)
    shares = {"test": options.test_share, "dev": options.dev_share}
    division = divide(
        given["train"],
        {split: share for split, share in shares.items() if split not in given},
        options.apart,
        options.seed,
    )
    splits = {
        split: select(given["train"], division.splits[split])
        if split in division.splits
        else given[split]
        for split in ("train", "dev", "test")
    }
    notes += division.notes
    train = splits["train"]
    facts = gather_facts(train)
    manifests = {split: f"data/{split}.jsonl" for split in splits}
    advice = recommend(facts, train, choose("corpus", "manifest", **manifests))
    source = locate(options.source or "")
    origin = {
        "source": address_of(source) or str(source.absolute()),
        "seed": options.seed,
        "notes": notes,
    }
    files = make_files(name, advice, origin)
    _write(folder, files, splits)
    place = shlex.quote(str(folder))
    return [
        *notes,
        *_count(splits),
        *_warn_of_little(facts),
        *facts.describe(),
        "they are learnt in upper case and without punctuation, unless the recipe sets "
        "text.case=lower or keep, text.punctuation=keep",
        f"recipe: that of {advice.base.corpus}, {advice.base.encoder}, "
        f"{advice.options.trainer.max_epochs} epochs; the reasons stand in it",
        f"made: {folder}",
        *(f"  {path}" for path in sorted([*files, *manifests.values()])),
        f"next: cd {place} && bash run.sh",
        f"before, what it costs here: cd {place} && speechgru advise corpus={name}",
    ]


def check_free(folder: Path) -> None:
    """See that nothing lies at a folder. Raises InputError: something does."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise InputError(
            f"{folder}: is there already, expected a new folder; name another"
        )
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(
            f"{folder}: is there already, with files in it, expected a new folder; "
            "nothing is ever written over: name another"
        )


def name_project(folder: Path, wanted: str | None) -> str:
    """What corpus and recipe are called.

    Raises:
        InputError: it cannot be a name, or one of ours has it.

    >>> name_project(Path("My voices 2"), None)
    'my_voices_2'
    """
    name = wanted
    if name is None:
        name = re.sub(r"[^a-z0-9]+", "_", folder.absolute().name.lower()).strip("_")
        if not re.match("[a-z]", name):
            name = f"corpus_{name}".strip("_")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,99}", name):
        raise InputError(
            f"recipe is {name!r}, expected a letter, then letters, digits or _; name "
            "the corpus by recipe=NAME"
        )
    ours = {choice.partition("/")[0] for choice in choices("recipe")}
    if name in ours | {*choices("corpus")}:
        raise InputError(
            f"{name}: is a corpus of speechgru itself, expected another name; set "
            f"recipe=my_{name}"
        )
    return name


def _write(
    folder: Path, files: Mapping[str, str], splits: Mapping[str, Sequence[Utterance]]
) -> None:
    """Write all of it beside the folder, then put it in its place at once."""
    parent = folder.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    # Not by tempfile, whose folders nobody else in a lab could read.
    made = parent / f".{folder.name[:40]}.{secrets.token_hex(4)}"
    made.mkdir()
    try:
        for path, text in files.items():
            (made / path).parent.mkdir(parents=True, exist_ok=True)
            (made / path).write_text(text, encoding="utf-8")
        (made / "data").mkdir()
        for split, utterances in splits.items():
            # Relative paths are right in the end: the folder has the same parent.
            write_manifest(made / "data" / f"{split}.jsonl", utterances)
        check_free(folder)
        os.rename(made, folder)  # fails if somebody has put something there
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _count(splits: Mapping[str, Sequence[Utterance]]) -> list[str]:
    lines, single = [], []
    for split, utterances in splits.items():
        speakers = len({each.speaker for each in utterances} - {None})
        lines.append(
            f"{split}: {len(utterances):,} utterances, "
            f"{durations_of(utterances).sum() / 3600:.2f} h, "
            f"{speakers or 'unknown'} speaker{'s' * (speakers != 1)}"
        )
        if speakers == 1 and split != "train":
            single.append(split)
    if single:
        lines.append(
            f"{' and '.join(single)}: one voice, on which the score depends; more are "
            "taken by dev_share=0.2 test_share=0.2, or come with more speakers"
        )
    return lines


def _warn_of_little(facts: CorpusFacts) -> list[str]:
    if facts.hours >= LITTLE:
        return []
    return [
        f"{60 * facts.hours:.1f} minutes to train on show that everything works, and "
        "no more; the smallest corpus that was measured has 4, of two words"
    ]
