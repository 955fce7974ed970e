"""CTC prefix beam search, for many utterances at once."""

from dataclasses import dataclass

import torch
from torch import Tensor

from speechgru.decode.beam import Found
from speechgru.decode.language import IMPOSSIBLE, Scorer
from speechgru.interfaces import BLANK

_FACTOR = 6364136223846793005  # of the hashes; from Knuth's MMIX generator
NOBODY = -1  # hash of what is in the beam for want of prefixes


@dataclass
class _Beam:
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


def search(
    log_probs: Tensor,
    lengths: Tensor,
    scorer: Scorer,
    beam_size: int,
    beam_threshold: float = torch.inf,
) -> list[list[Found]]:
    """Find the most probable texts.

    Unlike best path decoding, all paths of a text are summed; those that end in
    the blank apart from the others, since only behind a blank a token follows
    itself. With a beam that holds every prefix, the scores are exact.

    Args:
        log_probs: (B, T, C) float, natural logarithms.
        lengths: (B,) integers, valid frames.
        scorer: of texts.
        beam_size: K, prefixes that are kept after each frame.
        beam_threshold: those so far behind the best are not; natural log.

    Returns:
        Of each utterance up to K texts, the best first; those that are whole,
        if any is.

    Source:
        Graves, "Supervised sequence labelling with recurrent neural networks",
        2012, 7.5; Hannun et al., arXiv:1408.2873, algorithm 1.
    """
    log_probs = log_probs.detach().float().cpu()
    num_frames = log_probs.size(1)
    # Blanks that cost nothing leave all as it is behind an utterance's end.
    beyond = torch.arange(num_frames) >= lengths.cpu()[:, None]
    log_probs = log_probs.masked_fill(beyond[..., None], IMPOSSIBLE)
    log_probs[..., BLANK].masked_fill_(beyond, 0.0)
    beam = _begin(len(log_probs), scorer, beam_size)
    sources, tokens = [], []
    for frame in range(num_frames):
        source, token = _step(beam, log_probs[:, frame], scorer, beam_threshold)
        sources.append(source)
        tokens.append(token)
    acoustic = torch.logaddexp(beam.blank, beam.token)
    unfinished = acoustic + beam.language
    ends = scorer.finish(beam.states.flatten(0, 1)).view_as(unfinished)
    finished = unfinished + ends
    spelled = _trace_back(sources, tokens, beam.last)
    return [
        _rank(*utterance)
        for utterance in zip(
            spelled, finished.tolist(), unfinished.tolist(), strict=True
        )
    ]


def _begin(num_utterances: int, scorer: Scorer, beam_size: int) -> _Beam:
    """The empty prefix, and no others."""
    shape = (num_utterances, beam_size)
    start = torch.tensor([scorer.start], dtype=torch.int64)
    added, reached = scorer.expand(start)
    blank = torch.full(shape, IMPOSSIBLE)
    blank[:, 0] = 0.0
    return _Beam(
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
    beam: _Beam, log_probs: Tensor, scorer: Scorer, beam_threshold: float
) -> tuple[Tensor, Tensor]:
    """Take one frame in.

    Args:
        beam: is replaced by the prefixes after the frame.
        log_probs: (B, C).
        scorer, beam_threshold: as in `search`.

    Returns:
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
    beam.blank = stay_blank.masked_fill(grew | dropped, IMPOSSIBLE)
    beam.token = token_after.masked_fill(dropped, IMPOSSIBLE)
    beam.language = torch.where(
        grew, language.gather(1, grown_index), beam.language.gather(1, source)
    )
    hashes = beam.hashes.gather(1, source)
    beam.parents = torch.where(grew, hashes, beam.parents.gather(1, source))
    beam.hashes = torch.where(grew, hashes * _FACTOR + token, hashes)
    beam.last = torch.where(grew, token, beam.last.gather(1, source))

    rows = torch.arange(len(source))[:, None]
    states = beam.reached[rows, source, token]
    beam.states = torch.where(grew[..., None], states, beam.states[rows, source])
    beam.added, beam.reached = beam.added[rows, source], beam.reached[rows, source]
    is_new = grew & ~dropped & (best > IMPOSSIBLE)
    beam.added[is_new], beam.reached[is_new] = scorer.expand(beam.states[is_new])
    return source, token


def _trace_back(
    sources: list[Tensor], tokens: list[Tensor], shape: Tensor
) -> list[list[tuple[int, ...]]]:
    """Spell the B x K prefixes out, from what each frame made of the last."""
    index = torch.arange(shape.size(1)).expand_as(shape)
    spelled = []
    for source, token in zip(reversed(sources), reversed(tokens), strict=True):
        spelled.append(token.gather(1, index))
        index = source.gather(1, index)
    if not spelled:
        return [[() for _ in range(shape.size(1))] for _ in range(len(shape))]
    per_prefix = torch.stack(spelled[::-1], dim=-1).tolist()
    return [
        [tuple(token for token in path if token != BLANK) for path in paths]
        for paths in per_prefix
    ]


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
