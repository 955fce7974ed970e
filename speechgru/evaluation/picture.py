"""A picture of what was tried with a language model, and of its confidences."""

import io
import math
from collections.abc import Mapping

from matplotlib.figure import Figure

from speechgru.score.calibration import Calibration


def draw_tuning(
    surface: Mapping[tuple[float, float], float],
    before: Calibration | None = None,
    after: Calibration | None = None,
) -> bytes:
    """Draw word error rates by weights, and confidences against accuracy, as PNG.

    Args:
        surface: word error rate by (lm_weight, word_score), of those tried.
        before: of the confidences as the search gives them, if they were judged.
        after: of those that were calibrated.
    """
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    lm_weights = sorted({lm_weight for lm_weight, _ in surface})
    word_scores = sorted({word_score for _, word_score in surface})
    rates = [
        [100 * surface.get((lm, word), math.nan) for word in word_scores]
        for lm in lm_weights
    ]
    image = left.imshow(rates, cmap="viridis_r", aspect="auto", origin="lower")
    middle = (image.norm.vmin + image.norm.vmax) / 2
    best = 100 * min(surface.values())
    for row, values in enumerate(rates):
        for column, rate in enumerate(values):
            if math.isnan(rate):
                continue  # not tried
            left.text(
                column,
                row,
                f"{rate:.2f}",
                ha="center",
                va="center",
                color="white" if rate > middle else "black",
                weight="bold" if rate == best else "normal",
            )
    left.set_xticks(range(len(word_scores)), [f"{score:g}" for score in word_scores])
    left.set_yticks(range(len(lm_weights)), [f"{weight:g}" for weight in lm_weights])
    left.set(xlabel="word_score", ylabel="lm_weight", title="WER, %")
    right.plot([0, 100], [0, 100], "--", color="gray", linewidth=1)
    for name, calibration in (("as searched", before), ("as calibrated", after)):
        if calibration is None:
            continue
        confidences = [100 * one.confidence for one in calibration.bins]
        accuracies = [100 * one.accuracy for one in calibration.bins]
        sizes = [
            10 + 300 * one.num_words / calibration.num_words for one in calibration.bins
        ]
        error = 100 * calibration.error
        label = f"{name}: expected calibration error {error:.2f} %"
        (line,) = right.plot(confidences, accuracies, label=label)
        right.scatter(confidences, accuracies, sizes, color=line.get_color(), alpha=0.6)
    right.set(
        xlabel="confidence of words, %",
        ylabel="right, %",
        title="How far confidences can be trusted",
        xlim=(0, 105),
        ylim=(0, 105),
    )
    if before is not None:
        right.legend(loc="upper left")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    return content.getvalue()
