"""`speechgru report`: results as a page to look at and to listen to."""

import base64
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import chain, combinations
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import soundfile
import torch
from torch import Tensor

from speechgru.audio import load_audio
from speechgru.checkpoint.load import LoadedCheckpoint, load_checkpoint, to_device
from speechgru.cli.config import read_command_line
from speechgru.features.log_mel import LogMel
from speechgru.files import beside, printable, relative_path, replace_file
from speechgru.interfaces import BLANK, InputError
from speechgru.options import ReportOptions
from speechgru.options.config_file import read_config_text
from speechgru.progress import track
from speechgru.report.page import Media, Recording, System, make_page, worst_first
from speechgru.score.compare import check_comparable, compare, holm
from speechgru.score.learning import read_learning_curves
from speechgru.score.plain import hint_at_form
from speechgru.score.results import Result, read_results, rescore
from speechgru.score.summary import read_summary, summarise
from speechgru.threads import set_up_cpu

USAGE = """
usage: speechgru report RUN|RESULTS [RUN|RESULTS ...] [KEY=VALUE ...]

Make one page of HTML of a run's results, or of files of results: error rates
with their intervals, learning curves, confusions, and every utterance, the worst
first, to listen to and to look at. The page loads nothing from the network.
"""

SAMPLE_RATE = 16000  # Hz, of the sound in the page
MAX_COLUMNS = 800  # of a spectrogram; longer ones are averaged
LEAST_PROBABILITY = 0.1  # of a token somewhere, to be drawn
NO_PATH = "the results do not say where its audio lies"
MAX_LISTED = 20  # reasons of a system to be silent; the page tells of all


@dataclass(frozen=True)
class Source:
    """A file of results, and the run folder it lies in, if it is one."""

    path: Path
    run: Path | None

    @property
    def description(self) -> dict[str, Any] | None:
        """What `evaluate` wrote beside the results."""
        path = beside(self.path, ".summary.json")
        return read_summary(path) if path.exists() else None


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    line = read_command_line(ReportOptions, arguments, USAGE, (1, 26))
    config = line.config
    set_up_cpu(config["num_threads"])
    sources = [source for name in line.positional for source in find_results(name)]
    output = Path(str(config["output"] or sources[0].path.with_name("report.html")))
    check_output(output, sources)
    collector = MediaCollector(output.parent, config["link_audio"])
    systems = [
        make_system(source, name, config, collector)
        for source, name in zip(sources, short_names(sources), strict=True)
    ]
    try:
        check_comparable({system.name: system.results for system in systems})
        comparisons, why_not = compare_all(systems, config["resample"]), ""
    except InputError as error:
        ids = [{result.id for result in system.results} for system in systems]
        disjoint = not set.intersection(*ids)
        why = "they are results of different utterances" if disjoint else error
        comparisons, why_not = [], f"Not compared: {why}"
    title = f"speechgru: {', '.join(system.name for system in systems)}"
    page = make_page(title, systems, collector.recordings, comparisons, why_not)
    replace_file(output, page.encode())
    for system in systems:
        print_failures(system)
        if hint := hint_at_form(system.results):
            print(f"{system.name}: {hint}", file=sys.stderr)
    size = len(page.encode()) / 2**20
    print(f"report: {printable(str(output))} ({size:.1f} MiB)")
    return 0


def print_failures(system: System) -> None:
    """Tell why utterances have no sound, each reason once."""
    by_reason: dict[str, list[str]] = {}
    for id, why in system.media.failures.items():
        by_reason.setdefault(why, []).append(id)
    for why, ids in [*by_reason.items()][:MAX_LISTED]:
        which = ids[0] if len(ids) == 1 else f"{len(ids)} utterances"
        said = printable(f"{system.name}: {which} without sound: {why}")
        print(said, file=sys.stderr)
    if len(by_reason) > MAX_LISTED:
        more = len(by_reason) - MAX_LISTED
        said = printable(f"{system.name}: and {more} more, see the page")
        print(said, file=sys.stderr)


