"""A part of many recordings, for one of many processes that do not speak."""

from collections.abc import Sequence
from dataclasses import dataclass

from speechgru.interfaces import InputError
from speechgru.transcribe.inputs import Input
from speechgru.transcribe.places import source_of
from speechgru.transcribe.transcript import NAMELESS


@dataclass(frozen=True)
class Shard:
    """One of several parts; all together are the whole, and nothing is in two.

    Attributes:
        number: from 1.
        total: number of parts.
    """

    number: int
    total: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read an option that was checked, e.g. "3/16"."""
        number, _, total = text.partition("/")
        return cls(int(number), int(total))

    @property
    def name(self) -> str:
        """For the name of a file."""
        return f"{self.number}-of-{self.total}"

    def take(self, inputs: Sequence[Input]) -> list[Input]:
        """This part of the inputs, in their order; which it is, names alone decide.

        Raises:
            InputError: standard input is among them, which comes to one process only.
        """
        names = [source_of(each) for each in inputs]
        if NAMELESS in names:
            raise InputError(
                f"shard is {self.number}/{self.total}, but - is standard input, "
                "expected files; name them"
            )
        by_name = sorted(range(len(inputs)), key=names.__getitem__)
        return [
            inputs[index] for index in sorted(by_name[self.number - 1 :: self.total])
        ]
