"""CTC prefix beam search, for many utterances at once, whole or frame by frame."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from speechgru.decode.beam import Found
from speechgru.decode.language import IMPOSSIBLE, Scorer
from speechgru.interfaces import BLANK

_FACTOR = 6364136223846793005  # of the hashes; from Knuth's MMIX generator
NOBODY = -1  # hash of what is in the beam for want of prefixes


@dataclass(frozen=True)
class Beam:
    """The prefixes that are kept.

    Dimensions: B utterances, K prefixes, C tokens, S numbers of a state.

    Attributes:
        blank: (B, K) log-probability of the paths that end in the blank.
        token: (B, K) of those that end in the prefix's last token.
        last: (B, K) that token; the blank for the empty prefix.
        hashes: (B, K) of the prefixes.
        parents: (B, K) hashes of the prefixes without their last token.
        language: (B, K) what the scorer has added.
        states: (B, K, S) the scorer's.
        added: (B, K, C) what each token would add, were it next.
        reached: (B, K, C, S) the scorer's state behind each.
    """

    blank: Tensor
    token: Tensor
    last: Tensor
    hashes: Tensor
    parents: Tensor
    language: Tensor
    states: Tensor
    added: Tensor
    reached: Tensor


Path = tuple[Any, ...]
"""The tokens of a prefix: (path of those before, the last token), or ()."""


@dataclass(frozen=True)
class Searched:
    """How far a search has come. It is never changed: `PrefixSearch` gives the next.

    Attributes:
        beam: after the last frame.
        paths: B x K texts. What they have in common is there once, and what is no
            longer in the beam is gone: hours need little more than their text.
    """

    beam: Beam
    paths: tuple[tuple[Path, ...], ...]


@dataclass(frozen=True)
class PrefixSearch:
    """Find the most probable texts.

    Unlike best path decoding, all paths of a text are summed; those that end in
    the blank apart from the others, since only behind a blank a token follows
    itself. With a beam that holds every prefix, the scores are exact.

    Attributes:
        scorer: of texts.
        beam_size: K, prefixes that are kept after each frame.
        beam_threshold: those so far behind the best are not; natural log.

    Source:
        Graves, "Supervised sequence labelling with recurrent neural networks",
        2012, 7.5; Hannun et al., arXiv:1408.2873, algorithm 1.
    """

    scorer: Scorer
    beam_size: int
    beam_threshold: float = torch.inf

    def __call__(self, log_probs: Tensor, lengths: Tensor) -> list[list[Found]]:
        """Search whole utterances.

        Args:
            log_probs: (B, T, C) float, natural logarithms.
            lengths: (B,) integers, valid frames.

        Returns:
            As `found`.
        """
        log_probs = log_probs.detach().float().cpu()
        # Blanks that cost nothing leave all as it is behind an utterance's end.
        beyond = torch.arange(log_probs.size(1)) >= lengths.cpu()[:, None]
        if beyond.any():  # else there may be hours, of which no copy is needed
            log_probs = log_probs.masked_fill(beyond[..., None], IMPOSSIBLE)
            log_probs[..., BLANK].masked_fill_(beyond, 0.0)
        return self.found(self.advance(self.begin(len(log_probs)), log_probs))

    def begin(self, num_utterances: int) -> Searched:
        """Before the first frame."""
        beam = _begin(num_utterances, self.scorer, self.beam_size)
        return Searched(beam, (((),) * self.beam_size,) * num_utterances)

    def advance(self, searched: Searched, log_probs: Tensor) -> Searched:
        """Take the next frames in: (B, T, C) float32 on the CPU, all valid."""
        beam, paths = searched.beam, searched.paths
        for frame in range(log_probs.size(1)):
            beam, source, token = _step(
                beam, log_probs[:, frame], self.scorer, self.beam_threshold
            )
            paths = _extend(paths, source, token)
        return Searched(beam, paths)

    def found(self, searched: Searched) -> list[list[Found]]:
        """What the utterances say if they end here.

        Returns:
            Of each utterance up to K texts, the best first; those that are whole,
            if any is.
        """
        beam = searched.beam
        unfinished = _score(beam)
        ends = self.scorer.finish(beam.states.flatten(0, 1)).view_as(unfinished)
        finished = unfinished + ends
        spelled = [[_spell(path) for path in paths] for paths in searched.paths]
        return [
            _rank(*utterance)
            for utterance in zip(
                spelled, finished.tolist(), unfinished.tolist(), strict=True
            )
        ]

    def best(self, searched: Searched) -> tuple[int, ...]:
        """The best text of the first utterance if it goes on: a word may be open."""
        place = int(_score(searched.beam)[0].argmax())
        return _spell(searched.paths[0][place])


def _begin(num_utterances: int, scorer: Scorer, beam_size: int) -> Beam:
    """The empty prefix, and no others."""
    shape = (num_utterances, beam_size)
    start = torch.tensor([scorer.start], dtype=torch.int64)
    added, reached = scorer.expand(start)
    blank = torch.full(shape, IMPOSSIBLE)
    blank[:, 0] = 0.0
    return Beam(
        blank=blank,
        token=torch.full(shape, IMPOSSIBLE),
        last=torch.full(shape, BLANK),
        hashes=torch.ones(shape, dtype=torch.int64),
        parents=torch.zeros(shape, dtype=torch.int64),
        language=torch.zeros(shape),
        states=start.expand(*shape, -1),
        added=added.expand(*shape, -1),
        reached=reached.expand(*shape, -1, -1),
    )


def _step(
    beam: Beam, log_probs: Tensor, scorer: Scorer, beam_threshold: float
) -> tuple[Beam, Tensor, Tensor]:
    """Take one frame in.

    Args:
        beam: the prefixes before the frame; it is left as it is.
        log_probs: (B, C).
        scorer, beam_threshold: as in `PrefixSearch`.

    Returns:
        beam: the prefixes after the frame.
        source: (B, K) which old prefix each new one was.
        token: (B, K) what it was extended by; the blank where by nothing.
    """
    beam_size, num_tokens = beam.added.shape[1:]
    total = torch.logaddexp(beam.blank, beam.token)
    last_log_probs = log_probs.gather(1, beam.last)
    stay_blank = total + log_probs[:, BLANK, None]
    stay_token = beam.token + last_log_probs
    grown = total[..., None] + log_probs[:, None]
    grown.scatter_(2, beam.last[..., None], (beam.blank + last_log_probs)[..., None])
    grown = grown.flatten(1)  # (B, K * C)

    # A prefix that grows to one in the beam adds to that.
    alive = total > IMPOSSIBLE
    ordered, order = beam.hashes.masked_fill(~alive, NOBODY).sort(dim=1)
    rank = torch.searchsorted(ordered, beam.parents).clamp_(max=beam_size - 1)
    has_parent = (ordered.gather(1, rank) == beam.parents) & alive
    place = order.gather(1, rank) * num_tokens + beam.last
    place = torch.where(has_parent, place, BLANK)  # the blank extends nothing
    joining = grown.gather(1, place).masked_fill(place == BLANK, IMPOSSIBLE)
    stay_token = torch.logaddexp(stay_token, joining)
    grown.scatter_(1, place, IMPOSSIBLE)

    added = beam.added.flatten(1)
    language = beam.language.repeat_interleave(num_tokens, dim=1) + added
    stay = torch.logaddexp(stay_blank, stay_token) + beam.language
    best, index = torch.cat([stay, grown + language], dim=1).topk(beam_size)
    grew = index >= beam_size
    grown_index = (index - beam_size).clamp(min=0)
    source = torch.where(grew, grown_index // num_tokens, index)
    token = torch.where(grew, grown_index % num_tokens, BLANK)

    dropped = best < best[:, :1] - beam_threshold
    stay_blank, stay_token = stay_blank.gather(1, source), stay_token.gather(1, source)
    token_after = torch.where(grew, grown.gather(1, grown_index), stay_token)
    hashes = beam.hashes.gather(1, source)
    rows = torch.arange(len(source))[:, None]
    reached = beam.reached[rows, source, token]
    states = torch.where(grew[..., None], reached, beam.states[rows, source])
    # Copies, which are filled in below.
    added, reached = beam.added[rows, source], beam.reached[rows, source]
    is_new = grew & ~dropped & (best > IMPOSSIBLE)
    added[is_new], reached[is_new] = scorer.expand(states[is_new])
    after = Beam(
        blank=stay_blank.masked_fill(grew | dropped, IMPOSSIBLE),
        token=token_after.masked_fill(dropped, IMPOSSIBLE),
        last=torch.where(grew, token, beam.last.gather(1, source)),
        hashes=torch.where(grew, hashes * _FACTOR + token, hashes),
        parents=torch.where(grew, hashes, beam.parents.gather(1, source)),
        language=torch.where(
            grew, language.gather(1, grown_index), beam.language.gather(1, source)
        ),
        states=states,
        added=added,
        reached=reached,
    )
    return after, source, token


def _score(beam: Beam) -> Tensor:
    """(B, K) of the prefixes, without their ends."""
    return torch.logaddexp(beam.blank, beam.token) + beam.language


def _extend(
    paths: tuple[tuple[Path, ...], ...], source: Tensor, token: Tensor
) -> tuple[tuple[Path, ...], ...]:
    """The paths after a frame; see `_step`."""
    return tuple(
        tuple(
            before[place] if token_id == BLANK else (before[place], token_id)
            for place, token_id in zip(places, token_ids, strict=True)
        )
        for before, places, token_ids in zip(
            paths, source.tolist(), token.tolist(), strict=True
        )
    )


def _spell(path: Path) -> tuple[int, ...]:
    token_ids = []
    while path:
        path, token_id = path
        token_ids.append(token_id)
    return tuple(reversed(token_ids))


def _rank(
    prefixes: list[tuple[int, ...]], finished: list[float], unfinished: list[float]
) -> list[Found]:
    """Sort the texts of one utterance."""
    is_whole = max(finished) > IMPOSSIBLE
    scores = finished if is_whole else unfinished
    found = [
        Found(prefix, score, is_whole)
        for prefix, score in zip(prefixes, scores, strict=True)
        if score > IMPOSSIBLE
    ]
    return sorted(found, key=lambda one: -one.score)
