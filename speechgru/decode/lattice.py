"""A known text in a long recording, in memory that grows with the text alone.

What is kept for every frame and token, of an hour of speech, are ten thousand million
numbers. Here the lattice is gone through once, forwards; every `SEGMENT` frames the
scores of all states are put on the disk. The path is then found segment by segment,
from the last to the first, each computed anew for those few states that can lead to
where the next begins.

A text of U tokens has U + 1 blanks, one in front of each token and one behind the last.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from speechgru.interfaces import BLANK
from speechgru.scratch import Scratch

SEGMENT = 1024
"""Frames, whose choices are in memory together."""

_STAY, _STEP, _SKIP = 0, 1, 2  # from the same state, the one before, the token before

_Combine = Callable[..., Tensor]


class _States:
    """Scores of all states after a frame, float64: sums over hours lose no digits.

    Attributes:
        blanks: (U + 1,); the last stands behind all tokens.
        tokens: (U + 1,); the first stands for none, so that each token comes one place
            behind the blank in front of it.
    """

    def __init__(self, blanks: Tensor, tokens: Tensor) -> None:
        self.blanks, self.tokens = blanks, tokens

    @classmethod
    def start(cls, num_tokens: int) -> "_States":
        """Before the first frame."""
        scores = torch.full((2, num_tokens + 1), -torch.inf, dtype=torch.float64)
        scores[0, 0] = 0.0
        return cls(*scores.unbind())

    def window(self, start: int, stop: int) -> "_States":
        """Those from blank `start` on, before blank `stop`."""
        return _States(self.blanks[start:stop], self.tokens[start:stop])


class Lattice:
    """All ways to say a text.

    Args:
        log_probs: (T, C) float32, natural logarithms; they may lie on the disk.
        token_ids: U, no blanks; T is enough for them and for their repeats.
    """

    def __init__(self, log_probs: Tensor, token_ids: Sequence[int]) -> None:
        self._log_probs = log_probs
        self._ids = torch.tensor(token_ids)
        # Only another token may follow a token without a blank between them.
        repeats = self._ids[1:] == self._ids[:-1]
        barrier = torch.zeros(len(token_ids), dtype=torch.float64)
        barrier[1:].masked_fill_(repeats, -torch.inf)
        self._barrier = barrier

    def total(self) -> float:
        """Natural log-probability of the text, over all paths."""
        num_tokens = len(self._ids)
        for states in self._go(torch.logaddexp):  # noqa: B007
            pass
        return float(torch.logaddexp(states.blanks[-1], states.tokens[num_tokens]))

    def best_path(self) -> list[int]:
        """The most probable path: a token or the blank for each frame."""
        num_frames, num_tokens = len(self._log_probs), len(self._ids)
        size = 2 * (num_tokens + 1)
        needed = 8 * size * (num_frames // SEGMENT + 1)
        with Scratch("an alignment", needed, torch.device("cpu")) as scratch:
            kept = scratch.rows(2 * size)  # float64 is two of float32
            states = _States.start(num_tokens)
            for frame, states in enumerate(self._go(torch.maximum)):
                if frame % SEGMENT == 0:
                    both = torch.cat([states.blanks, states.tokens])
                    kept.append(both.view(torch.float32)[None])
            is_token = bool(states.tokens[-1] > states.blanks[-1])
            place = num_tokens
            path: list[int] = []
            for index in reversed(range(len(kept))):
                both = kept.read(index, index + 1)[0].view(torch.float64)
                before = _States(*both.chunk(2))
                start = index * SEGMENT
                stop = min(start + SEGMENT, num_frames)
                part, is_token, place = self._trace(
                    before, start, stop, is_token, place
                )
                path += part
        return path[::-1]

    def _go(self, combine: _Combine) -> Iterator[_States]:
        """The states before each frame, and after the last; each is changed later."""
        num_frames, num_tokens = len(self._log_probs), len(self._ids)
        states = _States.start(num_tokens)
        for frame in range(num_frames):
            yield states
            # Of those states that are reached by now, and can still reach the end.
            start = max(0, num_tokens - (num_frames - frame))
            stop = min(frame + 2, num_tokens + 1)
            self._step(states.window(start, stop), frame, start, combine)
        yield states

    def _step(self, states: _States, frame: int, start: int, combine: _Combine) -> None:
        """Take one frame in: change a window of states, from blank `start` on."""
        blanks, tokens = states.blanks, states.tokens
        scores = self._log_probs[frame].double()
        stop = start + len(blanks) - 1
        skipped = tokens[:-1] + self._barrier[start:stop]
        entered = combine(combine(tokens[1:], blanks[:-1]), skipped)
        combine(blanks, tokens, out=blanks)
        blanks += scores[BLANK]
        torch.add(entered, scores[self._ids[start:stop]], out=tokens[1:])
        tokens[0] = -torch.inf  # its own would need what is before the window

    def _trace(
        self, before: _States, start: int, stop: int, is_token: bool, place: int
    ) -> tuple[list[int], bool, int]:
        """Follow the best path back through the frames of a segment.

        Args:
            before: the states before its first frame.
            start, stop: its frames.
            is_token: whether the path is at a token after its last frame.
            place: where in the states.

        Returns:
            path: of its frames, the last first.
            is_token, place: before its first frame.
        """
        first = max(0, place - (stop - start) - 1)
        states = before.window(first, place + 1)
        size = place + 1 - first
        steps = torch.empty(stop - start, size, dtype=torch.bool)
        moves = torch.empty(stop - start, size, dtype=torch.int8)
        barrier = self._barrier[first:place]
        for row, frame in enumerate(range(start, stop)):
            blanks, tokens = states.blanks, states.tokens
            steps[row] = tokens > blanks
            ways = [tokens[1:], blanks[:-1], tokens[:-1] + barrier]
            moves[row, 1:] = torch.stack(ways).argmax(dim=0).to(torch.int8)
            self._step(states, frame, first, torch.maximum)
        path = []
        place -= first
        for row in reversed(range(stop - start)):
            path.append(int(self._ids[first + place - 1]) if is_token else BLANK)
            if not is_token:
                is_token = bool(steps[row, place])
                continue
            move = int(moves[row, place])
            is_token = move != _STEP
            place -= move != _STAY
        return path, is_token, first + place
