"""Signs in a learning curve that a run will not become what was hoped for."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

SILENT = 0.95  # share of dev utterances in which nothing is heard
USELESS = 0.99  # word error rate
FLAT = 0.03  # share of the loss that the steps below should take away at least
FLAT_EPOCHS, FLAT_STEPS = 4, 300
RISE, LEAST_RISE = 1.1, 0.02  # of the loss, against its lowest
RISEN_EPOCHS = 5


@dataclass(frozen=True)
class Seen:
    """What an epoch came to.

    Attributes:
        epoch: counted from 1.
        step: optimiser steps so far.
        train_loss: per token, in training, with all that makes it harder.
        dev_loss: per token.
        score: that makes a checkpoint the best; lower is better.
        unheard: share of the dev utterances with words in which nothing is heard;
            None: a model that hears nothing anyway.
    """

    epoch: int
    step: int
    train_loss: float
    dev_loss: float
    score: float
    unheard: float | None


class Watch:
    """Looks at every epoch, and warns of each sign once."""

    def __init__(self) -> None:
        self._seen: list[Seen] = []
        self._warned: list[str] = []

    def state_dict(self) -> dict[str, Any]:
        """All that was seen, as plain values."""
        return {"seen": [asdict(each) for each in self._seen], "warned": self._warned}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where another run was stopped."""
        self._seen = [Seen(**each) for each in state_dict["seen"]]
        self._warned = list(state_dict["warned"])

    def see(self, now: Seen) -> list[str]:
        """Take an epoch in; what there is to warn of."""
        self._seen.append(now)
        signs = {"stuck": _find_standstill, "overfitted": _find_overfitting}
        warnings = []
        for name, find in signs.items():
            warning = None if name in self._warned else find(self._seen)
            if warning is not None:
                self._warned.append(name)
                warnings.append(warning)
        return warnings


def _find_standstill(seen: Sequence[Seen]) -> str | None:
    """A CTC model that stays where all of them begin: it hears but blanks."""
    now = seen[-1]
    before = [
        each
        for each in seen
        if each.epoch <= now.epoch - FLAT_EPOCHS and each.step <= now.step - FLAT_STEPS
    ]
    if not before:
        return None
    since = seen[seen.index(before[-1]) :]
    if any(each.unheard is None or each.score < USELESS for each in since):
        return None
    if min(each.dev_loss for each in since) < (1 - FLAT) * before[-1].dev_loss:
        return None
    found = f"nothing is heard in {100 * now.unheard:.0f} % of dev"
    if now.unheard < SILENT:
        found = "no word of dev is recognised"
    if now.dev_loss > (1 + FLAT) * before[-1].dev_loss:
        return (
            f"since epoch {before[-1].epoch}, {found}, and its loss has risen from "
            f"{before[-1].dev_loss:.3g} to {now.dev_loss:.3g} per token: training "
            "diverges. Try a lower task.learning_rate"
        )
    return (
        f"since epoch {before[-1].epoch}, {found}, and its loss stays at "
        f"{now.dev_loss:.3g} per token: training is stuck. Try a higher "
        "task.learning_rate, more steps (a smaller data.batch_seconds), or "
        "init_from=CHECKPOINT; debug=overfit tells whether texts and audio belong "
        "together"
    )


def _find_overfitting(seen: Sequence[Seen]) -> str | None:
    """A model that learns train by heart, and becomes no better on dev."""
    lowest = min(seen, key=lambda each: each.dev_loss)
    best = min(seen, key=lambda each: each.score)
    now = seen[-1]
    if now.epoch - max(lowest.epoch, best.epoch) < RISEN_EPOCHS:
        return None
    most = max(RISE * lowest.dev_loss, LEAST_RISE + lowest.dev_loss)
    risen = all(each.dev_loss > most for each in seen[-3:])
    # Where no word is wrong, nothing can become better.
    if not risen or best.score == 0 or now.train_loss >= lowest.train_loss:
        return None
    return (
        f"the loss of dev has risen from {lowest.dev_loss:.3g} per token in epoch "
        f"{lowest.epoch} to {now.dev_loss:.3g}, while that of train has fallen from "
        f"{lowest.train_loss:.3g} to {now.train_loss:.3g}, and no epoch since "
        f"{best.epoch} was better on dev: train is learnt by heart. What helps is more "
        "data, augment=speed, spec_augment, encoder.dropout, a smaller encoder, or "
        "a shorter run (trainer.max_epochs, trainer.max_steps)"
    )
