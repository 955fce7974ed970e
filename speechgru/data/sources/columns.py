"""Which column of a table is what: named by the user, or guessed and said."""

from collections.abc import Sequence
from dataclasses import dataclass

from speechgru.interfaces import InputError

NAMES = {
    "audio": (
        *("audio", "audio_filepath", "audio_path", "audio_file", "wav_filename", "wav"),
        *("path", "file", "file_name", "filename", "file_path", "filepath"),
    ),
    "text": (
        *("text", "transcript", "transcription", "sentence", "normalized_text"),
        *("raw_transcription", "words"),
    ),
    "speaker": ("speaker", "speaker_id", "spk_id", "client_id"),
    "id": ("id", "utt_id", "utterance_id", "uttid"),
    "duration": ("duration",),
    "offset": ("offset", "start"),
}
"""What columns are usually called, the likeliest first."""

NONE = "none"
"""What the user says of a column that only looks like one."""


@dataclass(frozen=True)
class Columns:
    """Names of the columns of a table; None: it has no such column.

    Attributes:
        audio, text: always there.
        speaker, id, duration, offset: as in an `Utterance`; s.
    """

    audio: str
    text: str
    speaker: str | None
    id: str | None
    duration: str | None
    offset: str | None

    def __str__(self) -> str:
        found = {role: getattr(self, role) for role in NAMES}
        return ", ".join(
            f"{role} from column '{name}'" if name else f"no {role}"
            for role, name in found.items()
        )


def find_columns(
    place: str, present: Sequence[str], given: dict[str, str | None]
) -> Columns:
    """Find the column of each role.

    Args:
        place: of the table; for messages.
        present: names of its columns.
        given: by role, what the user said; None: guess; NONE: there is none.

    Raises:
        InputError: a column is not there, or none looks like what must be there.
    """
    named = show_names(present)
    lower = {name.lower(): name for name in reversed(present)}
    found: dict[str, str | None] = {}
    for role, guesses in NAMES.items():
        name = given.get(role)
        if name == NONE and NONE not in present:
            found[role] = None
            continue
        if name is not None and name not in present:
            raise InputError(
                f"{place}: has no column '{name}', expected one of: "
                f"{named}; correct corpus.{role}"
            )
        found[role] = name or next((lower[g] for g in guesses if g in lower), None)
    for role in ("audio", "text"):
        if found[role] is None:
            raise InputError(
                f"{place}: none of its columns ({named}) looks like the {role}; set "
                f"corpus.{role}=COLUMN"
            )
    if found["id"] in (found["audio"], found["text"]):
        found["id"] = None
    return Columns(**found)


def show_names(names: Sequence[str]) -> str:
    """Names of columns in a line, which a file that is no table makes very long."""
    shown = [name if len(name) <= 60 else f"{name[:57]}..." for name in names[:50]]
    rest = [f"... and {len(names) - 50} more"] if len(names) > 50 else []
    return ", ".join([*shown, *rest])
