"""TIMIT: 630 speakers of American English read ten sentences each, 16 kHz.

Source: LDC93S1 (licence of the Linguistic Data Consortium, paid). The phones are
mapped as in K.-F. Lee and H.-W. Hon, "Speaker-independent phone recognition using
hidden Markov models", IEEE Trans. ASSP 37(11), 1989, table 1.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from speechgru.data.corpora.choices import check_choice
from speechgru.data.corpora.owned import OwnedCorpus
from speechgru.data.corpora.recordings import Recording, describe_files
from speechgru.data.corpora.timit_phones import map_phone
from speechgru.files import read_lines
from speechgru.interfaces import InputError, Utterance

_TRANSCRIPTS = {"phones60": 60, "phones48": 48, "phones39": 39, "words": 0}

_CORE_TEST = (
    "felc0 mdab0 mwbt0 fpas0 mtas1 mwew0 fpkt0 mjmp0 mlnt0 fjlm0 mlll0 mtls0 "
    "fnlp0 mbpm0 mklt0 fmgd0 mcmj0 mjdh0 fdhc0 mgrt0 mnjm0 fmld0 mjln0 mpam0"
)
"""24 speakers, two men and a woman of each region; the documentation names them."""

_DEV = (
    "faks0 fdac1 fjem0 mgwt0 mjar0 mmdb1 mmdm2 mpdf0 fcmh0 fkms0 mbdg0 mbwm0 mcsh0 "
    "fadg0 fdms0 fedw0 mgjf0 mglb0 mrtk0 mtaa0 mtdt0 mthc0 mwjg0 fnmr0 frew0 fsem0 "
    "mbns0 mmjr0 mdls0 mdlf0 mdvc0 mers0 fmah0 fdrw0 mrcs0 mrjm4 fcal1 mmwh0 fjsj0 "
    "majc0 mjsw0 mreb0 fgjd0 fjmg0 mroa0 mteb0 mjfc0 mrjr0 fmml0 mrws1"
)
"""The 50 other test speakers on whom systems are usually chosen."""

_SPLIT = {
    **dict.fromkeys(_CORE_TEST.split(), "test"),
    **dict.fromkeys(_DEV.split(), "dev"),
}


class TIMIT(OwnedCorpus):
    """TIMIT as phones are usually recognised on it: train, 50 speakers, core test.

    The two sentences that everybody says (SA) are left out, and so are the 94 other
    test speakers. Names of folders and files may be in upper or lower case.

    Args:
        transcript: phones60, phones48 or phones39, separated by spaces, the glottal
            stop q left out; or words.
        words: of phones; not checked for a transcript of words.
        others: as for OwnedCorpus.

    Raises:
        InputError: as for OwnedCorpus, or an unknown transcript.
    """

    where = "the folder that has TRAIN and TEST in it"

    def __init__(
        self,
        name: str,
        root: str | Path,
        folder: str | None,
        transcript: str,
        utterances: Mapping[str, int | None] | None = None,
        hours: Mapping[str, float | None] | None = None,
        words: Mapping[str, int | None] | None = None,
    ) -> None:
        check_choice("transcript", transcript, _TRANSCRIPTS)
        phones = None if transcript == "words" else words
        root = Path(root) / transcript
        super().__init__(name, root, folder, utterances, hours, phones)
        self.num_phones = _TRANSCRIPTS[transcript]

    @property
    def variant(self) -> str:
        """The name, and the transcript."""
        return f"{self.name}-{self.root.name}"

    @property
    def prepare_command(self) -> str:
        """What a message tells people to run."""
        return f"{super().prepare_command} corpus.transcript={self.root.name}"

    def _read_folder(self, folder: Path) -> dict[str, list[Utterance]]:
        recordings: dict[str, list[Recording]] = {"train": [], "dev": [], "test": []}
        for half in ("train", "test"):
            for path in sorted(_find(folder, half), key=lambda p: str(p).lower()):
                speaker = path.parent.name.lower()
                split = "train" if half == "train" else _SPLIT.get(speaker)
                sentence = path.name.partition(".")[0].lower()
                if split is not None and not sentence.startswith("sa"):
                    recording = self._describe(path, speaker, sentence)
                    recordings[split].append(recording)
        for split, found in recordings.items():
            if not found:
                raise InputError(
                    f"{folder}: no recording of {split}, expected files such as "
                    f"TRAIN/DR1/FCJF0/SX37.WAV; set corpus.folder to {self.where}"
                )
        return {
            split: describe_files(found, f"{self.name} {split}")
            for split, found in recordings.items()
        }

    def _describe(self, path: Path, speaker: str, sentence: str) -> Recording:
        if self.num_phones:
            symbols = _read_last_column(_beside(path, ".phn"))
            mapped = (map_phone(phone, self.num_phones) for phone in symbols)
            text = " ".join(filter(None, mapped))
        else:
            text = " ".join(_read_last_column(_beside(path, ".wrd")))
        return Recording(f"{speaker}-{sentence}", path, text, speaker)


def _find(folder: Path, half: str) -> Iterator[Path]:
    """Recordings `<half>/<region>/<speaker>/<sentence>.wav`, in whatever case."""
    by_name: dict[Path, Path] = {}
    for top in folder.iterdir():
        if top.name.lower() == half:
            for path in top.glob("*/*/*"):
                if path.suffix.lower() in (".wav", ".flac"):
                    # Some have been converted, SX37.WAV.wav beside SX37.WAV.
                    first = path.parent / path.name.partition(".")[0].lower()
                    if first not in by_name or len(path.name) < len(
                        by_name[first].name
                    ):
                        by_name[first] = path
    yield from by_name.values()


def _beside(path: Path, ending: str) -> Path:
    """The file of the same sentence with another ending, in whatever case."""
    stem = path.name.partition(".")[0]
    for name in (stem + ending.upper(), stem + ending.lower()):
        if (path.parent / name).exists():
            return path.parent / name
    raise InputError(
        f"{path}: without {stem}{ending.upper()} beside it; copy the whole folder again"
    )


def _read_last_column(path: Path) -> list[str]:
    """Lines `FIRST LAST SYMBOL`, in samples."""
    found = []
    for number, line in enumerate(read_lines(path, "symbols and their samples"), 1):
        columns = line.split()
        if not columns:
            continue
        if len(columns) != 3 or not (columns[0] + columns[1]).isdigit():
            raise InputError(
                f"{path}:{number}: '{line}' is no symbol with its samples, expected "
                "e.g. '0 3050 h#'; copy the file again"
            )
        found.append(columns[2].lower())
    if not found:
        raise InputError(f"{path}: empty, expected symbols; copy the file again")
    return found