def find_results(name: str) -> list[Source]:
    """The results in a run folder, or a file of results."""
    path = Path(name)
    folder = path if path.is_dir() else path.parent
    run = folder if (folder / "config.yaml").exists() else None
    if not path.is_dir():
        return [Source(path, run)]
    found = sorted(
        results
        for results in path.glob("*.jsonl")
        if beside(results, ".summary.json").exists()
    )
    if not found:
        raise InputError(
            f"{path}: holds no results, expected those of `evaluate`; run first: "
            f"speechgru evaluate {path / 'best.ckpt'} corpus=NAME"
        )
    return [Source(results, run) for results in found]


def check_output(output: Path, sources: Sequence[Source]) -> None:
    """See that the page does not take the place of what it is made of."""
    for source in sources:
        for path in (source.path, beside(source.path, ".summary.json")):
            if output.resolve() == path.resolve():
                raise InputError(
                    f"{output}: the page would overwrite these results; set "
                    "output=PATH to another file"
                )


def short_names(sources: Sequence[Source]) -> list[str]:
    """Name each by as few parts of its path as tell them apart."""
    paths = [source.path.absolute() for source in sources]
    if len({path.resolve() for path in paths}) < len(paths):
        raise InputError("the same results are given twice, expected different ones")
    bare = [beside(path, "") for path in paths]
    if len(set(bare)) == len(bare):
        paths = bare
    for length in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-length:]) for path in paths]
        if len(set(names)) == len(names):
            break
    return names


def make_system(
    source: Source, name: str, config: Mapping[str, Any], collector: "MediaCollector"
) -> System:
    """Read the results and what belongs to them."""
    results = rescore(read_results(source.path), config["score"])
    described = source.description
    run_config = source.run / "config.yaml" if source.run else None
    return System(
        name=name,
        path=str(source.path),
        results=results,
        summary=summarise(results, config["resample"]),
        description=described,
        curves=read_learning_curves(source.run) if source.run else [],
        config=read_config_text(run_config) if run_config else None,
        media=collector.collect(
            results,
            config["worst"],
            find_model(source, described, config),
        ),
    )


def find_model(
    source: Source, described: Mapping[str, Any] | None, config: Mapping[str, Any]
) -> LoadedCheckpoint | None:
    """The checkpoint that made the results, if it is still there."""
    named = config["checkpoint"]
    if named is False or config["worst"] == 0:
        return None
    if named is not None:
        path = Path(str(named))
    elif described is None:
        return None
    else:
        path = source.path.parent / str(described["checkpoint"])
        if not path.exists():
            gone = f"{path}: is gone, so the page shows no posteriors of {source.path}"
            print(printable(gone), file=sys.stderr)
            return None
    loaded = load_checkpoint(path, config["trust"])
    to_device(loaded.model, config["device"])
    return loaded


def compare_all(systems: Sequence[System], resample: Any) -> list[dict[str, Any]]:
    """Every pair of systems."""
    pairs = [*combinations(systems, 2)]
    comparisons = [
        compare(first.results, second.results, resample) for first, second in pairs
    ]
    adjusted = holm([comparison.matched_pairs.p for comparison in comparisons])
    return [
        {
            "first": first.name,
            "second": second.name,
            "difference": comparison.difference,
            "low": comparison.low,
            "high": comparison.high,
            "p": p,
        }
        for (first, second), comparison, p in zip(
            pairs, comparisons, adjusted, strict=True
        )
    ]


