"""What a source meets while it is read: mistakes, guesses, audio to be measured."""

from pathlib import Path

from speechgru.audio import inspect_audio
from speechgru.data.manifest import check_unicode
from speechgru.files import list_problems, printable
from speechgru.interfaces import FilePart, InputError, Utterance
from speechgru.progress import Progress, say_line
from speechgru.remote import address_of

MOST_PROBLEMS = 1000
"""After so many nothing more is read: the file is another than it is taken for."""

LONGEST_PROBLEM = 2000
"""Characters of a problem that are told."""


class Reading:
    """One reading of a source from its beginning to its end.

    Use it in a `with` statement.

    Args:
        path: of what is read; for messages.
    """

    def __init__(self, path: Path) -> None:
        self.path = address_of(path) or path
        self.num_measured = 0
        self._ids: set[str] = set()
        self._problems: list[str] = []
        self._progress = Progress(f"reading {path.name}", None, "utterances", done=0)

    def __enter__(self) -> "Reading":
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._progress.close()

    def say(self, what: str) -> None:
        """Tell what was guessed or left out."""
        say_line(printable(f"{self.path}: {what}"))

    def add_problem(self, problem: str | InputError) -> None:
        """Keep a mistake, to be told with all others; it names file and line."""
        told = printable(str(problem))
        if len(told) > LONGEST_PROBLEM:  # a name without end
            told = f"{told[:LONGEST_PROBLEM]}... ({len(told)} characters)"
        self._problems.append(told)
        if len(self._problems) >= MOST_PROBLEMS:
            self.finish()

    def measure(self, audio: Path | FilePart) -> float:
        """How long a recording lasts, in s, as its header says. Raises AudioError."""
        self.num_measured += 1
        return inspect_audio(audio).duration

    def accepts(self, utterance: Utterance) -> bool:
        """Count an utterance; see that it lasts, and has an id of its own."""
        id = utterance.id
        self._progress.advance()
        if utterance.offset < 0:
            self.add_problem(
                f"{self.path}: {id}: begins at {utterance.offset:g} s, expected 0 or "
                "more; correct its offset"
            )
            return False
        if utterance.duration <= 0:
            self.add_problem(
                f"{self.path}: {id}: {utterance.duration:g} s are left of the "
                f"recording behind {utterance.offset:g} s, expected more than 0; "
                "correct its offset or duration"
            )
            return False
        try:
            check_unicode(utterance)
        except InputError as error:
            self.add_problem(error)
            return False
        if id in self._ids:
            self.add_problem(
                f"{self.path}: id '{id}' occurs twice, expected unique ids; "
                "give each utterance its own"
            )
            return False
        self._ids.add(id)
        return True

    def finish(self) -> None:
        """Raise InputError if there were mistakes, or no utterances."""
        if self._problems:
            raise InputError(
                list_problems(
                    self._problems, self.path, len(self._problems), "problems"
                )
            )
        if not self._ids:
            raise InputError(
                f"{self.path}: holds no utterances, expected at least one; correct "
                "the path"
            )
