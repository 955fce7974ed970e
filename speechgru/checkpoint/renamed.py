"""Classes that older checkpoints and run folders call by other names."""

from collections.abc import Mapping
from typing import Any

RENAMED = {
    # 0.1.0: encoders and what lies in front of them were modules of `model`.
    "speechgru.model.conv1d": "speechgru.model.frontends.conv1d",
    "speechgru.model.conv2d": "speechgru.model.frontends.conv2d",
    "speechgru.model.frame_stack": "speechgru.model.frontends.frame_stack",
    "speechgru.model.gru": "speechgru.model.encoders.gru",
    "speechgru.model.ligru": "speechgru.model.encoders.ligru",
    "speechgru.model.lstm": "speechgru.model.encoders.lstm",
    "speechgru.model.mingru": "speechgru.model.encoders.mingru",
    "speechgru.model.rnn": "speechgru.model.encoders.rnn",
    # 0.1.0: `task` is `training` now, and `beam` says whose search it is.
    "speechgru.task.ctc": "speechgru.training.ctc",
    "speechgru.task.language_model": "speechgru.training.language_model",
    # 0.2.0: what is the user's own, and read as it is, is a source.
    "speechgru.data.corpora.manifest": "speechgru.data.sources.jsonl",
    "speechgru.decode.beam.FlashlightDecoder": (
        "speechgru.decode.flashlight.FlashlightDecoder"
    ),
}
"""Modules, or single classes, by what they were called."""


def current_name(target: str) -> str:
    """What `<module>.<Class>` of any version is called now.

    >>> current_name("speechgru.model.gru.GRUEncoder")
    'speechgru.model.encoders.gru.GRUEncoder'
    """
    if target in RENAMED:
        return RENAMED[target]
    module, _, name = target.rpartition(".")
    return f"{RENAMED[module]}.{name}" if module in RENAMED else target


def with_current_names(config: Any) -> Any:
    """A configuration of any version, with every class and option as it is called now.

    >>> with_current_names({"filename": "a.zip", "url": None, "sha256": None})
    {'archives': [{'file': 'a.zip', 'url': None, 'sha256': None}]}
    """
    if not isinstance(config, Mapping):
        return config
    if _ONE_ARCHIVE.keys() <= config.keys():
        config = _with_archives(config)
    return {
        key: current_name(value)
        if key == "_target_" and isinstance(value, str)
        else with_current_names(value)
        for key, value in config.items()
    }


_ONE_ARCHIVE = {"filename": "file", "url": "url", "sha256": "sha256"}
"""0.1.0: what a corpus said of its only archive, and how an archive says it."""


def _with_archives(corpus: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a corpus, in their order, with `archives` in place of one."""
    archive = {new: corpus[old] for old, new in _ONE_ARCHIVE.items()}
    renamed: dict[str, Any] = {}
    for key, value in corpus.items():
        if key not in _ONE_ARCHIVE:
            renamed[key] = value
        else:
            renamed.setdefault("archives", [archive])
    return renamed