@dataclass
class MediaCollector:
    """Load sound and posteriors for the page, each recording once.

    Attributes:
        folder: of the page.
        link_audio: refer to the files of utterances whose sound is not loaded.
        recordings: those loaded so far.
    """

    folder: Path
    link_audio: bool
    recordings: list[Recording] = field(default_factory=list)
    _indices: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def collect(
        self,
        results: Sequence[Result],
        worst: int,
        loaded: LoadedCheckpoint | None,
    ) -> Media:
        """Load the worst utterances of a system."""
        media = Media()
        ranked = worst_first(results)
        shown = track(ranked[:worst], "report", "recordings")
        for index, result in enumerate(chain(shown, ranked[worst:])):
            if result.audio_path is None:
                media.failures[result.id] = NO_PATH
            elif index < worst:
                try:
                    media.recordings[result.id] = self._load_once(result)
                    if loaded is not None:
                        media.posteriors[result.id] = posteriors(loaded, result)
                except (InputError, OSError) as error:
                    media.failures[result.id] = str(error)
            elif self.link_audio:
                media.links[result.id] = self._link(result)
        return media

    def _load_once(self, result: Result) -> int:
        part = None if result.offset is None else (result.offset, result.duration)
        key = (result.audio_path.resolve(), part)
        if key not in self._indices:
            self.recordings.append(make_recording(load(result, SAMPLE_RATE)))
            self._indices[key] = len(self.recordings) - 1
        return self._indices[key]

    def _link(self, result: Result) -> str:
        link = quote(os.fsencode(relative_path(result.audio_path, self.folder)))
        if result.offset is None:
            return link
        end = "" if result.duration is None else f",{result.offset + result.duration}"
        return f"{link}#t={result.offset}{end}"


def load(result: Result, sample_rate: int) -> Tensor:
    """(S,) samples of an utterance."""
    part = () if result.offset is None else (result.offset, result.duration)
    return load_audio(result.audio_path, sample_rate, True, *part)


def make_recording(waveform: Tensor) -> Recording:
    """Pack (S,) samples at SAMPLE_RATE for the page."""
    content = BytesIO()
    soundfile.write(
        content, waveform.clamp(-1, 1).numpy(), SAMPLE_RATE, "PCM_16", format="FLAC"
    )
    log_mel = LogMel(SAMPLE_RATE, n_fft=400, hop_length=160, n_mels=80)
    features, _ = log_mel(waveform[None], torch.tensor([len(waveform)]))
    mel = features[0].numpy()
    pooled = math.ceil(len(mel) / MAX_COLUMNS)
    if pooled > 1:
        starts = np.arange(0, len(mel), pooled)
        sizes = np.diff([*starts, len(mel)])
        mel = np.add.reduceat(mel, starts) / sizes[:, None]
    quiet, loud = np.percentile(mel, [5, 99.5])
    shades = np.clip((mel - quiet) / max(loud - quiet, 1e-3), 0, 1)
    return Recording(
        flac=base64.b64encode(content.getvalue()).decode(),
        seconds=len(waveform) / SAMPLE_RATE,
        mel={"frames": len(mel), "bins": mel.shape[1], "values": encode_bytes(shades)},
    )


@torch.inference_mode()
def posteriors(loaded: LoadedCheckpoint, result: Result) -> dict[str, Any]:
    """What the model hears at each frame, of the tokens that it hears at all."""
    model = loaded.model.eval()
    waveform = load(result, model.sample_rate)
    device = next(model.parameters()).device
    log_probs, _ = model(
        waveform[None].to(device), torch.tensor([len(waveform)], device=device)
    )
    probabilities = log_probs[0].exp().cpu().numpy().T
    heard = [
        token
        for token in range(len(probabilities))
        if token == BLANK or probabilities[token].max() >= LEAST_PROBABILITY
    ]
    tokens = loaded.tokenizer.tokens
    return {
        "frames": probabilities.shape[1],
        "seconds_per_frame": model.seconds_per_frame,
        "tokens": [None if token == BLANK else tokens[token] for token in heard],
        "values": encode_bytes(probabilities[heard]),
    }


def encode_bytes(shares: np.ndarray) -> str:
    """Base64 of a byte for each number in [0, 1]."""
    return base64.b64encode(np.round(255 * shares).astype(np.uint8).tobytes()).decode()
