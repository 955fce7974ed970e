"""A recipe for a corpus: that of the nearest measured run, with some changes."""

import copy
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from speechgru.advice.advice import Advice, Choice
from speechgru.advice.batches import find_fuller, measure_filling
from speechgru.advice.facts import CorpusFacts
from speechgru.advice.frames import Slack, Spelled, measure_slack, spell
from speechgru.advice.measured import MeasuredRun, read_measured_runs
from speechgru.advice.nearest import find_unknown, sort_by_distance
from speechgru.factory import build_augment
from speechgru.interfaces import Utterance
from speechgru.options.component import Component
from speechgru.options.recipe import fill_recipe
from speechgru.options.training import TrainOptions

FEW_WORDS = 30
"""Different ones, up to which each may be a token."""
MANY_WORDS = 1000
"""Different ones, from which on pieces of words can be learnt."""
PIECES_FROM = 2.0
"""h of audio; of less with many words nothing was measured."""

TIGHT = 2.3
"""Output frames a token, see `Slack.tight`: AN4 has 2.4 with 32 ms, 1.9 with 40."""
FRAMES = ((160, 4), (128, 4), (160, 3), (128, 3), (160, 2))
"""Samples between frames at 16 kHz and subsampling, by falling length: 40 to 20 ms."""

MOST_LONGER = 3.0
"""Times as many epochs as those of the run that advice begins from, at most."""


def recommend(
    facts: CorpusFacts, utterances: Sequence[Utterance], corpus: Component
) -> Advice:
    """Recommend a recipe.

    Args:
        facts: of the utterances.
        utterances: to train on.
        corpus: that they are of.

    Raises:
        InputError: no utterance has tokens.
    """
    runs = read_measured_runs()
    nearest = sort_by_distance(facts, runs)
    base = next(run for run in nearest if run.recipe is not None)
    assert base.recipe is not None
    body: dict[str, Any] = copy.deepcopy(dict(base.recipe))
    choices = [
        _choose_tokens(body, facts),
        _keep_encoder(body, base),
        _choose_rate(body, facts),
    ]
    spelled = spell(fill_recipe(body, corpus), utterances)
    tried = {run.frame for run in runs}
    frames, slack = _choose_frames(body, spelled, corpus, tried)
    choices += [frames, _choose_epochs(body, facts, base), _hear_silence(body, base)]
    choices.append(_fill_steps(body, utterances, corpus))
    if not has_bfloat16():
        body["trainer"].pop("precision", None)
    options = fill_recipe(body, corpus)
    return Advice(
        facts=facts,
        base=base,
        body=body,
        options=options,
        choices=tuple(choices),
        unknown=tuple(find_unknown(facts, base, runs)),
        comparable=tuple(nearest[:4]),
        slack=slack,
    )


def _choose_tokens(body: dict[str, Any], facts: CorpusFacts) -> Choice:
    is_alphabetic = facts.characters <= 200
    if (
        facts.vocabulary <= FEW_WORDS
        and facts.rarest_of_few >= 10
        and facts.hours > 0.5
    ):
        text = "words"
        why = (
            "few different words, all frequent: FSDD has 25.84 % with words, 34.73 "
            "with characters (one seed); AN4 with 98 words was worse with them"
        )
    elif (
        is_alphabetic and facts.vocabulary >= MANY_WORDS and facts.hours >= PIECES_FROM
    ):
        text = "subwords"
        body["text"] = {"vocabulary_size": 200}
        why = (
            "200 pieces of words: mini LibriSpeech has 70.1 % after 50 CPU-minutes (11 "
            "of 24 epochs), with characters and two views 79.4 after 53; one seed "
            "each; 500 pieces were run with other frames and steps only, and did "
            "worse; with a language model of millions of words, text=phones did better "
            "by far there, see docs/how-to/phones.md"
        )
    else:
        text = "characters"
        why = (
            "what AN4 and yesno were measured with; pieces of words were measured from "
            f"4.2 h on, and are advised from {PIECES_FROM:g} h and {MANY_WORDS:,} "
            "different words on"
        )
    if text != "subwords":
        body.pop("text", None)
    _override(body, "text", text)
    size = ".vocabulary_size=200" if text == "subwords" else ""
    return Choice("text", text + (f" text{size}" if size else ""), why)


def _keep_encoder(body: Mapping[str, Any], base: MeasuredRun) -> Choice:
    encoder = body["encoder"]
    others = {
        "an4-fold": "256 units were no better (stopped at 13 of 30 epochs)",
        "mini-librispeech-recipe": "one run; no other size was tried there",
    }
    return Choice(
        "encoder",
        f"gru encoder.num_layers={encoder['num_layers']} "
        f"encoder.hidden_size={encoder['hidden_size']} "
        f"encoder.dropout={encoder['dropout']}",
        f"as {base.corpus} has it; "
        f"{others.get(base.name, 'no other size was tried there')}",
    )


def _choose_rate(body: dict[str, Any], facts: CorpusFacts) -> Choice:
    features = body.setdefault("features", {})
    highest = max(facts.rates, default=16000)
    rate, n_fft = (8000, 256) if highest <= 8000 else (16000, 400)
    body["data"]["resample"] = True
    before = features.get("sample_rate", 16000)
    hop = features.get("hop_length", 160) * rate // before
    features |= {"sample_rate": rate, "n_fft": n_fft, "hop_length": hop}
    kind = "no recording has more" if rate == 8000 else "recordings of other rates are"
    return Choice(
        "features.sample_rate",
        f"{rate} data.resample=true",
        kind if rate == 8000 else f"{kind} converted",
    )


