"""Results as NIST's scoring tools read them: trn, ctm and stm.

    sclite -s -e utf-8 -r A.ref.trn trn -h A.hyp.trn trn -i spu_id
    sclite -s -e utf-8 -r A.stm stm -h A.ctm ctm

An utterance is called `<speaker>-<id>`, and is a recording of its own in ctm
and stm. What the formats cannot hold in a name is written as in a URL: %20.

Source:
    NIST Speech Recognition Scoring Toolkit, infmts(5).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from speechgru.files import beside, replace_file
from speechgru.interfaces import InputError
from speechgru.score.results import Result

RESERVED = ("@", "IGNORE_TIME_SEGMENT_IN_SCORING")
"""Nothing, and a stretch that is not scored."""


def write_nist_files(path: Path, results: Sequence[Result]) -> list[Path]:
    """Write references and hypotheses beside a file of results.

    Args:
        path: of the results; theirs is the same name, ending otherwise.
        results: with the times of words and durations, for ctm and stm.

    Returns:
        The files: .ref.trn, .hyp.trn, .ctm, .stm.

    Raises:
        InputError: a word means something else to NIST's tools, a duration is
            not known, or a file cannot be written.
    """
    # The tools read both files of a pair side by side.
    results = sorted(results, key=lambda result: utterance_name(result).encode())
    contents = {
        ".ref.trn": _trn_lines(results, [result.reference for result in results]),
        ".hyp.trn": _trn_lines(results, [result.hypothesis for result in results]),
        ".ctm": _ctm_lines(results),
        ".stm": _stm_lines(results),
    }
    texts = {extension: "".join(lines) for extension, lines in contents.items()}
    written = []
    for extension, text in texts.items():
        written.append(beside(path, extension))
        replace_file(written[-1], text.encode())
    return written


def utterance_name(result: Result) -> str:
    """<speaker>-<id>, in which the first hyphen ends the speaker."""
    return f"{_speaker_name(result)}-{quote(result.id, errors='surrogateescape')}"


def _speaker_name(result: Result) -> str:
    name = quote(result.speaker or "unknown", safe="", errors="surrogateescape")
    return name.replace("-", "%2D").replace("_", "%5F")


def _trn_lines(results: Sequence[Result], texts: Sequence[str]) -> Iterator[str]:
    for result, text in zip(results, texts, strict=True):
        words = [_check_word(word, result) for word in text.split()]
        yield " ".join([*words, f"({utterance_name(result)})\n"])


def _ctm_lines(results: Sequence[Result]) -> Iterator[str]:
    for result in results:
        if result.hypothesis.split() and not result.words:
            raise InputError(
                f"{result.id}: the times of the words are not known, expected those "
                "of every word heard, for ctm; leave the files for NIST's tools out"
            )
        for word in result.words:
            text = _check_word(word.text, result)
            yield (
                f"{utterance_name(result)} 1 {word.start:.3f} "
                f"{word.end - word.start:.3f} {text} {word.confidence:.4f}\n"
            )


def _stm_lines(results: Sequence[Result]) -> Iterator[str]:
    for result in results:
        if result.duration is None:
            raise InputError(
                f"{result.id}: the duration is not known, expected that of every "
                "utterance, for stm; leave the files for NIST's tools out"
            )
        # A frame can begin within the recording and end after it.
        end = max([result.duration, *(word.end for word in result.words)])
        words = [_check_word(word, result) for word in result.reference.split()]
        # A label, even one that says nothing, keeps a word from being taken for it.
        fields = [utterance_name(result), "1", _speaker_name(result), "0.000"]
        yield " ".join([*fields, f"{end:.3f}", "<O>", *words]) + "\n"


def _check_word(word: str, result: Result) -> str:
    if set(word) & set("{};\\*") or word.startswith("<") or word in RESERVED:
        raise InputError(
            f"{result.id}: the word {word!r} means something else to NIST's tools, "
            "expected none with { } ; \\ or *, that begins with <, or that is "
            f"{' or '.join(RESERVED)}; leave the files for them out"
        )
    return word
