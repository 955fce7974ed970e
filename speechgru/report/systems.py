"""Reading what belongs to each system of a page, and comparing them."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from speechgru.checkpoint.load import LoadedCheckpoint, load_checkpoint, to_device
from speechgru.factory import build_word_map
from speechgru.interfaces import InputError, Tokenizer
from speechgru.options import ReportOptions
from speechgru.options.config_file import read_config_text
from speechgru.report.collector import MediaCollector
from speechgru.report.levels import measure_levels
from speechgru.report.making import (
    describe_decoding,
    describe_training,
    find_unusual,
)
from speechgru.report.page import Difference, System
from speechgru.report.sources import Source
from speechgru.report.training_words import count_training_words, load_tokenizer
from speechgru.run_files import CONFIG_FILE
from speechgru.score.breakdown import break_down
from speechgru.score.compare import check_comparable, compare, holm
from speechgru.score.learning import read_learning_curves
from speechgru.score.plain import hint_at_form
from speechgru.score.quantities import rates_by_quantity, speaking_rates
from speechgru.score.results import read_results, rescore
from speechgru.score.summary import Unit, summarise
from speechgru.score.word_map import map_results

MAX_LISTED = 20  # reasons of a system to be silent; the page tells of all


def read_system(
    source: Source, name: str, options: ReportOptions, collector: MediaCollector
) -> tuple[System, list[str]]:
    """Read the results and what belongs to them.

    Returns:
        The system, and what to remark on the model that made the results.

    Raises:
        InputError: a file is damaged.
    """
    word_map = build_word_map(options.word_map, options.trust)
    results = map_results(rescore(read_results(source.path), options.score), word_map)
    described = source.read_description()
    run_config = source.run / CONFIG_FILE if source.run else None
    summary = summarise(results, options.resample)
    curves = read_learning_curves(source.run) if source.run else []
    config = read_config_text(run_config) if run_config else None
    loaded, remarks = find_model(source, described, options)

    def find_tokenizer() -> Tokenizer | None:
        if loaded is not None:
            return loaded.tokenizer
        return load_tokenizer(
            source, described, options.checkpoint or None, options.trust
        )

    trained = count_training_words(source, options.train, find_tokenizer, word_map)
    levels = measure_levels(results) if options.levels else {}
    media = collector.collect(results, options.worst, loaded, options.worst_seconds)
    system = System(
        name=name,
        path=str(source.path),
        results=results,
        summary=summary,
        breakdown=break_down(results, trained, options.resample),
        description=described,
        curves=curves,
        config=config,
        unusual=find_unusual(source.run) if source.run else [],
        decoding=describe_decoding(described),
        training=describe_training(described, curves, source.run),
        by_level=rates_by_quantity(results, levels, options.resample, digits=0),
        by_pace=rates_by_quantity(results, speaking_rates(results), options.resample),
        media=media,
    )
    return system, remarks


def find_model(
    source: Source, described: Mapping[str, Any] | None, options: ReportOptions
) -> tuple[LoadedCheckpoint | None, list[str]]:
    """The checkpoint that made the results, if it is still there.

    Args:
        source: the results.
        described: how they were made, where known.
        options: which may name another checkpoint, or none.

    Returns:
        The model, and a remark if it is gone.
    """
    if options.checkpoint is False or options.worst == 0:
        return None, []
    path = options.checkpoint
    if path is None:
        if described is None:
            return None, []
        path = source.path.parent / str(described["checkpoint"])
        if not path.exists():
            return None, [
                f"{path}: is gone, so the page shows no posteriors of {source.path}"
            ]
    loaded = load_checkpoint(path, options.trust)
    to_device(loaded.model, options.device)
    return loaded, []


def compare_all(
    systems: Sequence[System], resample: Unit | None
) -> tuple[list[Difference], str]:
    """Compare every pair of systems, if they are of the same utterances.

    Returns:
        The differences, and why there are none, if there are not.
    """
    try:
        check_comparable({system.name: system.results for system in systems})
        pairs = [*combinations(systems, 2)]
        comparisons = [
            compare(first.results, second.results, resample) for first, second in pairs
        ]
    except InputError as error:
        ids = [{result.id for result in system.results} for system in systems]
        disjoint = not set.intersection(*ids)
        why = "they are results of different utterances" if disjoint else error
        return [], f"Not compared: {why}"
    adjusted = holm([comparison.matched_pairs.p for comparison in comparisons])
    return [
        Difference(
            first=first.name,
            second=second.name,
            difference=comparison.difference,
            low=comparison.low,
            high=comparison.high,
            p=p,
        )
        for (first, second), comparison, p in zip(
            pairs, comparisons, adjusted, strict=True
        )
    ], ""


def remark_on(system: System) -> list[str]:
    """Why utterances have no sound, each reason once, and errors of form alone."""
    by_reason: dict[str, list[str]] = {}
    for id, why in system.media.failures.items():
        by_reason.setdefault(why, []).append(id)
    remarks = []
    for why, ids in [*by_reason.items()][:MAX_LISTED]:
        which = ids[0] if len(ids) == 1 else f"{len(ids)} utterances"
        remarks.append(f"{system.name}: {which} without sound: {why}")
    if len(by_reason) > MAX_LISTED:
        more = len(by_reason) - MAX_LISTED
        remarks.append(f"{system.name}: and {more} more, see the page")
    if hint := hint_at_form(system.results):
        remarks.append(f"{system.name}: {hint}")
    return remarks