def _choose_frames(
    body: dict[str, Any],
    spelled: Spelled,
    corpus: Component,
    tried: Collection[float],
) -> tuple[Choice, Slack]:
    """The longest frames, of those of the run or shorter ones, that leave enough.

    Args:
        tried: ms of output frames, with which runs were measured.
    """
    rate = body["features"]["sample_rate"]
    own = (body["features"]["hop_length"], body["subsampling"]["factor"])
    shorter = [
        (hop * rate // 16000, factor)
        for hop, factor in FRAMES
        if hop * rate // 16000 * factor < own[0] * own[1]
    ]
    said = []
    for hop, factor in (own, *shorter):
        body["features"]["hop_length"] = hop
        body["subsampling"]["factor"] = factor
        if factor == 3:
            body["subsampling"]["kernel_size"] = 5
        elif body["subsampling"].get("kernel_size") == 5:
            del body["subsampling"]["kernel_size"]
        slack = measure_slack(fill_recipe(body, corpus), spelled)
        said.append(f"{slack.tight:.1f} with {slack.frame:g} ms")
        if slack.tight >= TIGHT and not slack.too_short:
            break
    why = (
        "output frames that the fastest twentieth of the utterances have for a token: "
        f"{', '.join(said)}; AN4 had 9.09 % with 1.9 and 7.87 % with 2.4 (one seed)"
    )
    if slack.frame not in tried:
        why += f"; frames of {slack.frame:g} ms were not measured"
    if slack.too_short:
        why += f"; {slack.too_short} utterances cannot be aligned even so"
    chosen = f"{hop} subsampling.factor={factor}"
    return Choice("features.hop_length", chosen, why), slack


def _choose_epochs(
    body: dict[str, Any], facts: CorpusFacts, base: MeasuredRun
) -> Choice:
    longer = min(MOST_LONGER, max(1.0, base.hours / max(facts.hours, 1e-3)))
    epochs = round(base.epochs * longer)
    body["trainer"]["max_epochs"] = epochs
    if epochs == base.epochs:
        why = f"as {base.corpus} ({base.hours:.2f} h)"
    else:
        why = (
            f"as many steps as {base.corpus} ({base.epochs} epochs of "
            f"{base.hours:.2f} h), at most {MOST_LONGER:g} times its epochs: not "
            "measured"
        )
    return Choice("trainer.max_epochs", f"{epochs}", why)


def _hear_silence(body: dict[str, Any], base: MeasuredRun) -> Choice:
    parts = list(_chosen(body, "augment"))
    if "noise" in parts:
        return Choice(
            "augment",
            f"[{','.join(parts)}]",
            f"as {base.corpus}; to train on silence besides did not help there "
            "(FSDD, one seed: 9.99 %, 5.60 without; yesno no better)",
        )
    if "silence" not in parts:
        _override(body, "augment", [*parts, "silence"])
        _override(body, "normalize", "active")
        body["data"]["wordless"] = 0.03
    how = "as" if "silence" in parts else "not measured on"
    return Choice(
        "augment",
        "[speed,silence] normalize=active data.wordless=0.03",
        "recordings as they are have silence and noise around the words: synthetic "
        "digits with 1 s of zeros on both sides have 92 % without, 0.4 % with it; AN4 "
        f"has 7.41, and 7.87 % without; {how} {base.corpus}",
    )


def _fill_steps(
    body: dict[str, Any], utterances: Sequence[Utterance], corpus: Component
) -> Choice:
    options = fill_recipe(body, corpus)
    data, views = options.data, count_views(options)
    rate = options.features.options["sample_rate"]
    durations = build_augment(options.augment, options.trust, rate).plan(utterances)
    filling = measure_filling(durations, data.batch_seconds, data.num_buckets, views)
    why = f"steps hold {filling.held:.0f} s of audio on average"
    if not filling.is_full:
        fuller = find_fuller(durations, data.batch_seconds, data.num_buckets, views)
        if fuller is not None:
            why = (
                f"steps of {data.batch_seconds:g} s would hold {filling.held:.0f} s of "
                f"audio only, these {fuller.held:.0f} s"
            )
            filling = fuller
            body["data"]["batch_seconds"] = fuller.batch_seconds
    both = f", {views} views of each utterance" if views > 1 else ""
    return Choice(
        "data.batch_seconds",
        f"{filling.batch_seconds:g}",
        f"{why} ({100 * filling.share:.0f} %{both}); {filling.num_steps} steps an "
        "epoch",
    )


def count_views(options: TrainOptions) -> int:
    """Of each utterance in a step: two that shall agree, or one."""
    return 2 if options.task.options.get("consistency", 0.0) else 1


@cache
def has_bfloat16() -> bool:
    """Whether this processor computes with bfloat16 itself."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _chosen(body: Mapping[str, Any], group: str) -> Any:
    key = f"override /{group}"
    return next(each[key] for each in body["defaults"] if key in each)


def _override(body: dict[str, Any], group: str, choice: Any) -> None:
    """Choose a part in the recipe's list of defaults."""
    key = f"override /{group}"
    others = [each for each in body["defaults"] if key not in each]
    body["defaults"] = [*others, {key: choice}]
